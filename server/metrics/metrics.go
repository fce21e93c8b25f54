// Package metrics counts requests and connections by mode, and takes snapshots of the counts for Prometheus, for /stats and
// for other processes.
//
// It must not know HTTP, nor which modes and kinds of work exist.
package metrics

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/work"
)

// Metrics holds every number that /metrics and /stats show. Both are made from a Snapshot, so they agree. Create it with New.
// It lives as long as the process, longer than a mode.
type Metrics struct {
	registry   *prometheus.Registry
	start      time.Time
	logDropped func() uint64

	mu      sync.Mutex
	modes   []*modeCounters // of every mode so far, in order of appearance
	watched []*watch
	current *watch // the newest, even after its end; nil before the first
}

// A watch is an App with the socket that it serves.
type watch struct {
	app    *server.App
	source *listener.Source
}

// New returns Metrics with a registry of their own, which has the metrics of the Go runtime, the process and the build too.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), start: time.Now(), logDropped: noneDropped}
	m.registry.MustRegister(collector{m})
	registerProcess(m.registry)
	return m
}

func noneDropped() uint64 { return 0 }

// WatchLog sets the function that returns how many log lines were dropped. Call it before any other method.
func (m *Metrics) WatchLog(dropped func() uint64) { m.logDropped = dropped }

// Gather returns all metrics, for /metrics.
func (m *Metrics) Gather() ([]*dto.MetricFamily, error) { return m.registry.Gather() }

// Observer returns the observer that counts mode's requests. If the mode has served before, its counts go on from there.
func (m *Metrics) Observer(mode string) server.Observer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(mode)
}

// Watch includes app's gauges and source's accept queue in snapshots, and makes app's mode the current one. Call unwatch
// when app has ended.
func (m *Metrics) Watch(app *server.App, source *listener.Source) (unwatch func()) {
	w := &watch{app: app, source: source}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.find(app.Mode())
	m.watched = append(m.watched, w)
	m.current = w
	return func() { m.unwatch(w) }
}

func (m *Metrics) unwatch(w *watch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watched = slices.DeleteFunc(m.watched, func(other *watch) bool { return other == w })
}

// find returns mode's counters, and adds them if there are none. The caller holds the lock.
func (m *Metrics) find(mode string) *modeCounters {
	for _, c := range m.modes {
		if c.mode == mode {
			return c
		}
	}
	c := newModeCounters(mode)
	m.modes = append(m.modes, c)
	return c
}

// modeCounters count the requests and connections of one mode.
type modeCounters struct {
	mode      string
	requests  [server.NumOutcomes]atomic.Uint64
	failures  [len(work.Causes)]atomic.Uint64 // in the order of work.Causes
	closed    [server.NumCloseCauses]atomic.Uint64
	queueWait *histogram
	work      *histogram
}

func newModeCounters(mode string) *modeCounters {
	return &modeCounters{mode: mode, queueWait: newHistogram(), work: newHistogram()}
}

// Observe counts one request. It allocates nothing and takes no lock, because it is part of every request.
func (c *modeCounters) Observe(sample *server.Sample) {
	c.requests[sample.Outcome].Add(1)
	if sample.Failure != nil {
		c.failures[slices.Index(work.Causes[:], sample.Failure.Cause)].Add(1)
	}
	if sample.Admitted {
		c.queueWait.observe(sample.Queued)
	}
	if sample.Started {
		c.work.observe(sample.Worked)
	}
}

// ObserveClose counts one connection.
func (c *modeCounters) ObserveClose(cause server.CloseCause) { c.closed[cause].Add(1) }

// Snapshot returns everything that this process reports.
func (m *Metrics) Snapshot() *Snapshot {
	s := m.snapshot()
	s.Process = ReadProcess()
	return s
}

// snapshot returns the same without the metrics of the process.
func (m *Metrics) snapshot() *Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &Snapshot{LogDropped: m.logDropped(), Goroutines: runtime.NumGoroutine()}
	if m.current != nil {
		s.Mode = m.current.app.Mode()
		s.AcceptQueue = ReadAcceptQueue(m.current.source)
	}
	for _, c := range m.modes {
		s.Modes = append(s.Modes, m.read(c))
	}
	return s
}

// ReadAcceptQueue returns the state of source's accept queue, or nil if it cannot be read.
func ReadAcceptQueue(source *listener.Source) *AcceptQueue {
	queue, ok := source.AcceptQueue()
	if !ok {
		return nil
	}
	return (*AcceptQueue)(&queue)
}

// read returns the numbers of one mode. It adds up the gauges of its Apps: there are two while a mode is replaced by itself
// with other options.
func (m *Metrics) read(c *modeCounters) ModeSnapshot {
	s := c.read()
	for _, w := range m.watched {
		if w.app.Mode() == s.Mode {
			s.InFlight += w.app.InFlight()
			s.Queued += w.app.Queued()
			s.Connections += w.app.Connections()
		}
	}
	if m.current != nil && m.current.app.Mode() == s.Mode {
		for _, p := range m.current.app.Pools() {
			s.Pools = append(s.Pools, Pool{p.Name, p.Size, p.InUse, p.Waiting})
		}
		slices.SortFunc(s.Pools, comparePools)
	}
	return s
}

func (c *modeCounters) read() ModeSnapshot {
	m := newModeSnapshot(c.mode)
	m.QueueWait, m.QueueWaitBuckets = c.queueWait.read()
	m.Work, m.WorkBuckets = c.work.read()
	for outcome := range c.requests {
		m.Requests[outcome] = c.requests[outcome].Load()
	}
	for cause := range c.failures {
		m.Failures[cause] = c.failures[cause].Load()
	}
	for cause := range c.closed {
		m.Closed[cause] = c.closed[cause].Load()
	}
	return m
}

// Package metrics counts requests and connections by mode, and makes snapshots of the counts for Prometheus, for /stats and
// for other processes.
//
// It must not know how a snapshot is sent, nor which modes and kinds of work there are.
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
	"demo-server/work"
)

// Metrics holds every number that /metrics and /stats show. The two read the same snapshot, so they cannot disagree.
// Create it with New; one lives as long as the process, and outlives the modes that it counts.
type Metrics struct {
	registry   *prometheus.Registry
	start      time.Time
	logDropped func() uint64

	mu      sync.Mutex
	modes   []*modeCounters // of every mode that was seen, in order of appearance
	watched []*watch
	current *watch // the newest, also after its end
}

// A watch is one App whose gauges are read.
type watch struct {
	app    *server.App
	source *server.Source
}

// New returns Metrics in a registry of their own, next to the Go runtime's, the process's and the build's.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), start: time.Now(), logDropped: noneDropped}
	m.registry.MustRegister(collector{m})
	registerProcess(m.registry)
	return m
}

func noneDropped() uint64 { return 0 }

// WatchLog reads from dropped how many lines of the process's log were dropped so far. Call it before anything is read.
func (m *Metrics) WatchLog(dropped func() uint64) { m.logDropped = dropped }

// Gather reads all metrics, for /metrics.
func (m *Metrics) Gather() ([]*dto.MetricFamily, error) { return m.registry.Gather() }

// Observer returns the observer that counts mode's requests, each outcome from 0 on. A mode that comes back goes on
// counting where it stopped.
func (m *Metrics) Observer(mode string) server.Observer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(mode)
}

// Watch reads app's gauges, and source's accept queue, whenever somebody asks. From now on app's mode is the current
// one. Call unwatch when app has ended.
func (m *Metrics) Watch(app *server.App, source *server.Source) (unwatch func()) {
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

// find returns mode's series, and makes it where there is none. The caller holds the lock.
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

// modeCounters hold what is counted of one mode.
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

// Observe counts one request. It allocates nothing and takes no lock: every request pays for it.
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

// snapshot returns the same, but for the metrics of the process.
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

// ReadAcceptQueue returns the state of source's accept queue, nil if it cannot be read.
func ReadAcceptQueue(source *server.Source) *AcceptQueue {
	queue, ok := source.AcceptQueue()
	if !ok {
		return nil
	}
	return (*AcceptQueue)(&queue)
}

// read adds up the gauges of all of a mode's Apps: while a mode is replaced by itself with other options, it has two.
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

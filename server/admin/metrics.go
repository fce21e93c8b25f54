package admin

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"demo-server/server"
	"demo-server/work"
)

// Metrics holds every number that /metrics and /stats show. The two read the same snapshot, so they cannot disagree.
// Create it with NewMetrics; one lives as long as the process, and outlives the modes that it counts.
type Metrics struct {
	registry   *prometheus.Registry
	start      time.Time
	logDropped func() uint64

	mu      sync.Mutex
	series  []*series // of every mode that was seen, in order of appearance
	watched []*watch
	current *watch // the newest, also after its end
}

// A watch is one App whose gauges are read.
type watch struct {
	app    *server.App
	source *server.Source
}

// NewMetrics returns Metrics in a registry of their own, next to the Go runtime's, the process's and the build's.
func NewMetrics() *Metrics {
	m := &Metrics{start: time.Now(), logDropped: noneDropped}
	m.registry = newRegistry(collector{m})
	return m
}

// newRegistry returns a registry of what own collects, and of what is known of every process.
func newRegistry(own prometheus.Collector) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		own,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return registry
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
func (m *Metrics) find(mode string) *series {
	for _, s := range m.series {
		if s.mode == mode {
			return s
		}
	}
	s := newSeries(mode)
	m.series = append(m.series, s)
	return s
}

// A series is what is counted of one mode.
type series struct {
	mode      string
	requests  [server.NumOutcomes]atomic.Uint64
	failures  []atomic.Uint64 // in the order of work.Causes
	closed    []atomic.Uint64 // by server.CloseCause
	queueWait *histogram
	work      *histogram
}

func newSeries(mode string) *series {
	return &series{
		mode:      mode,
		failures:  make([]atomic.Uint64, len(work.Causes)),
		closed:    make([]atomic.Uint64, len(server.CloseCauses())),
		queueWait: newHistogram(),
		work:      newHistogram(),
	}
}

// Observe counts one request. It allocates nothing and takes no lock: every request pays for it.
func (s *series) Observe(sample *server.Sample) {
	s.requests[sample.Outcome].Add(1)
	if sample.Failure != nil {
		s.failures[slices.Index(work.Causes, sample.Failure.Cause)].Add(1)
	}
	if sample.Admitted {
		s.queueWait.observe(sample.Queued)
	}
	if sample.Started {
		s.work.observe(sample.Worked)
	}
}

// ObserveClose counts one connection.
func (s *series) ObserveClose(cause server.CloseCause) { s.closed[cause].Add(1) }

// A Snapshot is everything that /metrics and /stats say of the server, at one moment.
type Snapshot struct {
	current     string              // the mode that serves, empty before the first
	acceptQueue *server.AcceptQueue // nil where it cannot be read
	logDropped  uint64              // lines
	modes       []ModeStats
}

// ModeStats are one mode's numbers. A mode that has ended keeps its counts.
type ModeStats struct {
	Mode        string                `json:"mode"`
	Requests    Requests              `json:"requests"` // finished
	InFlight    int                   `json:"in_flight"`
	Queued      int                   `json:"queued"`
	Connections int                   `json:"connections"`
	Closed      map[string]uint64     `json:"connections_closed"` // by cause, see server.CloseCause
	QueueWait   Distribution          `json:"queue_wait_seconds"`
	Work        Distribution          `json:"work_seconds"`
	Failures    map[work.Cause]uint64 `json:"work_failures"` // of what the work depends on, by cause
	Pools       []Pool                `json:"work_pools"`    // sorted by kind
}

// Requests are counts by outcome, which JSON has by name.
type Requests [server.NumOutcomes]uint64

// MarshalJSON implements json.Marshaler.
func (r Requests) MarshalJSON() ([]byte, error) {
	byName := make(map[string]uint64, len(r))
	for outcome, count := range r {
		byName[server.Outcome(outcome).String()] = count
	}
	return json.Marshal(byName)
}

// A Pool is the state of what a kind of work has only so much of.
type Pool struct {
	Kind    string `json:"kind"`
	Size    int    `json:"size"`
	InUse   int    `json:"in_use"`
	Waiting int    `json:"waiting"`
}

func (m *Metrics) snapshot() Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := Snapshot{logDropped: m.logDropped()}
	if m.current != nil {
		now.current = m.current.app.Mode()
		if queue, ok := m.current.source.AcceptQueue(); ok {
			now.acceptQueue = &queue
		}
	}
	for _, s := range m.series {
		now.modes = append(now.modes, m.modeStats(s))
	}
	return now
}

// modeStats adds up the gauges of all of a mode's Apps: while a mode is replaced by itself with other options, it has two.
func (m *Metrics) modeStats(s *series) ModeStats {
	f := s.read()
	for _, w := range m.watched {
		if w.app.Mode() == s.mode {
			f.InFlight += w.app.InFlight()
			f.Queued += w.app.Queued()
			f.Connections += w.app.Connections()
		}
	}
	if m.current != nil && m.current.app.Mode() == s.mode {
		f.Pools = pools(m.current.app)
	}
	return f
}

func pools(app *server.App) []Pool {
	all := []Pool{}
	for _, p := range app.Pools() {
		all = append(all, Pool{p.Name, p.Size, p.InUse, p.Waiting})
	}
	slices.SortFunc(all, func(a, b Pool) int { return strings.Compare(a.Kind, b.Kind) })
	return all
}

func (s *series) read() ModeStats {
	f := ModeStats{
		Mode: s.mode, QueueWait: s.queueWait.read(), Work: s.work.read(),
		Failures: make(map[work.Cause]uint64), Closed: make(map[string]uint64), Pools: []Pool{},
	}
	for outcome := range s.requests {
		f.Requests[outcome] = s.requests[outcome].Load()
	}
	for i, cause := range work.Causes {
		f.Failures[cause] = s.failures[i].Load()
	}
	for _, cause := range server.CloseCauses() {
		f.Closed[cause.String()] = s.closed[cause].Load()
	}
	return f
}

package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"demo-server/server"
)

// A Fleet is what several worker processes measure, added up. Create it with NewFleet in the process that leads them.
//
// It asks the workers whenever somebody asks it, and once a second: what a worker had counted that was killed since is
// lost, and nothing else. Counts never go down, whichever worker ends.
type Fleet struct {
	config   FleetConfig
	registry *prometheus.Registry // of this process
	start    time.Time

	mu       sync.Mutex
	workers  []*worker
	kept     tally // what workers counted that have ended
	restarts int
}

// A FleetConfig is what a Fleet needs to know.
type FleetConfig struct {
	Mode   func() string  // the mode that serves
	Source *server.Source // on which all accept

	// Answered is told of each worker that answers, by its PID. It may be called from several goroutines at a time.
	Answered   func(pid int)
	LogDropped func() uint64 // how many lines of this process's own log were dropped so far; nil for none
}

// A Worker is a worker process, and how to ask it.
type Worker struct {
	PID     int
	State   string // stateServes for one that serves
	Started time.Time
	Dial    func() (net.Conn, error) // connects to its own Server; nil until that serves
}

const (
	// askEvery bounds what is lost of a worker that is killed, and askTimeout what one that hangs costs everybody else.
	askEvery   = time.Second
	askTimeout = 500 * time.Millisecond

	// silentAfter is how long a worker may not answer, because it is busy, before that makes the service not ready.
	silentAfter = 5 * time.Second

	workerPath  = "/workers/"
	stateServes = "ready"
	maxReason   = 1 << 10  // bytes
	maxHeader   = 64 << 10 // bytes of a worker's response headers
)

// A worker is a Worker, and what it said last.
type worker struct {
	Worker
	client http.Client
	asked  atomic.Int64 // how often

	seen     int64 // the number of the asking that families come from
	families []*dto.MetricFamily
	answers  bool
	silent   time.Time // since when it has not answered, zero if it does or has not been asked
}

// NewFleet returns a Fleet of no workers.
func NewFleet(config FleetConfig) *Fleet {
	if config.LogDropped == nil {
		config.LogDropped = noneDropped
	}
	f := &Fleet{config: config, start: time.Now(), kept: tally{}}
	f.registry = newRegistry(fleetCollector{f})
	return f
}

// Watch asks the workers from time to time until ctx is done.
func (f *Fleet) Watch(ctx context.Context) {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.ask()
		case <-ctx.Done():
			return
		}
	}
}

// Put adds a worker, or replaces what is known of the one with that PID.
func (f *Fleet) Put(w Worker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.workers, func(m *worker) bool { return m.PID == w.PID })
	switch {
	case i < 0:
		f.workers = append(f.workers, newWorker(w))
	case f.workers[i].Dial == nil:
		f.workers[i] = newWorker(w) // it had nothing to say yet
	default:
		f.workers[i].State = w.State
	}
}

// Ask asks a worker for its last figures, before it ends.
func (f *Fleet) Ask(pid int) {
	if m := f.find(pid); m != nil {
		f.refresh(m)
	}
}

// Remove takes out a worker that has ended, and keeps what it counted.
func (f *Fleet) Remove(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.workers {
		if m.PID != pid {
			continue
		}
		m.client.CloseIdleConnections()
		for _, family := range m.families {
			if ours(family) && family.GetType() != dto.MetricType_GAUGE {
				f.kept.add(family)
			}
		}
	}
	f.workers = slices.DeleteFunc(f.workers, func(m *worker) bool { return m.PID == pid })
}

// Restarted counts a worker that died and is replaced.
func (f *Fleet) Restarted() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restarts++
}

func (f *Fleet) find(pid int) *worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.workers {
		if m.PID == pid {
			return m
		}
	}
	return nil
}

func newWorker(w Worker) *worker {
	m := &worker{Worker: w}
	dial := func(context.Context, string, string) (net.Conn, error) {
		if w.Dial == nil {
			return nil, errStarts
		}
		return w.Dial()
	}
	m.client = http.Client{
		Timeout:       askTimeout,
		Transport:     &http.Transport{DialContext: dial, DisableCompression: true, MaxResponseHeaderBytes: maxHeader},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return m
}

// ask asks all workers at the same time, those excepted that have nothing to tell yet.
func (f *Fleet) ask() {
	f.mu.Lock()
	members := slices.DeleteFunc(slices.Clone(f.workers), func(m *worker) bool { return m.Dial == nil })
	f.mu.Unlock()
	var asked sync.WaitGroup
	for _, m := range members {
		asked.Go(func() { f.refresh(m) })
	}
	asked.Wait()
}

// refresh asks a worker, and keeps its answer, unless one to a later question was faster. Of one that does not answer
// in time, the last figures stay.
func (f *Fleet) refresh(m *worker) {
	number := m.asked.Add(1)
	families, err := m.metrics()
	if err == nil {
		f.config.Answered(m.PID) // without the lock, for which whoever is told may wait
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if number < m.seen {
		return
	}
	m.seen, m.answers = number, err == nil
	switch {
	case err == nil:
		m.families, m.silent = families, time.Time{}
	case m.silent.IsZero():
		m.silent = time.Now()
	}
}

// metrics gets the worker's metrics.
func (w *worker) metrics() ([]*dto.MetricFamily, error) {
	response, err := w.get("/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return readAnswer(response.Body)
}

// get asks the worker's own Server.
func (w *worker) get(path string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, "http://worker"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	return w.client.Do(request)
}

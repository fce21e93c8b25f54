// Package fleet adds up the metrics of several worker processes, and hands requests on to the admin listener of each.
//
// It must not trust the answers of workers, nor know how workers are started.
package fleet

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

	"demo-server/server/listener"
	"demo-server/server/metrics"
)

// A Fleet adds up the numbers of several worker processes. Create it with New in their supervisor.
//
// It asks the workers at each request, and once a second. If a worker is killed, only the counts since the last answer are
// lost. Counts never go down when a worker ends. Its methods may be called from several goroutines at a time.
type Fleet struct {
	config   Config
	registry *prometheus.Registry
	start    time.Time

	mu       sync.Mutex // guards the fields below, and those of each worker that refresh sets
	workers  []*worker
	kept     metrics.Snapshot // the counts of workers that have ended
	restarts int
}

// A Config is what a Fleet needs. LogDropped is optional.
type Config struct {
	Mode   func() string    // returns the current mode
	Source *listener.Source // the socket on which all workers accept

	Modes, Kinds []string // the names of modes and kinds of work that a worker may report

	Answered   func(pid int) // is called for each answer of a worker, from several goroutines at a time
	LogDropped func() uint64 // returns how many log lines of this process were dropped; nil for none
}

// A Worker is a worker process, and the way to reach it.
type Worker struct {
	PID     int
	State   string // stateServes if it serves
	Started time.Time
	Dial    func() (net.Conn, error) // connects to its admin listener; nil until it listens
}

// The paths of List, and of Forward with the parameters pid and *.
const (
	WorkersPath = "/workers/"
	ForwardPath = WorkersPath + "{pid}/*"
)

// Package admin defines these two: the path of a worker's readiness, and the parameter that leaves addresses out.
const (
	pathReadyz = "/readyz"
	brief      = "brief"
)

const (
	// askEvery limits how much is lost when a worker is killed. askTimeout limits how long a hung worker delays a reply.
	askEvery   = time.Second
	askTimeout = 500 * time.Millisecond

	// silentAfter is how long a busy worker may stay silent before the service counts as not ready.
	silentAfter = 5 * time.Second

	stateServes = "ready"
	maxReason   = 1 << 10  // bytes
	maxHeader   = 64 << 10 // bytes of a worker's response headers
)

// A worker is a Worker with its last answer.
type worker struct {
	Worker
	client http.Client
	asked  atomic.Int64 // how many times it was asked

	seen     int64             // the number of the question that the fields below come from
	snapshot *metrics.Snapshot // not nil; empty before the first answer
	answers  bool
	silent   time.Time // since when it has not answered; zero if it does, or was never asked
}

// New returns a Fleet without workers.
func New(config Config) *Fleet {
	if config.LogDropped == nil {
		config.LogDropped = func() uint64 { return 0 }
	}
	f := &Fleet{config: config, registry: prometheus.NewRegistry(), start: time.Now()}
	f.registry.MustRegister(collector{f}, processCollector{f})
	return f
}

// Watch asks all workers each second until ctx is done.
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

// Put adds a worker. If there is one with the same PID, Put sets its state, and the way to reach it if there was none.
func (f *Fleet) Put(w Worker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.workers, func(known *worker) bool { return known.PID == w.PID })
	switch {
	case i < 0:
		f.workers = append(f.workers, newWorker(w))
	case f.workers[i].Dial == nil:
		f.workers[i] = newWorker(w) // it has not been asked yet
	default:
		f.workers[i].State = w.State
	}
}

// Ask asks a worker for its last numbers, before it ends.
func (f *Fleet) Ask(pid int) {
	if w := f.find(pid); w != nil {
		f.refresh(w)
	}
}

// Remove removes a worker that has ended, and keeps its counts.
func (f *Fleet) Remove(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.workers {
		if w.PID != pid {
			continue
		}
		w.client.CloseIdleConnections()
		f.kept.Add(w.snapshot.Counts())
	}
	f.workers = slices.DeleteFunc(f.workers, func(w *worker) bool { return w.PID == pid })
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
	for _, w := range f.workers {
		if w.PID == pid {
			return w
		}
	}
	return nil
}

func newWorker(of Worker) *worker {
	w := &worker{Worker: of, snapshot: new(metrics.Snapshot)}
	dial := func(context.Context, string, string) (net.Conn, error) {
		if of.Dial == nil {
			return nil, errStarts
		}
		return of.Dial()
	}
	w.client = http.Client{
		Timeout:       askTimeout,
		Transport:     &http.Transport{DialContext: dial, DisableCompression: true, MaxResponseHeaderBytes: maxHeader},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

// ask asks all workers that listen, in parallel.
func (f *Fleet) ask() {
	f.mu.Lock()
	workers := slices.DeleteFunc(slices.Clone(f.workers), func(w *worker) bool { return w.Dial == nil })
	f.mu.Unlock()
	var asked sync.WaitGroup
	for _, w := range workers {
		asked.Go(func() { f.refresh(w) })
	}
	asked.Wait()
}

// refresh asks a worker and keeps its answer, unless a later question was answered first. If it does not answer in time,
// its last numbers stay.
func (f *Fleet) refresh(w *worker) {
	number := w.asked.Add(1)
	snapshot, err := f.snapshotOf(w)
	if err == nil {
		f.config.Answered(w.PID) // without the lock, because the callee may wait for it
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if number < w.seen {
		return
	}
	w.seen, w.answers = number, err == nil
	switch {
	case err == nil:
		w.snapshot, w.silent = snapshot, time.Time{}
	case w.silent.IsZero():
		w.silent = time.Now()
	}
}

// snapshotOf asks w for its Snapshot, and checks it.
func (f *Fleet) snapshotOf(w *worker) (*metrics.Snapshot, error) {
	response, err := w.get(metrics.SnapshotPath)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return f.readAnswer(response.Body)
}

// get sends a request to the worker's admin listener.
func (w *worker) get(path string) (*http.Response, error) {
	return w.client.Get("http://worker" + path)
}

// Gather asks all workers and returns the sums. Metrics that each process has of its own are not added: labels name the
// process.
func (f *Fleet) Gather() ([]*dto.MetricFamily, error) {
	f.ask()
	return f.registry.Gather()
}

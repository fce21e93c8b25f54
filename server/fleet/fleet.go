// Package fleet adds up the metrics of several worker processes, and hands requests on to the admin listener of each.
//
// It must not trust what a worker sends, nor know how workers are started.
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

	"demo-server/server"
	"demo-server/server/metrics"
)

// A Fleet is what several worker processes measure, added up. Create it with New in the process that leads them.
//
// It asks the workers whenever somebody asks it, and once a second: what a worker had counted that was killed since is
// lost, and nothing else. Counts never go down, whichever worker ends.
type Fleet struct {
	config   Config
	registry *prometheus.Registry // of this process
	start    time.Time

	mu       sync.Mutex
	workers  []*worker
	kept     metrics.Snapshot // what workers counted that have ended
	restarts int
}

// A Config is what a Fleet needs to know.
type Config struct {
	Mode   func() string  // the mode that serves
	Source *server.Source // on which all accept

	Modes, Kinds []string // of work: the names that a worker may report

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

// Where to serve List, and Forward with the parameters pid and *.
const (
	WorkersPath = "/workers/"
	ForwardPath = WorkersPath + "{pid}/*"
)

// The path of a worker's readiness, and the parameter that asks for what clients without the token get.
const (
	pathReadyz = "/readyz"
	brief      = "brief"
)

const (
	// askEvery bounds what is lost of a worker that is killed, and askTimeout what one that hangs costs everybody else.
	askEvery   = time.Second
	askTimeout = 500 * time.Millisecond

	// silentAfter is how long a worker may not answer, because it is busy, before that makes the service not ready.
	silentAfter = 5 * time.Second

	stateServes = "ready"
	maxReason   = 1 << 10  // bytes
	maxHeader   = 64 << 10 // bytes of a worker's response headers
)

// A worker is a Worker, and what it said last.
type worker struct {
	Worker
	client http.Client
	asked  atomic.Int64 // how often

	seen     int64             // the number of the asking that snapshot comes from
	snapshot *metrics.Snapshot // not nil; empty before the first answer
	answers  bool
	silent   time.Time // since when it has not answered, zero if it does or has not been asked
}

// New returns a Fleet of no workers.
func New(config Config) *Fleet {
	if config.LogDropped == nil {
		config.LogDropped = func() uint64 { return 0 }
	}
	f := &Fleet{config: config, registry: prometheus.NewRegistry(), start: time.Now()}
	f.registry.MustRegister(collector{f}, processCollector{f})
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
	i := slices.IndexFunc(f.workers, func(known *worker) bool { return known.PID == w.PID })
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
	if w := f.find(pid); w != nil {
		f.refresh(w)
	}
}

// Remove takes out a worker that has ended, and keeps what it counted.
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

// ask asks all workers at the same time, those excepted that have nothing to tell yet.
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

// refresh asks a worker, and keeps its answer, unless one to a later question was faster. Of one that does not answer
// in time, the last figures stay.
func (f *Fleet) refresh(w *worker) {
	number := w.asked.Add(1)
	snapshot, err := f.snapshotOf(w)
	if err == nil {
		f.config.Answered(w.PID) // without the lock, for which whoever is told may wait
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

// snapshotOf gets the worker's Snapshot.
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

// get asks the worker's own Server.
func (w *worker) get(path string) (*http.Response, error) {
	return w.client.Get("http://worker" + path)
}

// Gather asks all workers, and adds up what they say. What each process has of its own is told apart by labels.
func (f *Fleet) Gather() ([]*dto.MetricFamily, error) {
	f.ask()
	return f.registry.Gather()
}

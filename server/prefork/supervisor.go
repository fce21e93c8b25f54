// Package prefork is the supervisor of several worker processes that accept on one socket: it starts them, replaces
// those that die, exchanges them one by one where the plan changes, and drains them.
//
// It has a plan and the workers that there are. Whatever happens, a signal, a death, a new plan, changes the one or
// the other, and reconcile takes the next step from what is to what should be.
//
// The package must not know what workers serve, settings, HTTP, logs or signals: a worker is a command that speaks the
// protocol of control.go, and its brief is anything.
package prefork

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"time"

	"demo-server/server/listener"
)

// A Plan is what should be. Apply changes it.
type Plan struct {
	Processes    int           // how many workers serve, at least 1
	WorkerConfig any           // what each is told at first, as JSON
	StartTimeout time.Duration // how long each may take to be ready
	LameDuck     time.Duration // how long to go on as before, but not ready, once told to stop
	DrainTimeout time.Duration // how long workers let requests take that they have when they drain

	// WorkerTimeout is how long a worker that has been ready may neither answer (see Answered) nor use CPU time; 0 for
	// ever. It is killed then.
	WorkerTimeout time.Duration
}

// A Config is what a Supervisor needs to know, and what does not change.
type Config struct {
	Source       *listener.Source // its owner is the caller
	SocketShared bool             // the socket outlives this service: nobody may be kept out of it
	Command      func() *exec.Cmd // makes a worker's command, without ExtraFiles
	MaxWorkers   int              // workers that Add makes at most
	Observe      func(Event)      // is told of each event in order, and must not call the Supervisor
}

// endGrace is how long a worker may take to end, beyond the time to drain.
var endGrace = 10 * time.Second

// An generation is a plan with an identity: a worker of another edition than the current one is outdated.
type generation struct{ Plan }

// A Supervisor keeps as many workers as planned. Create it with New and call Run once. Its methods may be called from
// any goroutine.
type Supervisor struct {
	config  Config
	socket  *os.File
	up      chan struct{}  // closed when all are ready for the first time
	failed  chan error     // why the first ones cannot be
	running sync.WaitGroup // one for each worker process

	mu       sync.Mutex
	phase    phase
	current  *generation
	previous *generation // nil once a worker of the current one is ready
	workers  []*worker   // in the order of their start
	vacant   []*place    // of workers that died, until others take them
	settled  bool
	lost     []error // why workers died in the last drain
}

type phase int

const (
	starting phase = iota
	serving
	lameDuck
	draining
)

// Supported returns an error that says why this system cannot run workers, or nil.
func Supported() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("worker processes need Linux, and this is %s", runtime.GOOS)
	}
	return nil
}

// New returns a Supervisor that has started nothing yet.
func New(config Config, plan Plan) (*Supervisor, error) {
	if err := Supported(); err != nil {
		return nil, err
	}
	socket, err := config.Source.File()
	if err != nil {
		return nil, err
	}
	return &Supervisor{
		config: config, socket: socket, current: &generation{plan}, up: make(chan struct{}), failed: make(chan error, 1),
	}, nil
}

// Run serves until stop is done and all workers have drained. It calls ready once all of them are. Where one of the
// first cannot be, the others are killed, and its error is returned; so is that of a worker that died while it drained.
func (s *Supervisor) Run(stop context.Context, ready func()) error {
	defer s.socket.Close()
	watching, unwatch := context.WithCancel(context.Background())
	var watcher sync.WaitGroup
	watcher.Go(func() { s.watch(watching) })
	defer watcher.Wait()
	defer unwatch()
	defer s.running.Wait()
	s.update(func() {})
	select {
	case <-s.up:
		ready()
		<-stop.Done()
	case err := <-s.failed:
		s.Kill()
		return err
	case <-stop.Done():
	}
	s.update(func() { s.phase = lameDuck })
	time.Sleep(s.Plan().LameDuck)
	s.drain()
	s.running.Wait()
	return errors.Join(s.lost...)
}

// drain tells all workers to stop, those as well that are not ready: they may have accepted a connection all the same.
// New connections are kept out first, so that the accept queue can become empty.
func (s *Supervisor) drain() {
	order := Stop
	if s.config.SocketShared || s.config.Source.DropNew() != nil {
		order = Retire
	}
	s.update(func() {
		s.phase = draining
		for _, w := range s.workers {
			if w.State != Draining {
				s.send(w, order)
			}
		}
	})
}

// Kill ends all workers at once, and the Supervisor with them.
func (s *Supervisor) Kill() {
	s.update(func() {
		s.phase = draining
		for _, w := range s.workers {
			w.dismiss()
		}
	})
}

// Apply makes plan the one in force. Workers are exchanged one by one, the old one for a new one that is ready.
func (s *Supervisor) Apply(plan Plan) {
	s.update(func() {
		if s.previous == nil {
			s.previous = s.current
		}
		s.current = &generation{plan}
		s.vacant = nil // what they failed of may be what the plan was changed for
	})
}

// Add changes the number of workers by n, which may be negative. Where that would be none, or more than the most, it
// changes nothing. It returns how many there should be.
func (s *Supervisor) Add(n int) (processes int, changed bool) {
	s.update(func() {
		processes = s.current.Processes
		if changed = processes+n >= 1 && processes+n <= s.config.MaxWorkers; changed {
			s.current.Processes += n
			processes = s.current.Processes
			if s.previous != nil { // which is in force again if no worker can live by the current one
				s.previous.Processes = min(max(s.previous.Processes+n, 1), s.config.MaxWorkers)
			}
		}
	})
	return processes, changed
}

// Plan is what should be.
func (s *Supervisor) Plan() Plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Plan
}

// Workers are those that there are, in the order of their start.
func (s *Supervisor) Workers() (workers []Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workers {
		workers = append(workers, w.Worker)
	}
	return workers
}

// Ready reports whether as many workers as planned serve, and in one line why not.
func (s *Supervisor) Ready() (ready bool, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch n := s.count(Ready); {
	case s.phase == lameDuck:
		return false, "lame duck: stopping soon"
	case s.phase == draining:
		return false, "draining"
	case n < s.current.Processes:
		return false, fmt.Sprintf("%d of %d worker processes are ready", n, s.current.Processes)
	}
	return true, ""
}

// update changes something, and takes the steps that follow from it.
func (s *Supervisor) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.reconcile()
}

// reconcile takes the next steps to what is planned; later events lead to those that follow. The caller holds the lock.
func (s *Supervisor) reconcile() {
	if s.phase == draining {
		return
	}
	for _, w := range s.workers {
		// What it waits for may be what the plan was changed for.
		if w.State == Starting && s.outdated(w) && s.phase <= serving {
			s.retire(w)
		}
	}
	for s.count(Ready) > s.current.Processes {
		s.retire(s.dispensable())
	}
	for p := s.due(); p != nil && s.phase != draining; p = s.due() {
		s.start(p)
	}
	s.checkSettled()
}

// due takes out a place in which a worker has to be started now, or returns nil: a new place, or a vacant one whose pause
// is over.
func (s *Supervisor) due() *place {
	missing := max(0, s.wanted()-s.count(Starting)-s.count(Ready))
	s.vacant = s.vacant[:min(len(s.vacant), missing)] // the plan may have become smaller
	if missing > len(s.vacant) {
		return &place{}
	}
	now := time.Now()
	for i, p := range s.vacant {
		if !now.Before(p.next) {
			s.vacant = slices.Delete(s.vacant, i, i+1)
			return p
		}
	}
	return nil
}

// wanted is how many workers there should be now: one more than planned takes the place of an outdated one.
func (s *Supervisor) wanted() int {
	if s.phase <= serving && slices.ContainsFunc(s.workers, s.outdated) {
		return s.current.Processes + 1
	}
	return s.current.Processes
}

func (s *Supervisor) outdated(w *worker) bool {
	return w.generation != s.current && w.State != Draining
}

// dispensable is the ready worker that has to go first: an outdated one, else the oldest.
func (s *Supervisor) dispensable() (first *worker) {
	for _, w := range s.workers {
		if w.State == Ready && (first == nil || s.outdated(w) && !s.outdated(first)) {
			first = w
		}
	}
	return first
}

func (s *Supervisor) count(state State) (n int) {
	for _, w := range s.workers {
		if w.State == state {
			n++
		}
	}
	return n
}

// checkSettled tells when everything has become as planned.
func (s *Supervisor) checkSettled() {
	settled := s.count(Ready) == s.current.Processes && s.count(Starting) == 0 && !slices.ContainsFunc(s.workers, s.outdated)
	switch {
	case settled && s.phase == starting:
		s.phase = serving
		close(s.up)
	case settled && !s.settled && s.phase == serving:
		s.config.Observe(Event{Type: ReloadDone})
	}
	s.settled = settled
}

// start starts a worker in a place.
func (s *Supervisor) start(p *place) {
	w, err := launch(s.config.Command(), s.socket, s.current, p)
	if err != nil {
		s.crashed(&worker{Worker: Worker{Started: time.Now()}, generation: s.current, place: p}, err)
		return
	}
	s.workers = append(s.workers, w)
	s.killAfter(s.current.StartTimeout, w, "was not ready", &w.ready)
	s.config.Observe(Event{Type: Started, Worker: w.Worker})
	s.running.Go(w.sendMessages)
	s.running.Go(func() { s.follow(w) })
}

// follow hears what a worker reports, until its process has ended.
func (s *Supervisor) follow(w *worker) {
	if err := w.readReports(func(r report) { s.handleReport(w, r) }); err != nil {
		s.update(func() { w.kill(err) })
	}
	err := w.command.Wait()
	s.update(func() { s.exited(w, err) })
}

// killAfter kills the worker if it has not done what it should after a time. done is read with the lock held.
func (s *Supervisor) killAfter(d time.Duration, w *worker, failure string, done *bool) {
	time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !w.ended && !*done {
			w.kill(fmt.Errorf("%s after %s", failure, d))
		}
	})
}

func (s *Supervisor) retire(w *worker) {
	s.send(w, Retire)
	s.config.Observe(Event{Type: WorkerDraining, Worker: w.Worker})
}

func (s *Supervisor) send(w *worker, order Order) {
	w.order(order)
	s.killAfter(s.current.DrainTimeout+endGrace, w, "had not ended", &w.ended)
}

// handleReport takes a worker's report.
func (s *Supervisor) handleReport(w *worker, r report) {
	switch r.Type {
	case reportReady:
		s.update(func() { s.becameReady(w) })
	case reportFailed:
		s.update(func() { w.failure = errors.New(r.Error) })
	case reportDrained:
		s.letGo(w)
	}
}

// letGo lets a worker end, after whoever wants its last figures.
func (s *Supervisor) letGo(w *worker) {
	s.mu.Lock()
	last := w.Worker
	s.mu.Unlock()
	if last.State == Draining {
		s.config.Observe(Event{Type: WorkerDrained, Worker: last}) // without the lock: it may take a while
		s.update(w.letGo)
	}
}

func (s *Supervisor) becameReady(w *worker) {
	w.ready = true
	if w.State != Starting {
		return // it was told to stop meanwhile
	}
	w.State, w.since = Ready, time.Now()
	if w.generation == s.current {
		s.previous = nil
	}
	s.config.Observe(Event{Type: WorkerReady, Worker: w.Worker})
}

// exited draws the conclusions from the end of a worker's process.
func (s *Supervisor) exited(w *worker, err error) {
	w.ended = true
	w.forget()
	s.workers = slices.DeleteFunc(s.workers, func(other *worker) bool { return other == w })
	switch {
	case w.dismissed, w.drained && err == nil:
		s.config.Observe(Event{Type: Exited, Worker: w.Worker})
	case w.State == Draining:
		if s.phase == draining {
			s.lost = append(s.lost, fmt.Errorf("worker %d: %w", w.PID, w.cause(err)))
		}
		s.config.Observe(Event{Type: DiedDraining, Worker: w.Worker, Err: w.cause(err)})
	default:
		s.crashed(w, w.cause(err))
	}
}

// crashed is for a worker that was to serve.
func (s *Supervisor) crashed(w *worker, err error) {
	switch {
	case w.State != Ready && s.phase == starting:
		s.fail(err)
	case w.State != Ready && s.previous != nil && w.generation == s.current:
		s.current, s.previous = s.previous, nil
		s.config.Observe(Event{Type: ReloadRejected, Worker: w.Worker, Err: err})
	default:
		pause := w.place.vacate(w.served(), time.Now())
		s.vacant = append(s.vacant, w.place)
		time.AfterFunc(pause, func() { s.update(func() {}) })
		s.config.Observe(Event{Type: Crashed, Worker: w.Worker, Err: err, Pause: pause})
	}
}

// fail ends the start, for the first reason that there is.
func (s *Supervisor) fail(err error) {
	select {
	case s.failed <- err:
		s.phase = draining
	default:
	}
}

// Package prefork supervises several worker processes that accept on one socket. It starts them, replaces workers that
// die, replaces them one by one if the plan changes, and drains them.
//
// The supervisor has a plan and a list of workers. Signals, deaths and new plans change the one or the other, and
// reconcile then takes the next step from the list to the plan.
//
// The package must not know settings, HTTP, logs, signals, or how workers serve. A worker is a command that speaks the
// protocol of control.go, and its configuration is opaque.
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

// A Plan says which workers there should be. Apply changes it.
type Plan struct {
	Processes    int           // number of workers, at least 1
	WorkerConfig any           // sent to each worker at its start, as JSON
	StartTimeout time.Duration // how long a worker may take to be ready
	LameDuck     time.Duration // how long to serve as before, but without being ready, after the stop
	DrainTimeout time.Duration // how long requests may take while workers drain

	// WorkerTimeout is how long a ready worker may neither answer (see Answered) nor use CPU time, before it is killed;
	// 0 for ever.
	WorkerTimeout time.Duration
}

// A Config holds the fixed configuration of a Supervisor.
type Config struct {
	Source       *listener.Source // owned by the caller
	SocketShared bool             // the socket outlives this service, so new connections must not be dropped
	Command      func() *exec.Cmd // returns a worker's command, without ExtraFiles
	MaxWorkers   int              // the limit for Add
	Observe      func(Event)      // receives each event in order; must not call the Supervisor
}

// endGrace is how long a worker may take to exit, in addition to the time to drain.
var endGrace = 10 * time.Second

// A generation is a plan with an identity. Workers of another generation than the current one are outdated.
type generation struct{ Plan }

// A Supervisor keeps as many workers as planned. Create it with New, and call Run once. Its methods may be called from
// any goroutine.
type Supervisor struct {
	config  Config
	socket  *os.File
	up      chan struct{}  // closed once all workers are ready for the first time
	failed  chan error     // why one of the first workers failed
	running sync.WaitGroup // one for each worker process

	mu       sync.Mutex
	phase    phase
	current  *generation
	previous *generation // nil once a worker of the current one is ready
	workers  []*worker   // in the order of their start
	vacant   []*place    // of dead workers, until they are replaced
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

// Supported returns an error if this system cannot run workers.
func Supported() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("worker processes need Linux, and this is %s", runtime.GOOS)
	}
	return nil
}

// New returns a Supervisor without workers.
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

// Run serves until stop is done and all workers have drained. It calls ready once all workers are ready. If one of the
// first workers fails, Run kills the others and returns the error. It also returns the errors of workers that died
// while draining.
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

// drain stops all workers, including those that are not ready, because they may have accepted a connection. It drops
// new connections first, to let the accept queue become empty.
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

// Kill kills all workers, and ends the Supervisor.
func (s *Supervisor) Kill() {
	s.update(func() {
		s.phase = draining
		for _, w := range s.workers {
			w.dismiss()
		}
	})
}

// Apply puts plan in force. Workers are replaced one by one, each once its replacement is ready.
func (s *Supervisor) Apply(plan Plan) {
	s.update(func() {
		if s.previous == nil {
			s.previous = s.current
		}
		s.current = &generation{plan}
		s.vacant = nil // the plan may remove the cause of their failures
	})
}

// Add adds n, which may be negative, to the number of workers. If the result would be below 1 or above MaxWorkers, it
// changes nothing. It returns the planned number.
func (s *Supervisor) Add(n int) (processes int, changed bool) {
	s.update(func() {
		processes = s.current.Processes
		if changed = processes+n >= 1 && processes+n <= s.config.MaxWorkers; changed {
			s.current.Processes += n
			processes = s.current.Processes
			if s.previous != nil { // it is in force again if workers of the current plan fail
				s.previous.Processes = min(max(s.previous.Processes+n, 1), s.config.MaxWorkers)
			}
		}
	})
	return processes, changed
}

// Plan returns the current plan.
func (s *Supervisor) Plan() Plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Plan
}

// Workers returns the workers, in the order of their start.
func (s *Supervisor) Workers() (workers []Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.workers {
		workers = append(workers, w.Worker)
	}
	return workers
}

// Ready reports whether as many workers as planned are ready. If not, reason says why, in one line.
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

// update changes something and calls reconcile.
func (s *Supervisor) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.reconcile()
}

// reconcile takes the next steps towards the plan. Further steps follow later events. The caller holds the lock.
func (s *Supervisor) reconcile() {
	if s.phase == draining {
		return
	}
	for _, w := range s.workers {
		// The plan may remove the reason for which it is not ready.
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

// due removes and returns a place in which a worker has to start now: a new place, or a vacant one after its pause. It
// returns nil if there is none.
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

// wanted returns how many workers there should be now. While workers are outdated, it is one more than planned.
func (s *Supervisor) wanted() int {
	if s.phase <= serving && slices.ContainsFunc(s.workers, s.outdated) {
		return s.current.Processes + 1
	}
	return s.current.Processes
}

func (s *Supervisor) outdated(w *worker) bool {
	return w.generation != s.current && w.State != Draining
}

// dispensable returns the ready worker to stop first: an outdated one, otherwise the oldest.
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

// checkSettled reports once everything is as planned.
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

// follow handles a worker's reports until its process has exited.
func (s *Supervisor) follow(w *worker) {
	if err := w.readReports(func(r report) { s.handleReport(w, r) }); err != nil {
		s.update(func() { w.kill(err) })
	}
	err := w.command.Wait()
	s.update(func() { s.exited(w, err) })
}

// killAfter kills the worker after d, unless done is true or it has exited by then. done is read with the lock held.
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

// handleReport handles a worker's report.
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

// letGo lets a drained worker exit, after Observe has read its last figures.
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
		return // it was told to stop before it was ready
	}
	w.State, w.since = Ready, time.Now()
	if w.generation == s.current {
		s.previous = nil
	}
	s.config.Observe(Event{Type: WorkerReady, Worker: w.Worker})
}

// exited handles the exit of a worker's process.
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

// crashed handles the death of a worker that was to serve.
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

// fail ends the start with the first error.
func (s *Supervisor) fail(err error) {
	select {
	case s.failed <- err:
		s.phase = draining
	default:
	}
}

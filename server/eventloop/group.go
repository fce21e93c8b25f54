// Package eventloop serves connections on event loops.
package eventloop

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"demo-server/server"
	"demo-server/server/http1"
	"demo-server/server/listener"
	"demo-server/work"
)

// EventLoop serves src for app on n event loops until ctx is done and every connection has closed. A loop is a goroutine
// that reads, parses, waits and writes for all its connections; none of them has a goroutine, and a request that blocks
// is a record of a few hundred bytes.
//
// schedule is told of each job that may run: with Task.Sleep, Task.Detach or Task.Block it decides who waits for the work.
// It must not block.
func EventLoop(ctx context.Context, src *listener.Source, app *server.App, n int, schedule func(Task)) error {
	own, err := src.Listener()
	if err != nil {
		return err
	}
	defer own.Close()
	s := newLoops(app, schedule)
	if err := s.open(n, own); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		if _, ok := own.(syscall.Conn); !ok {
			own.Close() // in memory, which is how accepting ends there
		}
		s.stop()
	})
	defer stop()
	s.run()
	return nil
}

// loops are the event loops of one run of a mode, and what they share: the limit on connections and the moment to end.
type loops struct {
	app      *server.App
	limits   server.Limits
	timeouts http1.Timeouts
	schedule func(Task)
	all      []*loop

	connections atomic.Int64
	accepting   atomic.Int64 // loops that may still accept, and hand a connection to another one
	stopping    atomic.Bool  // stop was called
	expired     atomic.Bool  // the drain deadline has passed
	cuts        atomic.Int32 // how many killGraces ago
	detached    atomic.Int64 // jobs that others work on
}

func newLoops(app *server.App, schedule func(Task)) *loops {
	limits := app.Limits()
	return &loops{app: app, limits: limits, timeouts: http1.NewTimeouts(&limits), schedule: schedule}
}

// open makes n loops that accept from listener.
func (s *loops) open(n int, own net.Listener) error {
	pipes := &pipes{}
	for range n {
		poller, err := s.poller(own, pipes)
		if err != nil {
			s.free()
			return err
		}
		s.all = append(s.all, newLoop(s, poller))
	}
	s.accepting.Store(int64(n))
	for _, l := range s.all {
		if err := l.listen(true); err != nil {
			s.free()
			return err
		}
	}
	return nil
}

func (s *loops) poller(own net.Listener, pipes *pipes) (poller, error) {
	if _, ok := own.(syscall.Conn); ok {
		return newEpoll(s.app, own)
	}
	return newMemory(s.app, own, pipes), nil
}

func (s *loops) free() {
	for _, l := range s.all {
		l.poller.free()
	}
}

// run serves until all loops have ended.
func (s *loops) run() {
	var running sync.WaitGroup
	for _, l := range s.all {
		running.Go(l.run)
	}
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { s.expire(done) })
	running.Wait()
	close(done)
	watching.Wait()
	s.free()
}

// stop makes the loops accept no more, and end when all is done.
func (s *loops) stop() {
	s.app.Announce()
	s.stopping.Store(true)
	s.wake()
}

func (s *loops) wake() {
	for _, l := range s.all {
		l.poller.wake()
	}
}

// expire waits for the drain deadline: what is queued or runs then ends with 503, and what is still open killGrace
// later is cut, and again what has been accepted since.
func (s *loops) expire(done chan struct{}) {
	select {
	case <-s.app.Expired():
	case <-done:
		return
	}
	s.expired.Store(true)
	for _, l := range s.all {
		l.abortBlocked()
	}
	s.wake()
	for http1.Wait(http1.KillGrace, done) {
		s.cuts.Add(1)
		s.wake()
	}
}

// enter counts a connection, unless there are as many as there may be.
func (s *loops) enter() bool {
	if s.connections.Add(1) <= int64(s.limits.MaxConnections) {
		return true
	}
	s.connections.Add(-1)
	return false
}

// leave gives a connection's place back. Loops that found none look again.
func (s *loops) leave() {
	s.connections.Add(-1)
	for _, l := range s.all {
		if l.full.Load() {
			l.poller.wake()
		}
	}
}

// spread is how many more connections than another a loop may have before it hands new ones over: to hand one over
// costs waking that loop.
const spread = 4

// host chooses the loop that a connection lives on, which one of them has accepted: that one, unless another has far
// fewer.
func (s *loops) host(accepted *loop) *loop {
	least := accepted
	for _, l := range s.all {
		if l.count.Load() < least.count.Load() {
			least = l
		}
	}
	if accepted.count.Load() < least.count.Load()+spread {
		return accepted
	}
	return least
}

// A Task is a job on an event loop that may run now. One of its methods is called once.
type Task struct{ session *session }

// Sleep ends the job when the work's delay is over, by a timer of the loop's. It is for work that holds nothing.
func (t Task) Sleep() {
	t.session.loop.sleep(t.session)
}

// Holds is what the job's work holds while it waits.
func (t Task) Holds() work.Resource { return t.session.job.Holds() }

// Detach makes the job one to be done beside the loop. It is called by schedule itself.
func (t Task) Detach() Errand {
	t.session.loop.loops.detached.Add(1)
	return Errand{t.session.loop.loops, &t.session.job}
}

// Block does the work on the loop itself, which stands still meanwhile. It is called by schedule itself.
func (t Task) Block() {
	t.session.loop.blocks = true
	t.session.loop.standStill(&t.session.job, t.session.job.Run)
}

// An Errand is a job that is done beside its loop. Run is called once.
type Errand struct {
	loops *loops
	job   *server.Job
}

// Run does the work on the calling goroutine, and leaves the reply to the loop.
func (e Errand) Run() {
	e.job.Run()
	e.loops.detached.Add(-1)
}

package eventloop

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"demo-server/server"
	"demo-server/server/http1"
	"demo-server/server/listener"
	"demo-server/work"
)

// Serve serves src for app on n event loops, until ctx is done and every connection has closed. A loop is a goroutine
// that reads, parses, waits and writes for all its connections. Connections have no goroutines, and a blocked request
// is a record of a few hundred bytes.
//
// Serve calls schedule for each job that may run. schedule must not block. It calls Runnable.Sleep, Runnable.Offload or
// Runnable.RunInline to decide who waits for the work.
func Serve(ctx context.Context, src *listener.Source, app *server.App, n int, schedule func(Runnable)) error {
	own, err := src.Listener()
	if err != nil {
		return err
	}
	defer own.Close()
	g := newGroup(app, schedule)
	if err := g.open(n, own); err != nil {
		return err
	}
	app.Accepting()
	stop := context.AfterFunc(ctx, func() {
		if _, ok := own.(Pollable); ok {
			own.Close() // such a poller accepts in the background
		}
		g.stop()
	})
	defer stop()
	g.run()
	return nil
}

// A group holds the event loops of one run of a mode, and the state that they share: the limit on connections, and the
// shutdown.
type group struct {
	app      *server.App
	limits   server.Limits
	timeouts http1.Timeouts
	schedule func(Runnable)
	loops    []*loop

	connections atomic.Int64
	accepting   atomic.Int64 // loops that may still accept, and pass a connection to another loop
	stopping    atomic.Bool  // stop was called
	expired     atomic.Bool  // the drain deadline has passed
	cuts        atomic.Int32 // how many KillGraces ago
	offloaded   atomic.Int64 // jobs that run outside the loops
}

func newGroup(app *server.App, schedule func(Runnable)) *group {
	app.Schedule(jobScheduled)
	app.OnJobEnd(jobEnded)
	limits := app.Limits()
	return &group{app: app, limits: limits, timeouts: http1.NewTimeouts(&limits), schedule: schedule}
}

// open makes n loops that accept from own.
func (g *group) open(n int, own net.Listener) error {
	for range n {
		p, err := newPoller(own, g.app.Now)
		if err != nil {
			g.free()
			return err
		}
		g.loops = append(g.loops, newLoop(g, p))
	}
	g.accepting.Store(int64(n))
	for _, l := range g.loops {
		if err := l.listen(true); err != nil {
			g.free()
			return err
		}
	}
	return nil
}

// newPoller returns a poller that accepts from own. now is the clock of its stamps.
func newPoller(own net.Listener, now func() time.Duration) (Poller, error) {
	switch own := own.(type) {
	case Pollable:
		return own.NewPoller(now)
	case *net.TCPListener:
		return newEpoll(own, now)
	}
	return nil, fmt.Errorf("event loops cannot poll a %T", own)
}

func (g *group) free() {
	for _, l := range g.loops {
		l.poller.Free()
	}
}

// run serves until all loops have ended.
func (g *group) run() {
	var running sync.WaitGroup
	for _, l := range g.loops {
		running.Go(l.run)
	}
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { g.expire(done) })
	running.Wait()
	close(done)
	watching.Wait()
	g.free()
}

// stop makes the loops stop accepting, and end when all connections have closed.
func (g *group) stop() {
	g.app.AnnounceClose()
	g.stopping.Store(true)
	g.wake()
}

func (g *group) wake() {
	for _, l := range g.loops {
		l.poller.Wake()
	}
}

// expire waits for the drain deadline. Jobs that are queued or running then end with 503. Every KillGrace from then on,
// it cuts the connections that are still open.
func (g *group) expire(done chan struct{}) {
	select {
	case <-g.app.DrainExpired():
	case <-done:
		return
	}
	g.expired.Store(true)
	for _, l := range g.loops {
		l.abortBlocking()
	}
	g.wake()
	for http1.Wait(http1.KillGrace, done) {
		g.cuts.Add(1)
		g.wake()
	}
}

// takePlace counts a connection and returns true, unless the limit is reached.
func (g *group) takePlace() bool {
	if g.connections.Add(1) <= int64(g.limits.MaxConnections) {
		return true
	}
	g.connections.Add(-1)
	return false
}

// freePlace releases a connection's place, and wakes the loops that wait for one.
func (g *group) freePlace() {
	g.connections.Add(-1)
	for _, l := range g.loops {
		if l.full.Load() {
			l.poller.Wake()
		}
	}
}

// rebalanceAbove is how many more connections a loop may have than another before it passes new ones on. Passing a
// connection on costs a wake-up.
const rebalanceAbove = 4

// pickLoop returns the loop for a connection that accepted has accepted: accepted itself, unless another loop has far
// fewer connections.
func (g *group) pickLoop(accepted *loop) *loop {
	fewest := accepted
	for _, l := range g.loops {
		if l.count.Load() < fewest.count.Load() {
			fewest = l
		}
	}
	if accepted.count.Load() < fewest.count.Load()+rebalanceAbove {
		return accepted
	}
	return fewest
}

// A Runnable is a job on an event loop that may run now. Call exactly one of Sleep, Offload and RunInline.
type Runnable struct{ conn *conn }

// Sleep ends the job after its delay, by a timer of the loop. It is for work that holds nothing.
func (r Runnable) Sleep() {
	r.conn.loop.sleep(r.conn)
}

// Holds returns the resource that the job's work holds while it waits.
func (r Runnable) Holds() work.Resource { return r.conn.job.Holds() }

// Offload returns the job to be run outside the loop. Only schedule may call it.
func (r Runnable) Offload() Offloaded {
	r.conn.loop.group.offloaded.Add(1)
	return Offloaded{r.conn.loop.group, &r.conn.job}
}

// RunInline runs the work on the loop itself, which blocks until it ends. Only schedule may call it.
func (r Runnable) RunInline() {
	r.conn.loop.inline = true
	r.conn.loop.runBlocking(&r.conn.job, r.conn.job.Run)
}

// An Offloaded is a job to be run outside its loop. Call Run once.
type Offloaded struct {
	group *group
	job   *server.Job
}

// Run runs the work on the calling goroutine. The loop writes the reply.
func (o Offloaded) Run() {
	o.job.Run()
	o.group.offloaded.Add(-1)
}

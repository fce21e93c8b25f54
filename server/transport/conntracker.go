// Package transport serves HTTP on goroutines: with net/http behind chi, with fasthttp, or on one blocking connection.
// Each reads requests, admits jobs, and writes replies.
//
// The limits on connections (their number, timeouts, and disconnects) are enforced here once for all of them. The
// package must not know which mode it serves, and does not decide when or where a job runs.
package transport

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"demo-server/server"
	"demo-server/server/http1"
	"demo-server/server/listener"
)

// A connTracker tracks the connections of one run of a mode. It is a net.Listener for a server library. It accepts at
// most Limits.MaxConnections at a time, gives each a job, watches for disconnects, and enforces timeouts.
type connTracker struct {
	net.Listener
	app      *server.App
	limits   server.Limits
	timeouts http1.Timeouts
	slots    chan struct{}
	watcher  *watcher // nil if disconnects cannot be seen

	mu      sync.Mutex
	entries []entry
	free    []int32
	open    int
	empty   *sync.Cond // signalled when open becomes 0

	stop      func() bool // stops waiting for ctx
	stopped   chan struct{}
	done      sync.WaitGroup
	clock     atomic.Int64  // the time for timeouts, as of the sweeper's last round: see tick
	ticked    time.Duration // the App's stamp of that round; the sweeper owns it
	round     int32         // the number of that round; the sweeper owns it
	ahead     *readAhead    // the sweeper owns it
	drainFrom time.Duration // the stamp at which closing was announced; the sweeper owns it
}

// An entry holds a connection. Its generation distinguishes the connection from earlier ones in the same entry, because
// events may be late.
type entry struct {
	conn       *conn
	generation uint32
}

// newConnTracker starts to accept from src for app, until ctx is done. The caller calls Accept until it returns
// net.ErrClosed, and then drain.
func newConnTracker(ctx context.Context, src *listener.Source, app *server.App) (*connTracker, error) {
	own, err := src.Listener()
	if err != nil {
		return nil, err
	}
	watching, err := newWatcher(own, app)
	if err != nil {
		own.Close()
		return nil, err
	}
	limits := app.Limits()
	t := &connTracker{
		Listener: own, app: app, limits: limits, timeouts: http1.NewTimeouts(&limits), watcher: watching,
		slots: make(chan struct{}, limits.MaxConnections), stopped: make(chan struct{}),
		ahead: newReadAhead(),
	}
	t.empty = sync.NewCond(&t.mu)
	t.ticked = app.Now()
	t.clock.Store(int64(t.ticked)) // the app may be older than the first connection's timeouts
	t.stop = context.AfterFunc(ctx, func() {
		app.AnnounceClose()
		own.Close()
	})
	t.done.Go(t.sweep)
	t.done.Go(t.expire)
	if watching != nil {
		t.done.Go(func() { watching.run(t) })
	}
	return t, nil
}

// Accept waits for a free slot and then for a connection. Connections above the limit wait in the kernel's queue, where
// they cost no descriptor.
func (t *connTracker) Accept() (net.Conn, error) {
	t.slots <- struct{}{}
	raw, err := listener.Accept(t.Listener)
	if err != nil {
		<-t.slots
		return nil, err
	}
	c := &conn{Conn: raw, tracker: t, backlog: -1, raw: rawConn(raw)}
	c.job.Owner = c
	c.job.Init(t.app)
	c.setState(http1.StateNew, t.coarseNow())
	c.requested.Store(int64(t.coarseNow()))
	t.register(c)
	c.watched = t.watcher.add(c)
	t.app.ConnectionOpened()
	return c, nil
}

func (t *connTracker) register(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.free) == 0 {
		t.entries = append(t.entries, entry{})
		t.free = append(t.free, int32(len(t.entries)-1))
	}
	last := len(t.free) - 1
	c.index = t.free[last]
	t.free = t.free[:last]
	t.entries[c.index].conn = c
	c.generation = t.entries[c.index].generation
	t.open++
}

func (t *connTracker) unregister(c *conn, cause server.CloseCause) {
	t.mu.Lock()
	t.entries[c.index] = entry{generation: c.generation + 1}
	t.free = append(t.free, c.index)
	t.open--
	if t.open == 0 {
		t.empty.Broadcast()
	}
	t.mu.Unlock()
	t.app.CountClose(cause)
	t.app.ConnectionClosed()
	<-t.slots
}

// find returns the connection of an event, or nil if it has closed since.
func (t *connTracker) find(index int32, generation uint32) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int(index) >= len(t.entries) || t.entries[index].generation != generation {
		return nil
	}
	return t.entries[index].conn
}

// all appends the open connections to list.
func (t *connTracker) all(list []*conn) []*conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.entries {
		if e.conn != nil {
			list = append(list, e.conn)
		}
	}
	return list
}

// expire waits for the drain deadline. Jobs that are queued or running then end with 503. After KillGrace it cuts the
// connections that are still open.
func (t *connTracker) expire() {
	select {
	case <-t.app.DrainExpired():
	case <-t.stopped:
		return
	}
	for _, c := range t.all(nil) {
		c.job.Abort()
	}
	for http1.Wait(http1.KillGrace, t.stopped) {
		for _, c := range t.all(nil) {
			c.interrupt(server.CloseDrain)
		}
	}
}

// rawConn returns the syscall.RawConn of c, or nil if it has none.
func rawConn(c net.Conn) syscall.RawConn {
	sys, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// drain waits until every connection has closed, and for everything that newConnTracker started. Accept has returned
// net.ErrClosed by then.
func (t *connTracker) drain() {
	t.mu.Lock()
	for t.open > 0 {
		t.empty.Wait()
	}
	t.mu.Unlock()
	t.stop()
	close(t.stopped)
	t.watcher.close()
	t.done.Wait()
	t.Listener.Close()
}

// ignoreClosed returns nil if err means that the listener was closed, which is the normal end here.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

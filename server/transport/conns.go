// Package transport is the only code that knows bytes: it reads requests and writes replies for whatever mode hands it
// a schedule, with net/http behind chi, with fasthttp, or on one blocking connection.
//
// It keeps the bounds on connections (their number, their timeouts, their clients' leaving) once for all of these. It
// must not know which mode it serves, nor decide when or where a job runs.
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

// conns are the connections of one run of a mode. It is a net.Listener, so that a server library can accept from it:
// at most Limits.MaxConnections at a time, each with its own job, its client watched and its timeouts swept.
type conns struct {
	net.Listener
	app      *server.App
	limits   server.Limits
	timeouts http1.Timeouts
	slots    chan struct{}
	watcher  *watcher // nil where no client's leaving can be seen

	mu    sync.Mutex
	seats []seat
	free  []int32
	open  int
	empty *sync.Cond // open may have become 0

	stop      func() bool // of the wait for ctx
	stopped   chan struct{}
	done      sync.WaitGroup
	clock     atomic.Int64  // the time that timeouts go by, at the sweeper's last look: see tick
	ticked    time.Duration // the App's stamp of that look; the sweeper's own
	round     int32         // how many looks that was; the sweeper's own
	ahead     *ahead        // the sweeper's own
	drainFrom time.Duration // stamp since when closing is announced; the sweeper's own
}

// A seat is a connection's place in the table. Its generation tells a late event of the connection that sat there
// before from one of the connection that sits there now.
type seat struct {
	conn       *conn
	generation uint32
}

// open starts accepting from src for app, until ctx is done. The caller accepts until it gets net.ErrClosed, and
// then calls drain.
func open(ctx context.Context, src *listener.Source, app *server.App) (*conns, error) {
	own, err := src.Listener()
	if err != nil {
		return nil, err
	}
	watcher, err := newWatcher(own, app)
	if err != nil {
		own.Close()
		return nil, err
	}
	limits := app.Limits()
	s := &conns{
		Listener: own, app: app, limits: limits, timeouts: http1.NewTimeouts(&limits), watcher: watcher,
		slots: make(chan struct{}, limits.MaxConnections), stopped: make(chan struct{}),
		ahead: newAhead(),
	}
	s.empty = sync.NewCond(&s.mu)
	s.ticked = app.Now()
	s.clock.Store(int64(s.ticked)) // the app may be older than its first connection's timeouts are long
	s.stop = context.AfterFunc(ctx, func() {
		app.Announce()
		own.Close()
	})
	s.done.Go(s.sweep)
	s.done.Go(s.expire)
	if watcher != nil {
		s.done.Go(func() { watcher.run(s) })
	}
	return s, nil
}

// Accept waits for a free slot and then for a connection. A connection above the limit is not accepted: it waits in
// the kernel's queue, where it costs no descriptor.
func (s *conns) Accept() (net.Conn, error) {
	s.slots <- struct{}{}
	raw, err := listener.Accept(s.Listener)
	if err != nil {
		<-s.slots
		return nil, err
	}
	c := &conn{Conn: raw, conns: s, backlog: -1, raw: rawConn(raw)}
	c.job.Owner = c
	c.job.Init(s.app)
	c.enter(http1.StateNew, s.coarse())
	c.requested.Store(int64(s.coarse()))
	s.seat(c)
	c.watched = s.watcher.add(c)
	s.app.ConnectionOpened()
	return c, nil
}

func (s *conns) seat(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		s.seats = append(s.seats, seat{})
		s.free = append(s.free, int32(len(s.seats)-1))
	}
	last := len(s.free) - 1
	c.index = s.free[last]
	s.free = s.free[:last]
	s.seats[c.index].conn = c
	c.generation = s.seats[c.index].generation
	s.open++
}

func (s *conns) unseat(c *conn, cause server.CloseCause) {
	s.mu.Lock()
	s.seats[c.index] = seat{generation: c.generation + 1}
	s.free = append(s.free, c.index)
	s.open--
	if s.open == 0 {
		s.empty.Broadcast()
	}
	s.mu.Unlock()
	s.app.CountClose(cause)
	s.app.ConnectionClosed()
	<-s.slots
}

// find returns the connection of an event, or nil when it has closed since.
func (s *conns) find(index int32, generation uint32) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(index) >= len(s.seats) || s.seats[index].generation != generation {
		return nil
	}
	return s.seats[index].conn
}

// all appends the open connections to list.
func (s *conns) all(list []*conn) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seat := range s.seats {
		if seat.conn != nil {
			list = append(list, seat.conn)
		}
	}
	return list
}

// expire waits for the drain deadline: what is queued or runs then ends with 503, and what is still open killGrace
// later is cut.
func (s *conns) expire() {
	select {
	case <-s.app.Expired():
	case <-s.stopped:
		return
	}
	for _, c := range s.all(nil) {
		c.job.Abort()
	}
	for http1.Wait(http1.KillGrace, s.stopped) {
		for _, c := range s.all(nil) {
			c.cut(server.CloseDrain)
		}
	}
}

// rawConn is how to get at a connection's descriptor, or nil if it has none.
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

// drain waits until every connection has closed, and then for everything that open started. Accept has returned
// net.ErrClosed by now.
func (s *conns) drain() {
	s.mu.Lock()
	for s.open > 0 {
		s.empty.Wait()
	}
	s.mu.Unlock()
	s.stop()
	close(s.stopped)
	s.watcher.close()
	s.done.Wait()
	s.Listener.Close()
}

// ended makes a closed listener the ordinary end that it is here.
func ended(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

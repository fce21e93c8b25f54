package looptest

import (
	"net"
	"sync"
	"time"

	"demo-server/server/eventloop"
	"demo-server/server/listener"
)

// A poller polls connections without descriptors. For each connection, one goroutine reads ahead and another one
// writes, and both send events to the loop. The loop itself runs as it does on epoll.
type poller struct {
	now      func() time.Duration
	listener net.Listener
	conns    *conns
	running  sync.WaitGroup

	mu       sync.Mutex
	listens  bool
	started  bool // the first Listen starts accepting in the background
	accepted []int32
	events   []eventloop.Event
	woken    chan struct{} // holds one if there is an event or Wake was called
}

func (p *poller) Wait(ready []eventloop.Event, until time.Duration, _ bool) []eventloop.Event {
	p.mu.Lock()
	quiet := len(p.events) == 0 && !(p.listens && len(p.accepted) > 0)
	p.mu.Unlock()
	if quiet {
		p.sleep(until)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ready = append(ready, p.events...)
	p.events = p.events[:0]
	if p.listens && len(p.accepted) > 0 {
		ready = append(ready, eventloop.Event{Tag: eventloop.Tag{Index: eventloop.Listening}, Readable: true})
	}
	return ready
}

func (p *poller) sleep(until time.Duration) {
	if until == eventloop.Never {
		<-p.woken
		return
	}
	timer := time.NewTimer(until - p.now())
	defer timer.Stop()
	select {
	case <-p.woken:
	case <-timer.C:
	}
}

func (p *poller) Wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

func (p *poller) tell(e eventloop.Event) {
	p.mu.Lock()
	p.events = append(p.events, e)
	p.mu.Unlock()
	p.Wake()
}

// Listen sets whether accepted connections are reported. Connections accepted in the background while it is off are
// reported later.
func (p *poller) Listen(on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listens = on
	if p.started {
		return nil
	}
	p.started = true
	p.running.Go(func() {
		for {
			c, err := listener.Accept(p.listener)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.accepted = append(p.accepted, p.conns.add(c))
			p.mu.Unlock()
			p.Wake()
		}
	})
	return nil
}

func (p *poller) Accept() (int32, time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.accepted) == 0 {
		return 0, 0, eventloop.ErrAgain
	}
	socket := p.accepted[0]
	p.accepted = p.accepted[1:]
	return socket, -1, nil
}

func (p *poller) Watch(socket int32, t eventloop.Tag) error {
	c := p.conns.get(socket)
	p.running.Go(func() { c.readAhead(p, t) })
	p.running.Go(func() { c.writeBehind(p, t) })
	return nil
}

func (p *poller) Read(socket int32, b []byte) (int, error)  { return p.conns.get(socket).read(b) }
func (p *poller) Write(socket int32, b []byte) (int, error) { return p.conns.get(socket).write(b) }
func (p *poller) Acked(int32) uint64                        { return 0 }
func (p *poller) Undelivered(int32) bool                    { return false }
func (p *poller) CloseWrite(int32) error                    { return net.ErrClosed }
func (p *poller) Reset(int32)                               {}

func (p *poller) ClientAddr(socket int32) string {
	return p.conns.get(socket).conn.RemoteAddr().String()
}

func (p *poller) Unread(socket int32) bool {
	c := p.conns.get(socket)
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.unread) > 0
}

func (p *poller) Close(socket int32) {
	c := p.conns.get(socket)
	c.conn.Close()
	close(c.closed)
}

// Free closes the connections that were not taken.
func (p *poller) Free() {
	p.running.Wait()
	for _, socket := range p.accepted {
		p.Close(socket)
	}
}

// conns holds the connections of all loops of a run, because one loop may accept for another.
type conns struct {
	mu  sync.Mutex
	all []*memConn
}

func (c *conns) add(accepted net.Conn) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, &memConn{
		conn: accepted, closed: make(chan struct{}), wanted: make(chan struct{}, 1), pending: make(chan []byte, 1),
	})
	return int32(len(c.all) - 1)
}

func (c *conns) get(socket int32) *memConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[socket]
}

// A memConn makes a blocking connection non-blocking, with ErrAgain.
type memConn struct {
	conn   net.Conn
	closed chan struct{}

	mu      sync.Mutex
	unread  []byte
	readErr error
	wanted  chan struct{} // holds one once everything is read

	pending chan []byte // the bytes to write next
	writing bool        // pending was used, and its result not taken
	written int
	wrote   bool // pending's bytes were written as far as possible
	failed  error
}

func (c *memConn) readAhead(p *poller, t eventloop.Tag) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := c.conn.Read(buffer)
		c.mu.Lock()
		c.unread, c.readErr = buffer[:n], err
		c.mu.Unlock()
		if n == 0 && err == nil {
			continue // an empty write
		}
		p.tell(eventloop.Event{Tag: t, Readable: true, Disconnected: err != nil, Broken: err != nil})
		if err != nil {
			return
		}
		select {
		case <-c.wanted:
		case <-c.closed:
			return
		}
	}
}

// read panics if b is empty, like epoll's read, which would return 0: the end of the stream.
func (c *memConn) read(b []byte) (int, error) {
	_ = b[0]
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.unread) == 0 {
		if c.readErr != nil {
			return 0, nil
		}
		return 0, eventloop.ErrAgain
	}
	n := copy(b, c.unread)
	c.unread = c.unread[n:]
	if len(c.unread) == 0 && c.readErr == nil {
		c.wanted <- struct{}{}
	}
	return n, nil
}

func (c *memConn) writeBehind(p *poller, t eventloop.Tag) {
	for {
		select {
		case b := <-c.pending:
			n, err := c.conn.Write(b)
			c.mu.Lock()
			c.written, c.failed, c.wrote = n, err, true
			c.mu.Unlock()
			p.tell(eventloop.Event{Tag: t, Writable: true})
		case <-c.closed:
			return
		}
	}
}

// write passes b to a goroutine and returns ErrAgain until b is written. The loop then calls it again with the same
// bytes, and gets the number of bytes written.
func (c *memConn) write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.writing:
		c.writing = true
		c.pending <- append([]byte(nil), b...)
		return 0, eventloop.ErrAgain
	case !c.wrote:
		return 0, eventloop.ErrAgain
	}
	c.writing, c.wrote = false, false
	if c.written > 0 {
		return c.written, nil
	}
	return 0, c.failed
}

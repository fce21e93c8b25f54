package eventloop

import (
	"net"
	"sync"
	"time"

	"demo-server/server"
	"demo-server/server/listener"
)

// memory is the poller of an event loop whose source has no descriptors: connections in memory, as tests have them,
// where virtual time passes. A goroutine reads ahead for each connection and another writes, and both tell the loop, so
// that the loop itself runs as it does on epoll.
type memory struct {
	app      *server.App
	listener net.Listener
	pipes    *pipes
	running  sync.WaitGroup

	mu       sync.Mutex
	listens  bool
	started  bool // accepting goes on in the background from the first listen on
	accepted []int32
	events   []Event
	woken    chan struct{} // holds one: there is an event, or wake was called
}

func newMemory(app *server.App, own net.Listener, pipes *pipes) *memory {
	return &memory{app: app, listener: own, pipes: pipes, woken: make(chan struct{}, 1)}
}

func (m *memory) Wait(ready []Event, until time.Duration, _ bool) []Event {
	m.mu.Lock()
	quiet := len(m.events) == 0 && !(m.listens && len(m.accepted) > 0)
	m.mu.Unlock()
	if quiet {
		m.sleep(until)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ready = append(ready, m.events...)
	m.events = m.events[:0]
	if m.listens && len(m.accepted) > 0 {
		ready = append(ready, Event{Tag: Tag{Index: Listening}, Readable: true})
	}
	return ready
}

func (m *memory) sleep(until time.Duration) {
	if until == Never {
		<-m.woken
		return
	}
	timer := time.NewTimer(until - m.app.Now())
	defer timer.Stop()
	select {
	case <-m.woken:
	case <-timer.C:
	}
}

func (m *memory) Wake() {
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

func (m *memory) tell(e Event) {
	m.mu.Lock()
	m.events = append(m.events, e)
	m.mu.Unlock()
	m.Wake()
}

// Listen only hides what waits: what was accepted while the loop did not listen is offered to it when it does again.
func (m *memory) Listen(on bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listens = on
	if m.started {
		return nil
	}
	m.started = true
	m.running.Go(func() {
		for {
			c, err := listener.Accept(m.listener)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.accepted = append(m.accepted, m.pipes.add(c))
			m.mu.Unlock()
			m.Wake()
		}
	})
	return nil
}

func (m *memory) Accept() (int32, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.accepted) == 0 {
		return 0, 0, ErrAgain
	}
	socket := m.accepted[0]
	m.accepted = m.accepted[1:]
	return socket, -1, nil
}

func (m *memory) Watch(socket int32, t Tag) error {
	p := m.pipes.get(socket)
	m.running.Go(func() { p.readAhead(m, t) })
	m.running.Go(func() { p.writeBehind(m, t) })
	return nil
}

func (m *memory) Read(socket int32, b []byte) (int, error)  { return m.pipes.get(socket).read(b) }
func (m *memory) Write(socket int32, b []byte) (int, error) { return m.pipes.get(socket).write(b) }
func (m *memory) Acked(int32) uint64                        { return 0 }
func (m *memory) Undelivered(int32) bool                    { return false }
func (m *memory) CloseWrite(int32) error                    { return net.ErrClosed }
func (m *memory) Reset(int32)                               {}

func (m *memory) ClientAddr(socket int32) string {
	return m.pipes.get(socket).conn.RemoteAddr().String()
}

func (m *memory) Unread(socket int32) bool {
	p := m.pipes.get(socket)
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.unread) > 0
}

func (m *memory) Close(socket int32) {
	p := m.pipes.get(socket)
	p.conn.Close()
	close(p.closed)
}

// Free ends the connections that nobody took.
func (m *memory) Free() {
	m.running.Wait()
	for _, socket := range m.accepted {
		m.Close(socket)
	}
}

// pipes are the connections of all loops of a source, so that one loop can accept for another.
type pipes struct {
	mu  sync.Mutex
	all []*pipe
}

func (p *pipes) add(c net.Conn) int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, &pipe{
		conn: c, closed: make(chan struct{}), wanted: make(chan struct{}, 1), pending: make(chan []byte, 1),
	})
	return int32(len(p.all) - 1)
}

func (p *pipes) get(socket int32) *pipe {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[socket]
}

// A pipe is a connection that has to be waited for, as one that says errAgain.
type pipe struct {
	conn   net.Conn
	closed chan struct{}

	mu      sync.Mutex
	unread  []byte
	readErr error
	wanted  chan struct{} // holds one once all has been read

	pending chan []byte // what to write next
	writing bool        // something was handed to pending, and its end not seen yet
	written int
	wrote   bool // pending's last was written as far as it went
	failed  error
}

func (p *pipe) readAhead(m *memory, t Tag) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := p.conn.Read(buffer)
		p.mu.Lock()
		p.unread, p.readErr = buffer[:n], err
		p.mu.Unlock()
		if n == 0 && err == nil {
			continue // a write of nothing
		}
		m.tell(Event{Tag: t, Readable: true, Disconnected: err != nil, Broken: err != nil})
		if err != nil {
			return
		}
		select {
		case <-p.wanted:
		case <-p.closed:
			return
		}
	}
}

// read panics if b is empty, as epoll's read does: there it would return 0, which is the end of the stream.
func (p *pipe) read(b []byte) (int, error) {
	_ = b[0]
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unread) == 0 {
		if p.readErr != nil {
			return 0, nil
		}
		return 0, ErrAgain
	}
	n := copy(b, p.unread)
	p.unread = p.unread[n:]
	if len(p.unread) == 0 && p.readErr == nil {
		p.wanted <- struct{}{}
	}
	return n, nil
}

func (p *pipe) writeBehind(m *memory, t Tag) {
	for {
		select {
		case b := <-p.pending:
			n, err := p.conn.Write(b)
			p.mu.Lock()
			p.written, p.failed, p.wrote = n, err, true
			p.mu.Unlock()
			m.tell(Event{Tag: t, Writable: true})
		case <-p.closed:
			return
		}
	}
}

// write hands b over and says errAgain, until it was written: the loop then asks again with the same bytes, and is told
// how many went out.
func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.writing:
		p.writing = true
		p.pending <- append([]byte(nil), b...)
		return 0, ErrAgain
	case !p.wrote:
		return 0, ErrAgain
	}
	p.writing, p.wrote = false, false
	if p.written > 0 {
		return p.written, nil
	}
	return 0, p.failed
}

// Package listener opens the listening socket, and lets several runs of modes accept on it.
package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// A Source is the listening socket. Each run of a mode accepts through a listener of its own, and cannot close the
// socket: the next run takes it over, together with the connections that wait in it.
type Source struct {
	socket net.Listener
	shared *sharedAcceptor // used if the socket cannot be duplicated
}

// Listen opens the socket at addr (host:port). backlog is the length of the kernel's accept queue; 0 means the system's
// default.
func Listen(ctx context.Context, addr string, backlog int) (*Source, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // Go's default does not accept a socket filter: see DropNew
	socket, err := config.Listen(ctx, Network(addr), addr)
	if err != nil {
		return nil, err
	}
	if backlog > 0 {
		if err := setBacklog(socket, backlog); err != nil {
			socket.Close()
			return nil, fmt.Errorf("cannot set the accept queue's length to %d: %w", backlog, err)
		}
	}
	return NewSource(socket), nil
}

// Network returns the network to pass to net.Listen for addr. By itself, Go would take 0.0.0.0 for all IPv6 addresses
// too.
func Network(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
		return "tcp4"
	}
	return "tcp"
}

// NewSource returns a Source that owns socket, which need not have a descriptor.
func NewSource(socket net.Listener) *Source {
	return &Source{socket: socket, shared: newSharedAcceptor(socket)}
}

// Addr returns the socket's address.
func (s *Source) Addr() net.Addr { return s.socket.Addr() }

// Close closes the socket and resets the connections that wait in it. Only the Source's owner may call it, not a mode.
func (s *Source) Close() error {
	s.shared.stop()
	return s.socket.Close()
}

// Listener returns a new listener on the socket for the caller. Closing it ends its own Accept and nothing else.
func (s *Source) Listener() (net.Listener, error) {
	if d, ok := s.socket.(duplicator); ok {
		return d.Duplicate()
	}
	duplicated, err := duplicate(s.socket)
	if errors.Is(err, errors.ErrUnsupported) {
		return s.shared.listener(), nil
	}
	return duplicated, err
}

// A duplicator is a listener that duplicates itself. Closing one duplicate does not affect the others.
type duplicator interface {
	Duplicate() (net.Listener, error)
}

// File returns a descriptor of the socket for another process to inherit and accept on. The caller closes it. If the
// system cannot do this, the error matches errors.ErrUnsupported.
func (s *Source) File() (*os.File, error) { return fileOf(s.socket) }

// An AcceptQueue is the state of the kernel's queue of established connections that have not been accepted.
type AcceptQueue struct {
	Depth int // waiting connections
	Limit int // room for them
}

// AcceptQueue reads the socket's accept queue. ok is false if the system does not report it.
func (s *Source) AcceptQueue() (queue AcceptQueue, ok bool) { return acceptQueue(s.socket) }

// DropNew makes the kernel ignore new connections. Connections in the accept queue stay there to be served, while
// closing the socket would reset them. No other process may accept on the socket. If the system cannot do this, the
// error matches errors.ErrUnsupported.
func (s *Source) DropNew() error { return dropNew(s.socket) }

// Accept waits for l's next connection. It fails only if the listener is closed, with net.ErrClosed. A lack of
// descriptors or memory passes, and a server that gave up at that moment would never come back.
func Accept(l net.Listener) (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		conn, err := l.Accept()
		if err == nil {
			return conn, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, net.ErrClosed
		}
		time.Sleep(pause)
	}
}

// A sharedAcceptor shares a listener that cannot be duplicated (in memory, or outside Linux) among listeners that can
// be closed one by one. One goroutine accepts for all of them.
type sharedAcceptor struct {
	socket net.Listener
	start  sync.Once
	end    sync.Once
	conns  chan net.Conn
	ended  chan struct{}
}

func newSharedAcceptor(socket net.Listener) *sharedAcceptor {
	return &sharedAcceptor{socket: socket, conns: make(chan net.Conn), ended: make(chan struct{})}
}

func (a *sharedAcceptor) listener() net.Listener {
	a.start.Do(func() { go a.run() })
	return &sharedListener{acceptor: a, closed: make(chan struct{})}
}

func (a *sharedAcceptor) stop() { a.end.Do(func() { close(a.ended) }) }

func (a *sharedAcceptor) run() {
	for {
		conn, err := Accept(a.socket)
		if err != nil {
			a.stop()
			return
		}
		select {
		case a.conns <- conn:
		case <-a.ended:
			conn.Close()
			return
		}
	}
}

// A sharedListener is one of the listeners of a sharedAcceptor.
type sharedListener struct {
	acceptor *sharedAcceptor
	once     sync.Once
	closed   chan struct{}
}

func (l *sharedListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.acceptor.conns:
		return conn, nil
	case <-l.closed:
	case <-l.acceptor.ended:
	}
	return nil, net.ErrClosed
}

func (l *sharedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *sharedListener) Addr() net.Addr { return l.acceptor.socket.Addr() }

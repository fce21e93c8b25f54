// Package listener opens the listening socket, and shares it among the runs of modes that accept on it.
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

// A Source is the listening socket as modes may use it: each run of a mode accepts through a listener of its own, and
// none of them can close the socket, because the next mode takes it over with the connections that wait in it.
type Source struct {
	socket net.Listener
	shared *sharedAcceptor // where the socket cannot be duplicated
}

// Listen opens the socket at addr (host:port). backlog is the length of the kernel's accept queue, and 0 leaves it to
// the system.
func Listen(ctx context.Context, addr string, backlog int) (*Source, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // Go's default, which takes no socket filter: see RefuseNew
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

// Network is what to hand to net.Listen for addr: by itself Go takes 0.0.0.0 for all IPv6 addresses, too.
func Network(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
		return "tcp4"
	}
	return "tcp"
}

// NewSource makes a listener a Source, which then owns it. Tests hand it one without a network.
func NewSource(socket net.Listener) *Source {
	return &Source{socket: socket, shared: newSharedAcceptor(socket)}
}

// Addr is the socket's address.
func (s *Source) Addr() net.Addr { return s.socket.Addr() }

// Close closes the socket; connections that wait in it are reset. It is for the Source's owner, not for modes.
func (s *Source) Close() error {
	s.shared.stop()
	return s.socket.Close()
}

// Listener returns a listener of the caller's own on the socket. Closing it ends its Accept and nothing else.
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

// A duplicator is a listener that makes its own duplicates. One that is closed ends no other's Accept.
type duplicator interface {
	Duplicate() (net.Listener, error)
}

// File returns a descriptor of the socket that another process can inherit, to accept on it too. The caller closes it.
// Where the system cannot, it returns an error that matches errors.ErrUnsupported.
func (s *Source) File() (*os.File, error) { return fileOf(s.socket) }

// An AcceptQueue is the state of the kernel's queue of connections that nobody has accepted yet.
type AcceptQueue struct {
	Depth int // connections that wait
	Limit int // how many may
}

// AcceptQueue reads the socket's accept queue; ok is false where the system does not tell.
func (s *Source) AcceptQueue() (queue AcceptQueue, ok bool) { return acceptQueue(s.socket) }

// DropNew makes the kernel ignore new connections, while those that wait in the accept queue stay there to be
// served: closing the socket would reset them. Nobody else may accept on the socket. Where the system cannot, it
// returns an error that matches errors.ErrUnsupported.
func (s *Source) DropNew() error { return dropNew(s.socket) }

// Accept waits for l's next connection. Nothing but a closed listener ends it, with net.ErrClosed: to be out of
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

// A sharedAcceptor shares one listener that cannot be duplicated (an in-memory one, or another system's than Linux) among
// listeners that can be closed one by one: a goroutine accepts for whoever asks next.
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

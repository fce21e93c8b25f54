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
	pump   *pump // where the socket cannot be duplicated
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
	return &Source{socket: socket, pump: newPump(socket)}
}

// Addr is the socket's address.
func (s *Source) Addr() net.Addr { return s.socket.Addr() }

// Close closes the socket; connections that wait in it are reset. It is for the Source's owner, not for modes.
func (s *Source) Close() error {
	s.pump.stop()
	return s.socket.Close()
}

// Listener returns a listener of the caller's own on the socket. Closing it ends its Accept and nothing else.
func (s *Source) Listener() (net.Listener, error) {
	own, err := duplicate(s.socket)
	if errors.Is(err, errors.ErrUnsupported) {
		return s.pump.listener(), nil
	}
	return own, err
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

// RefuseNew makes the kernel ignore new connections, while those that wait in the accept queue stay there to be
// served: closing the socket would reset them. Nobody else may accept on the socket. Where the system cannot, it
// returns an error that matches errors.ErrUnsupported.
func (s *Source) RefuseNew() error { return refuseNew(s.socket) }

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

// A pump shares one listener that cannot be duplicated (an in-memory one, or another system's than Linux) among
// listeners that can be closed one by one: a goroutine accepts for whoever asks next.
type pump struct {
	socket net.Listener
	start  sync.Once
	end    sync.Once
	conns  chan net.Conn
	ended  chan struct{}
}

func newPump(socket net.Listener) *pump {
	return &pump{socket: socket, conns: make(chan net.Conn), ended: make(chan struct{})}
}

func (p *pump) listener() net.Listener {
	p.start.Do(func() { go p.run() })
	return &pumped{pump: p, closed: make(chan struct{})}
}

func (p *pump) stop() { p.end.Do(func() { close(p.ended) }) }

func (p *pump) run() {
	for {
		conn, err := Accept(p.socket)
		if err != nil {
			p.stop()
			return
		}
		select {
		case p.conns <- conn:
		case <-p.ended:
			conn.Close()
			return
		}
	}
}

// pumped is one of a pump's listeners.
type pumped struct {
	pump   *pump
	once   sync.Once
	closed chan struct{}
}

func (l *pumped) Accept() (net.Conn, error) {
	select {
	case conn := <-l.pump.conns:
		return conn, nil
	case <-l.closed:
	case <-l.pump.ended:
	}
	return nil, net.ErrClosed
}

func (l *pumped) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pumped) Addr() net.Addr { return l.pump.socket.Addr() }

package prefork

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// dial connects to the worker at the other end of the channel: it makes a pair of sockets and passes one of them. It
// does not wait for the worker to accept.
func dial(channel *net.UnixConn) (net.Conn, error) {
	ours, theirs, err := newStream()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	if err := pass(channel, theirs); err != nil {
		ours.Close()
		return nil, err
	}
	return ours, nil
}

// An adminListener accepts the supervisor's connections.
type adminListener struct {
	channel *net.UnixConn
	close   sync.Once
	closed  chan struct{}
}

func inheritAdmin(descriptor uintptr) (net.Listener, error) {
	file := os.NewFile(descriptor, "admin")
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, ErrNoSupervisor
	}
	file.Close() // the connection has a duplicate
	channel, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, ErrNoSupervisor
	}
	return &adminListener{channel: channel, closed: make(chan struct{})}, nil
}

// Accept waits for the next connection. It fails only after Close, with net.ErrClosed. After the death of the
// supervisor it waits for Close, because the worker still has requests to finish.
func (l *adminListener) Accept() (net.Conn, error) {
	for {
		conn, err := receive(l.channel)
		switch {
		case conn != nil:
			return conn, nil
		case errors.Is(err, net.ErrClosed):
			return nil, net.ErrClosed
		case errors.Is(err, io.EOF):
			<-l.closed
			return nil, net.ErrClosed
		}
		time.Sleep(acceptPause) // a lack of descriptors or memory passes
	}
}

// acceptPause is the pause of Accept after an error.
const acceptPause = 10 * time.Millisecond

// Close ends Accept, and closes the connections that it has not returned.
func (l *adminListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.channel.Close()
}

// Addr returns the channel's address, which is empty.
func (l *adminListener) Addr() net.Addr { return l.channel.LocalAddr() }

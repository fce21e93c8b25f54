package prefork

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// dial connects to the worker at the other end of the channel: it makes a pair of sockets, keeps one, and passes the
// other. It does not wait for the worker to accept.
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

// An adminListener accepts the connections that the supervisor dials.
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

// Accept waits for the next connection. It returns net.ErrClosed after Close, and no other error: after the death of
// the supervisor it waits for Close, because the worker still has requests to finish.
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
		time.Sleep(acceptPause) // out of descriptors or memory, which passes
	}
}

// acceptPause is how long Accept pauses after an error.
const acceptPause = 10 * time.Millisecond

// Close ends Accept. Connections that it has not returned are closed.
func (l *adminListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.channel.Close()
}

// Addr is the channel's address, which is empty: it has no name.
func (l *adminListener) Addr() net.Addr { return l.channel.LocalAddr() }

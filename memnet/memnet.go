// Package memnet provides a listener without a network, for tests. Its connections work in virtual time.
package memnet

import (
	"net"
	"sync"
)

// A Listener accepts connections in memory. They have no buffer: a write waits for its reader.
type Listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Listen returns a listener.
func Listen() *Listener { return &Listener{conns: make(chan net.Conn), closed: make(chan struct{})} }

// Dial connects, and waits until the connection is accepted. If the listener is closed, so is the connection.
func (l *Listener) Dial() net.Conn {
	near, far := net.Pipe()
	l.Hand(far)
	return near
}

// Hand waits until c is accepted, or closes it if the listener is closed.
func (l *Listener) Hand(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.closed:
		c.Close()
	}
}

// Accept returns the next connection, or net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns an address to which no client can connect.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

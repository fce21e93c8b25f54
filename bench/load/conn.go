package load

import (
	"net"
	"time"
)

// A conn is a connection that can be given up from outside, whatever its client is doing with it.
type conn struct {
	net.Conn
	generator *Generator
}

// A dialError says that there is no connection.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

func (g *Generator) dial(address string, timeout time.Duration) (net.Conn, error) {
	network, err := g.connect(address, timeout)
	if err != nil {
		return nil, &dialError{err}
	}
	c := &conn{network, g}
	g.mu.Lock()
	g.open[c] = struct{}{}
	g.mu.Unlock()
	return c, nil
}

func (g *Generator) connect(address string, timeout time.Duration) (net.Conn, error) {
	if g.config.Dial != nil {
		return g.config.Dial(g.dialing)
	}
	dialer := net.Dialer{Timeout: timeout}
	g.mu.Lock()
	spreadSources(&dialer, address, len(g.open))
	g.mu.Unlock()
	return dialer.DialContext(g.dialing, "tcp", address)
}

// Close closes the connection.
func (c *conn) Close() error {
	c.generator.mu.Lock()
	delete(c.generator.open, c)
	c.generator.mu.Unlock()
	return c.Conn.Close()
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// cut gives all up that is under way.
func (g *Generator) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
	g.giveUp()
	for c := range g.open {
		c.Conn.SetDeadline(past) // of a connection that is closed already it is an error, and no loss
	}
}

// SetReadDeadline sets the deadline of a request, unless all is being given up: the client may come here just after.
func (c *conn) SetReadDeadline(t time.Time) error { return c.limit(c.Conn.SetReadDeadline, t) }

// SetWriteDeadline is SetReadDeadline for sending.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.limit(c.Conn.SetWriteDeadline, t) }

func (c *conn) limit(set func(time.Time) error, t time.Time) error {
	c.generator.mu.Lock()
	defer c.generator.mu.Unlock()
	if c.generator.stopped {
		t = past
	}
	return set(t)
}

package load

import (
	"net"
	"time"
)

// A conn is a connection that another goroutine can interrupt at any time.
type conn struct {
	net.Conn
	generator *Generator
}

// A dialError is an error from connecting.
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

// past is a deadline that has expired.
var past = time.Unix(1, 0)

// cut gives up all unfinished requests.
func (g *Generator) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
	g.giveUp()
	for c := range g.open {
		c.Conn.SetDeadline(past) // the error of a closed connection does not matter
	}
}

// SetReadDeadline sets the deadline of a request. After cut, the deadline has always expired, because a client may call
// SetReadDeadline just after it.
func (c *conn) SetReadDeadline(t time.Time) error { return c.limit(c.Conn.SetReadDeadline, t) }

// SetWriteDeadline does the same as SetReadDeadline for sending.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.limit(c.Conn.SetWriteDeadline, t) }

func (c *conn) limit(set func(time.Time) error, t time.Time) error {
	c.generator.mu.Lock()
	defer c.generator.mu.Unlock()
	if c.generator.stopped {
		t = past
	}
	return set(t)
}

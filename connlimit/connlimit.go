// Package connlimit protects a listener from its clients: it limits the number of connections, and the time without
// progress.
//
// It is for the listeners next to the service's: admin and the backends. It must not know what they serve.
package connlimit

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// Stall is how long a client may make no progress in sending a request that it has begun, or in reading a reply.
const Stall = 10 * time.Second

const (
	// maxHeaderBytes is the limit on a request's head. net/http adds 4 KiB to it.
	maxHeaderBytes = 16 << 10
	// maxBodyBytes is the limit on a body, which is ignored.
	maxBodyBytes = 64 << 10
	// settle is how long a connection is idle before it can be evicted: its next request may be on the way.
	settle = 100 * time.Millisecond
)

// HTTP sets the limits of server, and returns the listener that it must serve on. Request bodies are dropped. If max
// connections are open, a new one replaces the one that has been idle for longest. If none is idle, it waits.
//
// A reply may take any time, such as a profile: only a client that does not read it is cut off.
func HTTP(server *http.Server, listener net.Listener, max int) net.Listener {
	l := newLimited(listener, max)
	server.Handler = dropBody(server.Handler)
	server.ReadHeaderTimeout = Stall
	server.MaxHeaderBytes = maxHeaderBytes
	server.ConnState = func(c net.Conn, state http.ConnState) {
		l.mark(c.(*conn), state == http.StateNew || state == http.StateIdle)
	}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	if server.IdleTimeout == 0 {
		server.IdleTimeout = Stall
	}
	return l
}

// Listen returns a listener with at most max connections; further ones wait. The server has to limit what it reads.
func Listen(listener net.Listener, max int) net.Listener { return newLimited(listener, max) }

// A limited is a listener that tracks its connections.
type limited struct {
	net.Listener
	max int

	mu      sync.Mutex
	changed sync.Cond // a place may be free, or the listener is closed
	conns   []*conn   // the idle ones, in the order in which they became idle
	closed  bool
}

func newLimited(listener net.Listener, max int) *limited {
	l := &limited{Listener: listener, max: max}
	l.changed.L = &l.mu
	return l
}

// A conn is a connection of a limited listener.
type conn struct {
	net.Conn
	listener *limited
	idle     bool      // no request is being answered; listener.mu guards it
	since    time.Time // when it became idle
}

// connKey is the key of a request's conn in its context.
type connKey struct{}

// Accept returns the next connection once it has a place.
func (l *limited) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, listener: l}
		if l.admit(c) {
			return c, nil
		}
		accepted.Close()
	}
}

// Close stops accepting.
func (l *limited) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.changed.Broadcast()
	return l.Listener.Close()
}

// admit waits for a place. It returns false if the listener is closed first.
func (l *limited) admit(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.conns) >= l.max && !l.evict() {
		if l.closed {
			return false
		}
		l.changed.Wait()
	}
	l.conns = append(l.conns, c)
	return true
}

// evict closes the connection that has been idle for longest, if one has been idle for long enough. The caller holds
// the lock.
func (l *limited) evict() bool {
	i := slices.IndexFunc(l.conns, func(c *conn) bool { return c.idle })
	if i < 0 {
		return false
	}
	if wait := settle - time.Since(l.conns[i].since); wait > 0 {
		time.AfterFunc(wait, l.changed.Broadcast)
		return false
	}
	l.conns[i].Conn.Close()
	l.conns = slices.Delete(l.conns, i, i+1)
	return true
}

// mark notes whether c is idle.
func (l *limited) mark(c *conn, idle bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.idle, c.since = idle, time.Now()
	if i := slices.Index(l.conns, c); i >= 0 && c.idle {
		l.conns = append(slices.Delete(l.conns, i, i+1), c)
		l.changed.Signal()
	}
}

// Close closes the connection and frees its place.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	c.listener.conns = slices.DeleteFunc(c.listener.conns, func(other *conn) bool { return other == c })
	c.listener.mu.Unlock()
	c.listener.changed.Signal()
	return c.Conn.Close()
}

// Write fails with a timeout once the client has taken nothing for Stall.
func (c *conn) Write(p []byte) (written int, err error) {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(Stall)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(p[written:])
		written += n
		if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return written, err
		}
	}
}

// dropBody reads and drops the request's body. If it does not arrive within Stall, the connection closes without a
// reply.
func dropBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		c := r.Context().Value(connKey{}).(*conn)
		if r.ContentLength > maxBodyBytes || !c.receive(w, r.Body) {
			c.SetReadDeadline(time.Now()) // otherwise the server would wait for the rest
			http.Error(w, "the request has a long body, and needs none", http.StatusRequestEntityTooLarge)
			return
		}
		c.SetReadDeadline(time.Time{}) // a long reply has no deadline
		bodiless := r.WithContext(r.Context())
		bodiless.Body, bodiless.ContentLength, bodiless.TransferEncoding = http.NoBody, 0, nil
		next.ServeHTTP(w, bodiless)
	})
}

// receive reads a body to its end, and returns false if it is too long. If the body does not arrive, it ends the
// request. While it waits, the connection counts as idle.
func (c *conn) receive(w http.ResponseWriter, body io.ReadCloser) bool {
	c.listener.mark(c, true)
	defer c.listener.mark(c, false)
	c.SetReadDeadline(time.Now().Add(Stall))
	_, err := io.Copy(io.Discard, http.MaxBytesReader(w, body, maxBodyBytes))
	var tooLong *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLong) {
		panic(http.ErrAbortHandler)
	}
	return err == nil
}

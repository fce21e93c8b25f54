package transport

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/work"
)

// The tests in modes run whole modes over these transports. The tests here cover what cannot be seen from there.

func TestMain(m *testing.M) {
	// fasthttp starts one goroutine with its first connection, which never ends.
	near, far := net.Pipe()
	go func() {
		io.WriteString(near, "GET / HTTP/1.0\r\n\r\n")
		io.Copy(io.Discard, near)
	}()
	fasthttp.ServeConn(far, func(*fasthttp.RequestCtx) {})
	far.Close()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

func testLimits() server.Limits {
	return server.Limits{
		MaxConnections: 3, MaxHeaderBytes: 4 << 10, MaxBodyBytes: 1 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, ReadRequestTimeout: 30 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: time.Minute,
	}
}

func newApp() *server.App {
	return server.New(server.Config{Mode: "test", Work: work.NewSleep(), Body: []byte("Hello World"), Limits: testLimits()})
}

// A wire is a connection that records its deadlines and its output.
type wire struct {
	net.Conn
	written bytes.Buffer
	closes  int

	mu          sync.Mutex
	read, write time.Time
}

func (w *wire) Write(p []byte) (int, error) { return w.written.Write(p) }
func (w *wire) Read([]byte) (int, error)    { return 0, io.EOF }
func (w *wire) Close() error                { w.closes++; return nil }

func (w *wire) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read = t
	return nil
}

func (w *wire) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write = t
	return nil
}

func (w *wire) SetDeadline(t time.Time) error {
	w.SetReadDeadline(t)
	return w.SetWriteDeadline(t)
}

// expired reports which of c's deadlines are in the past.
func expired(c *conn) (read, write bool) {
	w := c.Conn.(*wire)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.read == past, w.write == past
}

// wires is a listener of wires.
type wires struct{ closed chan struct{} }

func newWires() wires { return wires{make(chan struct{})} }

func (w wires) Accept() (net.Conn, error) {
	select {
	case <-w.closed:
		return nil, net.ErrClosed
	default:
		return &wire{}, nil
	}
}

func (w wires) Close() error { close(w.closed); return nil }
func (wires) Addr() net.Addr { return &net.UnixAddr{Name: "wires"} }

// trackWires returns a connTracker that accepts a wire at each Accept, and drains it when the test ends. The test
// closes the connections.
func trackWires(t *testing.T, app *server.App) *connTracker {
	t.Helper()
	source := listener.NewSource(newWires())
	ctx, cancel := context.WithCancel(context.Background())
	tracker, err := newConnTracker(ctx, source, app)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		source.Close()
		cancel()
		tracker.drain()
	})
	return tracker
}

func accept(t *testing.T, tracker *connTracker) *conn {
	t.Helper()
	c, err := tracker.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*conn)
}

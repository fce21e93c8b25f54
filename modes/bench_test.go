package modes_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"demo-server/modes"
	"demo-server/server"
	"demo-server/server/eventloop/looptest"
	"demo-server/server/listener"
)

const benchRequest = "GET / HTTP/1.1\r\nHost: 127.0.0.1:7779\r\n\r\n"

// BenchmarkMode measures the cost of a request in each mode at delay 0, without the kernel: the connection is in memory
// and sends the next request as soon as it has the last reply. The bare servers are the baseline.
//
//	go test -run '^$' -bench Mode -count 10 ./modes | benchstat -col /server -
func BenchmarkMode(b *testing.B) {
	for _, described := range modes.All {
		mode := described.Instance(modes.Options{Workers: 4, MaxThreads: 4, Loops: 1})
		b.Run("server="+mode.Name, func(b *testing.B) {
			app := newApp(mode, config{observers: []server.Observer{discard{}}, delay: atOnce})
			defer app.Close()
			source := newLoop(b, !mode.Capabilities.KeepsAlive)
			ctx, cancel := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() { served <- mode.Serve(ctx, listener.NewSource(looptest.Wrap(source)), app) }()
			source.wait(b)
			cancel()
			if err := <-served; err != nil {
				b.Fatal(err)
			}
		})
	}
	b.Run("server=bare-nethttp", func(b *testing.B) {
		source := newLoop(b, false)
		go http.Serve(source, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			io.WriteString(w, "Hello World")
		}))
		source.wait(b)
	})
	b.Run("server=bare-fasthttp", func(b *testing.B) {
		source := newLoop(b, false)
		bare := &fasthttp.Server{
			Handler: func(ctx *fasthttp.RequestCtx) { ctx.WriteString("Hello World") },
			Logger:  log.New(io.Discard, "", 0),
			// fasthttp's goroutine that ends idle workers outlives the server for so long, and goleak does not wait for
			// it.
			MaxIdleWorkerDuration: 100 * time.Millisecond,
		}
		go bare.Serve(source)
		source.wait(b)
	})
}

type discard struct{}

func (discard) Observe(*server.Sample) {}

// A loop is a listener whose connections send b.N requests: one kept connection, or one for each request.
type loop struct {
	left   int
	single bool
	done   chan struct{}
	closed chan struct{}
	once   sync.Once
	conns  chan net.Conn
}

func newLoop(b *testing.B, single bool) *loop {
	l := &loop{left: b.N, single: single, done: make(chan struct{}), closed: make(chan struct{}), conns: make(chan net.Conn, 1)}
	l.conns <- newLoopConn(l)
	b.ReportAllocs()
	return l
}

func (l *loop) wait(b *testing.B) {
	<-l.done
	b.StopTimer()
	l.Close()
}

func (l *loop) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *loop) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *loop) Addr() net.Addr { return &net.TCPAddr{} }

// answered counts a reply, and reports whether its connection should send another request.
func (l *loop) answered() bool {
	l.left--
	if l.left == 0 {
		close(l.done)
		return false
	}
	if l.single {
		l.conns <- newLoopConn(l)
		return false
	}
	return true
}

// A loopConn has one request to read, and the next one after a reply was written.
type loopConn struct {
	loop *loop

	mu       sync.Mutex
	ready    *sync.Cond
	request  string
	end      bool
	deadline bool
}

func newLoopConn(l *loop) *loopConn {
	c := &loopConn{loop: l, request: benchRequest}
	c.ready = sync.NewCond(&c.mu)
	return c
}

func (c *loopConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.request == "" && !c.end && !c.deadline {
		c.ready.Wait()
	}
	switch {
	case c.deadline:
		return 0, os.ErrDeadlineExceeded
	case c.request == "":
		return 0, io.EOF
	}
	n := copy(p, c.request)
	c.request = c.request[n:]
	return n, nil
}

func (c *loopConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loop.answered() {
		c.request = benchRequest
	} else {
		c.end = true
	}
	c.ready.Signal()
	return len(p), nil
}

func (c *loopConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = !t.IsZero()
	c.ready.Signal()
	return nil
}

func (c *loopConn) Close() error                     { return nil }
func (c *loopConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *loopConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *loopConn) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *loopConn) SetWriteDeadline(time.Time) error { return nil }

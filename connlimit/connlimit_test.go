package connlimit

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// max is the limit in these tests.
const max = 3

// pipes is a listener in memory. A connection has no buffer: a write waits for its reader.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.accepted <- server
	return client
}

// serving runs test in virtual time against a server that answers /long after a minute, /big with more than it can say
// in one write, and else at once.
func serving(t *testing.T, test func(t *testing.T, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/long":
				select {
				case <-time.After(time.Minute):
				case <-r.Context().Done():
					return
				}
			case "/big":
				w.Write(make([]byte, 1<<20))
			}
			io.WriteString(w, "hello")
		})}
		served := make(chan error, 1)
		listener := HTTP(server, p, max)
		go func() { served <- server.Serve(listener) }()
		test(t, p)
		server.Close()
		<-served
	})
}

// get sends a request for path, and reads the reply.
func get(c net.Conn, path string) (status int, err error) {
	go io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	reply, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	_, err = io.ReadAll(reply.Body)
	return reply.StatusCode, err
}

func wantServed(t *testing.T, c net.Conn, path string) {
	t.Helper()
	if status, err := get(c, path); status != http.StatusOK || err != nil {
		t.Fatalf("GET %s: %d, %v; want 200", path, status, err)
	}
}

// wantClosedAfter fails unless the server closes the connection after so long.
func wantClosedAfter(t *testing.T, c net.Conn, want time.Duration) {
	t.Helper()
	began := time.Now()
	c.SetReadDeadline(began.Add(time.Hour))
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is open an hour later")
	}
	if took := time.Since(began); took != want {
		t.Errorf("closed after %v, want %v", took, want)
	}
}

// TestStall: whatever a client leaves undone, its connection is closed after Stall.
func TestStall(t *testing.T) {
	for name, sent := range map[string]string{
		"nothing":          "",
		"half a head":      "GET / HTTP/1.1\r\nHost: local",
		"then nothing":     "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"then half a head": "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET",
	} {
		t.Run(name, func(t *testing.T) {
			serving(t, func(t *testing.T, p *pipes) {
				c := p.dial()
				go io.WriteString(c, sent)
				wantClosedAfter(t, c, Stall)
			})
		})
	}
}

// TestBody: an announced body is not waited for. The request is answered, and the connection closes.
func TestBody(t *testing.T) {
	for name, head := range map[string]string{
		"length":         "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n",
		"chunked":        "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
		"long":           "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
		"only if wanted": "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			serving(t, func(t *testing.T, p *pipes) {
				c := p.dial()
				go io.WriteString(c, head)
				received := bufio.NewReader(c)
				reply, err := http.ReadResponse(received, nil)
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(reply.Body); reply.StatusCode != 200 || string(body) != "hello" || err != nil {
					t.Errorf("got %s %q, %v; want 200 hello", reply.Status, body, err)
				}
				if !reply.Close {
					t.Error("the reply does not announce the end of the connection")
				}
				if _, err := received.ReadByte(); err != io.EOF {
					t.Errorf("after the reply: %v, want the end", err)
				}
			})
		})
	}
}

// TestUnreadReply: a client that does not read is cut off, one that reads slowly is not.
func TestUnreadReply(t *testing.T) {
	serving(t, func(t *testing.T, p *pipes) {
		c := p.dial()
		io.WriteString(c, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
		time.Sleep(Stall)
		synctest.Wait()
		wantClosedAfter(t, c, 0)

		slow := p.dial()
		go io.WriteString(slow, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
		piece := make([]byte, 32<<10)
		for read := 0; read < 1<<20; {
			time.Sleep(Stall - time.Second)
			n, err := slow.Read(piece)
			if err != nil {
				t.Fatalf("after %d bytes: %v", read, err)
			}
			read += n
		}
	})
}

// TestLongReply: a profile takes as long as it was asked to.
func TestLongReply(t *testing.T) {
	serving(t, func(t *testing.T, p *pipes) {
		began := time.Now()
		wantServed(t, p.dial(), "/long")
		if took := time.Since(began); took != time.Minute {
			t.Errorf("answered after %v, want %v", took, time.Minute)
		}
	})
}

// TestMax: a new connection takes the place of the one that has been idle for longest, and of none that is being
// answered.
func TestMax(t *testing.T) {
	serving(t, func(t *testing.T, p *pipes) {
		silent, kept, busy := p.dial(), p.dial(), p.dial()
		wantServed(t, kept, "/")
		go get(busy, "/long")
		time.Sleep(time.Second)
		synctest.Wait()

		first := p.dial()
		wantClosedAfter(t, silent, 0)
		wantServed(t, first, "/")
		second := p.dial()
		wantClosedAfter(t, kept, 0)
		wantServed(t, second, "/")

		go get(first, "/long")
		go get(second, "/long")
		synctest.Wait()
		began := time.Now()
		wantServed(t, p.dial(), "/")
		if waited := time.Since(began); waited != time.Minute-time.Second {
			t.Errorf("served after %v, want to wait for the first that is answered", waited)
		}
	})
}

// TestListen: without a server that tells which connections are idle, a new one waits until another one is closed.
func TestListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		listener := Listen(p, 1)
		accepted := make(chan net.Conn, 3)
		go func() {
			defer close(accepted)
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				accepted <- c
			}
		}()
		p.dial()
		first := <-accepted
		p.dial()
		synctest.Wait()
		if len(accepted) > 0 {
			t.Error("a connection above the limit was accepted")
		}
		first.Close()
		second := <-accepted
		third := p.dial()
		synctest.Wait()
		listener.Close()
		if _, more := <-accepted; more {
			t.Error("a connection was accepted after the end")
		}
		wantClosedAfter(t, third, 0)
		second.Close()
	})
}

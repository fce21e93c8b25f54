package connlimit

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"demo-server/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testMax is the limit in these tests.
const testMax = 3

// serving runs test in virtual time against a server that answers /long after a minute, /big with more than fits into
// one write, and other paths at once.
func serving(t *testing.T, test func(t *testing.T, p *memnet.Listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := memnet.Listen()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Body != http.NoBody || r.ContentLength != 0 || r.TransferEncoding != nil {
				http.Error(w, "the request has a body, which could be handed on", http.StatusInternalServerError)
				return
			}
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
		listener := HTTP(server, p, testMax)
		go func() { served <- server.Serve(listener) }()
		test(t, p)
		server.Close()
		<-served
		time.Sleep(time.Second) // the server's goroutines end
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

// wantClosedAfter checks that the server closes the connection after a time.
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

// TestStall checks that a connection without progress is closed after Stall, at any point of a request.
func TestStall(t *testing.T) {
	for name, sent := range map[string]string{
		"nothing":          "",
		"half a head":      "GET / HTTP/1.1\r\nHost: local",
		"then nothing":     "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"then half a head": "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET",
	} {
		t.Run(name, func(t *testing.T) {
			serving(t, func(t *testing.T, p *memnet.Listener) {
				c := p.Dial()
				go io.WriteString(c, sent)
				wantClosedAfter(t, c, Stall)
			})
		})
	}
}

// TestBody checks that a body is read and dropped, within limits of length and time.
func TestBody(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: localhost\r\n"
	const chunked = "Transfer-Encoding: chunked\r\n\r\n"
	for name, row := range map[string]struct {
		sent   string
		status int // 0 for no reply
		after  time.Duration
	}{
		"whole":            {head + "Content-Length: 2\r\n\r\nhi", 200, 0},
		"whole, chunked":   {head + chunked + "2\r\nhi\r\n0\r\n\r\n", 200, 0},
		"missing":          {head + "Content-Length: 10\r\n\r\n", 0, Stall},
		"missing, chunked": {head + chunked, 0, Stall},
		"half":             {head + "Content-Length: 10\r\n\r\nhi", 0, Stall},
		"half, chunked":    {head + chunked + "2\r\nhi\r\n", 0, Stall},
		"too long":         {head + "Content-Length: 1000000\r\n\r\n", 413, 0},
		"a bit too long":   {head + "Content-Length: 65537\r\n\r\n", 413, 0},
		"too long, chunked": {
			head + chunked + strings.Repeat("400\r\n"+strings.Repeat("x", 1024)+"\r\n", 1+maxBodyBytes/1024), 413, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			serving(t, func(t *testing.T, p *memnet.Listener) {
				c := p.Dial()
				began := time.Now()
				go io.WriteString(c, row.sent)
				status := 0
				if reply, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
					status = reply.StatusCode
				}
				if took := time.Since(began); status != row.status || took != row.after {
					t.Errorf("got %d after %v, want %d after %v", status, took, row.status, row.after)
				}
				c.Close()
			})
		})
	}
}

// TestBodyOfLongReply checks that the time limit of a body does not apply to the reply.
func TestBodyOfLongReply(t *testing.T) {
	serving(t, func(t *testing.T, p *memnet.Listener) {
		c := p.Dial()
		go io.WriteString(c, "GET /long HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
		if reply, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || reply.StatusCode != 200 {
			t.Errorf("got %v, %v, want 200", reply, err)
		}
		c.Close()
	})
}

// TestUnreadReply checks that a client that does not read is cut off, and one that reads slowly is not.
func TestUnreadReply(t *testing.T) {
	serving(t, func(t *testing.T, p *memnet.Listener) {
		c := p.Dial()
		io.WriteString(c, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
		time.Sleep(Stall)
		synctest.Wait()
		wantClosedAfter(t, c, 0)

		slow := p.Dial()
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

// TestLongReply checks that a profile may take as long as requested.
func TestLongReply(t *testing.T) {
	serving(t, func(t *testing.T, p *memnet.Listener) {
		began := time.Now()
		wantServed(t, p.Dial(), "/long")
		if took := time.Since(began); took != time.Minute {
			t.Errorf("answered after %v, want %v", took, time.Minute)
		}
	})
}

// TestMax checks that a new connection replaces the one that has been idle for longest, and none that is being
// answered.
func TestMax(t *testing.T) {
	serving(t, func(t *testing.T, p *memnet.Listener) {
		silent, kept, busy := p.Dial(), p.Dial(), p.Dial()
		wantServed(t, kept, "/")
		began := time.Now()
		go get(busy, "/long")
		time.Sleep(time.Second)
		synctest.Wait()

		first := p.Dial()
		wantClosedAfter(t, silent, 0)
		wantServed(t, first, "/")
		synctest.Wait()
		second := p.Dial()
		wantClosedAfter(t, kept, 0)
		go io.WriteString(second, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
		time.Sleep(time.Second)
		third := p.Dial()
		wantClosedAfter(t, first, 0)
		fourth := p.Dial()
		wantClosedAfter(t, second, 0) // waiting for a body counts as idle
		first, second = third, fourth

		go get(first, "/long")
		go get(second, "/long")
		synctest.Wait()
		wantServed(t, p.Dial(), "/")
		if took := time.Since(began); took != time.Minute+settle {
			t.Errorf("served after %v, want %v, when the first has its answer and no further request", took, time.Minute+settle)
		}
	})
}

// TestListen checks that without a server that reports idle connections, a new one waits until another one is closed.
func TestListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := memnet.Listen()
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
		p.Dial()
		first := <-accepted
		p.Dial()
		synctest.Wait()
		if len(accepted) > 0 {
			t.Error("a connection above the limit was accepted")
		}
		first.Close()
		second := <-accepted
		third := p.Dial()
		synctest.Wait()
		listener.Close()
		if _, more := <-accepted; more {
			t.Error("a connection was accepted after the end")
		}
		wantClosedAfter(t, third, 0)
		second.Close()
	})
}

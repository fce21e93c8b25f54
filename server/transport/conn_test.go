package transport

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"demo-server/server/http1"
)

// still returns a connTracker whose clock only the test moves.
func still(now time.Duration) *connTracker {
	tracker := &connTracker{app: newApp(), limits: testLimits(), timeouts: http1.NewTimeouts(new(testLimits()))}
	tracker.clock.Store(int64(now))
	return tracker
}

func stillConn(now time.Duration, at http1.ConnState, since time.Duration) *conn {
	c := &conn{Conn: &wire{}, tracker: still(now)}
	c.job.Init(c.tracker.app)
	c.setState(at, since)
	c.requested.Store(int64(since))
	return c
}

// TestNoteRead checks which bytes are handed out, the connection's next state, and whether its time starts anew.
func TestNoteRead(t *testing.T) {
	const before, now = 1 * time.Second, 2 * time.Second
	const request = "GET / HTTP/1.1\r\nHost: demo\r\n\r\n"
	const sized = "GET / HTTP/1.1\r\nHost: demo\r\nContent-Length: 5\r\n\r\n"
	for _, row := range []struct {
		name    string
		partial string // earlier bytes of the head
		from    http1.ConnState
		bytes   string
		out     string
		to      http1.ConnState
		since   time.Duration
	}{
		{"a request at once", "", http1.StateNew, request, request, http1.StateBody, now},
		{"the next request", "", http1.StateIdle, request, request, http1.StateBody, now},
		{"two requests at once", "", http1.StateIdle, request + request, request, http1.StateBody, now},
		{"a request and some of its body", "", http1.StateIdle, sized + "x", sized, http1.StateBody, now},
		{"blank lines and a request", "", http1.StateNew, "\r\n\n" + request, request, http1.StateBody, now},
		{"a first byte", "", http1.StateNew, "G", "G", http1.StateHead, now},
		{"the next request's first byte", "", http1.StateIdle, "G", "G", http1.StateHead, now},
		{"more of a header", "G", http1.StateHead, "ET /", "ET /", http1.StateHead, before},
		{"the rest of a header", "GET / ", http1.StateHead, "HTTP/1.1\r\n\r\n", "HTTP/1.1\r\n\r\n", http1.StateBody, now},
		{"the rest of a header and more", "GET / ", http1.StateHead, "HTTP/1.1\r\n\r\nx", "HTTP/1.1\r\n\r\n", http1.StateBody, now},
		{"the last byte of a header", request[:len(request)-1], http1.StateHead, "\nx", "\n", http1.StateBody, now},
		{"the last two bytes of a header", request[:len(request)-2], http1.StateHead, "\r\nx", "\r\n", http1.StateBody, now},
		{"a header that ends in a bare line feed", "GET / HTTP/1.1\n", http1.StateHead, "\nx", "\n", http1.StateBody, now},
		{"blank lines first", "", http1.StateNew, "\r\n\r\n", "", http1.StateNew, before},
		{"blank lines between", "", http1.StateIdle, "\r\n\r\n", "", http1.StateIdle, before},
		{"pipelined while it works", "", http1.StateHandling, request, request, http1.StateHandling, before},
		{"pipelined while it writes", "", http1.StateWriting, request, request, http1.StateWriting, before},
	} {
		c := stillConn(now, row.from, before)
		c.framer.partial = []byte(row.partial)
		from, to, _ := c.noteRead([]byte(row.bytes))
		at, since := c.state()
		if out := row.bytes[from:to]; out != row.out || at != row.to || since != row.since {
			t.Errorf("%s: %q, phase %d since %v; want %q, %d, %v", row.name, out, at, since, row.out, row.to, row.since)
		}
	}
}

// TestNoteReadWhileMoved checks that reading a byte does not undo a change of state on another goroutine.
func TestNoteReadWhileMoved(t *testing.T) {
	c := stillConn(0, http1.StateHandling, 0)
	var round atomic.Int64 // odd while both goroutines run
	var reader sync.WaitGroup
	const rounds = 20_000
	reader.Go(func() {
		for n := int64(1); n < 2*rounds; n += 2 {
			for round.Load() < n {
				runtime.Gosched()
			}
			c.noteRead([]byte("G"))
			round.Add(1)
		}
	})
	moved := 0
	for n := int64(1); n < 2*rounds; n += 2 {
		c.setState(http1.StateBody, 0)
		round.Store(n)
		c.setState(http1.StateHandling, 0)
		for round.Load() == n {
			runtime.Gosched()
		}
		if at, _ := c.state(); at != http1.StateHandling {
			moved++
		}
	}
	reader.Wait()
	if moved > 0 {
		t.Errorf("moved back %d times of %d", moved, rounds)
	}
}

// TestWrite checks that every write is timed, and the state after it.
func TestWrite(t *testing.T) {
	const now = 2 * time.Second
	for _, row := range []struct {
		name     string
		from, to http1.ConnState
	}{
		{"100 Continue", http1.StateBody, http1.StateBody},
		{"the library's own error", http1.StateHead, http1.StateHead},
		{"a reply that waited for more", http1.StateIdle, http1.StateIdle},
		{"a reply", http1.StateHandling, http1.StateWriting},
		{"more of a reply", http1.StateWriting, http1.StateWriting},
	} {
		c := stillConn(now, row.from, 0)
		during := http1.StateNew
		c.Conn = &spy{write: func() { during, _ = c.state() }}
		if n, err := c.Write([]byte("x")); n != 1 || err != nil {
			t.Errorf("%s: wrote %d, %v", row.name, n, err)
		}
		if after, _ := c.state(); during != http1.StateWriting || after != row.to {
			t.Errorf("%s: phase %d during and %d after it, want %d and %d", row.name, during, after, http1.StateWriting, row.to)
		}
	}
}

// spy calls a function during each write.
type spy struct {
	wire
	write func()
}

func (s *spy) Write(p []byte) (int, error) {
	s.write()
	return s.wire.Write(p)
}

// TestWriteProgress checks that each chunk of a long reply counts as progress.
func TestWriteProgress(t *testing.T) {
	c := stillConn(0, http1.StateHandling, 0)
	w := &spy{}
	var stamps []time.Duration
	w.write = func() {
		_, since := c.state()
		stamps = append(stamps, since)
		c.tracker.clock.Add(int64(time.Second))
	}
	c.Conn = w
	long := strings.Repeat("x", 2*writeChunk+1)
	if n, err := c.Write([]byte(long)); n != len(long) || err != nil || w.written.String() != long {
		t.Errorf("wrote %d, %v, want %d", n, err, len(long))
	}
	if len(stamps) != 3 || stamps[1] != time.Second || stamps[2] != 2*time.Second {
		t.Errorf("stamps %v, want three, a second apart", stamps)
	}
}

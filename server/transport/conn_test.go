package transport

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// still are conns whose clock only the test moves.
func still(now time.Duration) *conns {
	s := &conns{app: newApp(), limits: limits()}
	s.clock.Store(int64(now))
	return s
}

func stillConn(now time.Duration, at phase, since time.Duration) *conn {
	c := &conn{Conn: &wire{}, conns: still(now)}
	c.job.Init(c.conns.app)
	c.enter(at, since)
	return c
}

// TestArrived: where bytes move a connection on to, and whether that starts a time anew.
func TestArrived(t *testing.T) {
	const before, now = 1 * time.Second, 2 * time.Second
	const request = "GET / HTTP/1.1\r\nHost: demo\r\n\r\n"
	for _, row := range []struct {
		name  string
		from  phase
		bytes string
		to    phase
		since time.Duration
		ahead bool
	}{
		{"a request at once", phaseFresh, request, phaseBody, now, false},
		{"the next request", phaseIdle, request, phaseBody, now, false},
		{"two requests at once", phaseIdle, request + request, phaseBody, now, true},
		{"a request and some of its body", phaseIdle, request + "x", phaseBody, now, true},
		{"blank lines and a request", phaseFresh, "\r\n\n" + request, phaseBody, now, false},
		{"a first byte", phaseFresh, "G", phaseHeader, now, true},
		{"the next request's first byte", phaseIdle, "G", phaseHeader, now, true},
		{"more of a header", phaseHeader, "ET /", phaseHeader, before, true},
		{"the rest of a header", phaseHeader, "HTTP/1.1\r\n\r\n", phaseBody, now, false},
		{"the rest of a header and more", phaseHeader, "HTTP/1.1\r\n\r\nx", phaseBody, now, true},
		{"some of a body", phaseBody, "x", phaseBody, now, true},
		{"a body that looks like a header's end", phaseBody, "\r\n\r\n", phaseBody, now, true},
		{"blank lines first", phaseFresh, "\r\n\r\n", phaseFresh, before, false},
		{"blank lines between", phaseIdle, "\r\n\r\n", phaseIdle, before, false},
		{"pipelined while it works", phaseWorking, request, phaseWorking, before, false},
		{"pipelined while it writes", phaseWriting, request, phaseWriting, before, false},
	} {
		c := stillConn(now, row.from, before)
		c.arrived([]byte(row.bytes))
		if at, since := c.where(); at != row.to || since != row.since || c.ahead != row.ahead {
			t.Errorf("%s: phase %d since %v, ahead %v; want %d, %v, %v", row.name, at, since, c.ahead, row.to, row.since, row.ahead)
		}
	}
}

// TestArrivedWhileMoved: a byte that is read while another goroutine moves the connection on does not move it back.
func TestArrivedWhileMoved(t *testing.T) {
	c := stillConn(0, phaseWorking, 0)
	var round atomic.Int64 // odd while both are at it
	var reader sync.WaitGroup
	const rounds = 20_000
	reader.Go(func() {
		for n := int64(1); n < 2*rounds; n += 2 {
			for round.Load() < n {
				runtime.Gosched()
			}
			c.arrived([]byte("G"))
			round.Add(1)
		}
	})
	moved := 0
	for n := int64(1); n < 2*rounds; n += 2 {
		c.enter(phaseBody, 0)
		round.Store(n)
		c.enter(phaseWorking, 0)
		for round.Load() == n {
			runtime.Gosched()
		}
		if at, _ := c.where(); at != phaseWorking {
			moved++
		}
	}
	reader.Wait()
	if moved > 0 {
		t.Errorf("moved back %d times of %d", moved, rounds)
	}
}

// TestWrite: whatever writes is timed as such, and is afterwards where it was.
func TestWrite(t *testing.T) {
	const now = 2 * time.Second
	for _, row := range []struct {
		name     string
		from, to phase
	}{
		{"100 Continue", phaseBody, phaseBody},
		{"the library's own error", phaseHeader, phaseHeader},
		{"a reply that waited for more", phaseIdle, phaseIdle},
		{"a reply", phaseWorking, phaseWriting},
		{"more of a reply", phaseWriting, phaseWriting},
	} {
		c := stillConn(now, row.from, 0)
		during := phaseFresh
		c.Conn = &spy{write: func() { during, _ = c.where() }}
		if n, err := c.Write([]byte("x")); n != 1 || err != nil {
			t.Errorf("%s: wrote %d, %v", row.name, n, err)
		}
		if after, _ := c.where(); during != phaseWriting || after != row.to {
			t.Errorf("%s: phase %d during and %d after it, want %d and %d", row.name, during, after, phaseWriting, row.to)
		}
	}
}

// spy looks while something is written.
type spy struct {
	wire
	write func()
}

func (s *spy) Write(p []byte) (int, error) {
	s.write()
	return s.wire.Write(p)
}

// TestWriteProgress: a long reply makes progress with each of its pieces.
func TestWriteProgress(t *testing.T) {
	c := stillConn(0, phaseWorking, 0)
	w := &spy{}
	var stamps []time.Duration
	w.write = func() {
		_, since := c.where()
		stamps = append(stamps, since)
		c.conns.clock.Add(int64(time.Second))
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

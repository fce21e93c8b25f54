//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

// delay is one for a mode under load: short enough for many requests to come through one by one.
func (m mode) delay() time.Duration {
	if m.single() {
		return 10 * time.Millisecond
	}
	return 100 * time.Millisecond
}

// A crowd are clients that ask without a pause until the server is gone.
type crowd struct {
	server   *process
	clients  sync.WaitGroup
	answered atomic.Int64
	stopping atomic.Bool

	mu   sync.Mutex
	lost []string
}

// join adds n clients, which keep their connections as long as the server does, or make one for each request.
func (c *crowd) join(n int, keep bool) {
	for range n {
		c.clients.Go(func() {
			for c.visit(keep) {
			}
		})
	}
}

// visit makes one connection and asks on it. It returns false once there is nobody to connect to. Whoever is connected
// has to get an answer to each request, until one says that the connection closes.
func (c *crowd) visit(keep bool) (again bool) {
	stopping := c.stopping.Load()
	conn, err := c.server.connect()
	if err != nil {
		if !stopping && !c.stopping.Load() {
			c.lose("connect: " + err.Error())
		}
		return false
	}
	defer conn.Close()
	for {
		status, closes, err := conn.ask()
		if err != nil || status != http.StatusOK {
			c.lose(fmt.Sprintf("status %d, %v", status, err))
			return false
		}
		c.answered.Add(1)
		if closes || !keep {
			return true
		}
	}
}

func (c *crowd) lose(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = append(c.lost, what)
}

// TestStopUnderLoad: SIGTERM loses no request of clients that are connected, kept connections or new ones, in one process
// or two workers.
func TestStopUnderLoad(t *testing.T) {
	for _, processes := range []string{"0", "2"} {
		t.Run(processes, func(t *testing.T) { eachMode(t, func(t *testing.T, m mode) { stopUnderLoad(t, m, processes) }) })
	}
}

func stopUnderLoad(t *testing.T, m mode, processes string) {
	p := start(t, "--mode="+m.Name, "--delay="+m.delay().String(), "--processes="+processes)
	c := &crowd{server: p}
	c.join(10, true)
	c.join(10, false)
	testkit.Eventually(t, "the crowd is served", func() bool { return c.answered.Load() >= 60 })
	c.stopping.Store(true)
	p.terminate(t)
	c.clients.Wait()
	for _, what := range c.lost {
		t.Errorf("lost: %s", what)
	}
	p.wantStopped(t)
}

// TestStopUnderAB: the real ab is served until it finds the port closed. A reset would be told as such.
func TestStopUnderAB(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay="+m.delay().String())
		printed := make(chan string, 1)
		go func() {
			out, _ := tool(t, "ab", "-q", "-c", "20", "-n", "100000", p.url) // it fails when the server is gone
			printed <- out
		}()
		testkit.Eventually(t, "ab is served", func() bool { return p.stats(t).Requests["ok"] >= 30 })
		p.terminate(t)
		p.wantStopped(t)
		if out := <-printed; !strings.Contains(out, "Connection refused") || strings.Contains(out, "reset") {
			t.Errorf("ab ended by something else than a closed port:\n%s", out)
		}
	})
}

// TestStopUnderWrk: the real wrk sees no kept connection close that was not announced. What it counts as write errors
// are its connects to the closed port.
func TestStopUnderWrk(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay="+m.delay().String())
		result := make(chan wrked, 1)
		go func() {
			defer close(result)
			result <- wrk(t, p, 2, 20)
		}()
		testkit.Eventually(t, "wrk is served", func() bool { return p.stats(t).Requests["ok"] >= 30 })
		p.terminate(t)
		p.wantStopped(t)
		if w := <-result; w.errors.read != 0 || w.errors.timeout != 0 || w.non2xx {
			t.Errorf("wrk found fault:\n%s", w.out)
		}
	})
}

// TestStopServesConnected: who is connected when the server is told to stop may still ask, on a new connection or on a
// kept one that is idle.
func TestStopServesConnected(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay=10ms")
		var clients []*client
		for range 5 {
			clients = append(clients, p.dial(t))
		}
		for _, c := range clients[:2] {
			if !m.single() {
				c.want(t)
			}
		}
		p.terminate(t)
		for _, c := range clients {
			if err := c.send(); err != nil {
				t.Error(err)
			}
		}
		if ok, _ := receiveAll(t, clients); ok != len(clients) {
			t.Errorf("%d of %d got 200", ok, len(clients))
		}
		p.wantStopped(t)
	})
}

// TestStopServesQueues: what waits when the server is told to stop, in the kernel's accept queue, in our own or in
// flight, is served before the drain deadline.
func TestStopServesQueues(t *testing.T) {
	const n = 50
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		p := start(t, "--mode="+m.Name, "--delay=30ms", "--workers=1")
		clients := p.dialAll(t, n)
		p.terminate(t)
		if ok, refused := receiveAll(t, clients); ok != n {
			t.Errorf("%d got 200 and %d 503, want 200 for all %d", ok, refused, n)
		}
		p.wantStopped(t)
	})
}

// TestDrainDeadline: what is not done at the deadline gets 503, and is counted.
func TestDrainDeadline(t *testing.T) {
	const n = 30
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		delay := "400ms" // of which the bounded modes get some done, and not all: that would take them 12 s
		if !m.binds() {
			delay = "30s"
		}
		p := start(t, "--mode="+m.Name, "--delay="+delay, "--workers=1", "--drain-timeout=1400ms")
		clients := p.dialAll(t, n)
		testkit.Eventually(t, "all have arrived", func() bool {
			s := p.stats(t)
			return s.InFlight+s.Queued+s.AcceptQueue.Depth+s.Requests["ok"] == n
		})
		before := time.Now()
		p.terminate(t)
		ok, refused := receiveAll(t, clients)
		if took := time.Since(before); took > 8*time.Second {
			t.Errorf("the last reply came after %v", took)
		}
		if ok+refused != n || refused == 0 || (ok > 0) != m.binds() {
			t.Errorf("%d got 200 and %d 503, want %d replies of both kinds, or 503 only in a mode without a bound", ok, refused, n)
		}
		p.wantStopped(t)
		if counted := p.countedDraining(); counted != refused {
			t.Errorf("%d refusals were counted, but %d clients got 503", counted, refused)
		}
	})
}

// countedDraining is how many refusals the log tells of: the first of a burst on a line of its own, the others summed.
func (p *process) countedDraining() int {
	sum := 0
	for _, l := range p.logged("refusing requests") {
		if l.fields["outcome"] == "draining" {
			sum++
		}
	}
	for _, l := range p.logged("refused requests") {
		more, _ := l.fields["draining"].(float64)
		sum += int(more)
	}
	return sum
}

// afterEcho is long enough after a signal for the next one not to be taken for the same.
const afterEcho = 50 * time.Millisecond

// TestSecondSignal ends the server at once, whatever runs.
func TestSecondSignal(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			p := start(t, "--mode="+m.Name, "--delay=1m", "--drain-timeout=1h")
			p.dialAll(t, 3)
			p.settle(t, 3)
			p.terminate(t)
			time.Sleep(afterEcho)
			p.signal(t, second)
			p.wantExit(t, 1)
			if n := len(p.logged("second signal: exiting immediately")); n != 1 {
				t.Errorf("the second signal was logged %d times, want once", n)
			}
		}
	})
}

// TestLameDuck: load balancers are told to stay away, while whoever comes is served as ever.
func TestLameDuck(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		p := start(t, "--mode="+m.Name, "--delay=10ms", "--lame-duck=4s")
		if status, body := p.ask(t, "readyz"); status != http.StatusOK {
			t.Errorf("/readyz before: %d %s", status, body)
		}
		before := time.Now()
		p.terminate(t)
		testkit.Eventually(t, "/readyz answers 503", func() bool {
			status, _ := p.ask(t, "readyz")
			return status == http.StatusServiceUnavailable
		})
		if status, body := p.ask(t, "healthz"); status != http.StatusOK {
			t.Errorf("/healthz: %d %s", status, body)
		}
		c := p.dial(t)
		if closes := c.want(t); closes != m.single() {
			t.Errorf("Connection: close is %v, want %v: nothing is announced yet", closes, m.single())
		}
		p.wantStopped(t)
		if took := time.Since(before); took < 4*time.Second {
			t.Errorf("stopped after %v, want the lame duck's time at least", took)
		}
	})
}

package modes_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"demo-server/internal/testkit"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/work"
	"demo-server/work/remote"
	"demo-server/work/remote/backend"
)

// testConnections is more than these tests need.
const testConnections = 1000

// A dependency is a server that a kind of work calls.
type dependency struct {
	start func(address string, maxConnections int) (*backend.Server, error)
	*backend.Server
}

func depend(t *testing.T, start func(string, int) (*backend.Server, error)) *dependency {
	t.Helper()
	d := &dependency{start: start}
	d.run(t, ownAddress())
	t.Cleanup(func() { d.Close() })
	return d
}

// ownAddress returns a loopback address for this test alone, with any port: while the dependency is down, no other
// process takes the port. Only Linux has more than one such address.
func ownAddress() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1:0"
	}
	return fmt.Sprintf("127.%d.%d.%d:0", 1+rand.N(254), rand.N(256), 1+rand.N(254))
}

func (d *dependency) run(t *testing.T, address string) {
	t.Helper()
	var err error
	if d.Server, err = d.start(address, testConnections); err != nil {
		t.Fatal(err)
	}
}

// kinds lists the kinds of work except sql, which needs a PostgreSQL and is tested end to end. needs is nil if the kind
// has no dependency.
var kinds = []struct {
	name  string
	holds work.Resource
	make  func(t *testing.T) (kind work.Work, needs *dependency)
}{
	{"sleep", work.Nothing, func(*testing.T) (work.Work, *dependency) { return work.NewSleep(), nil }},
	{"block", work.Thread, func(*testing.T) (work.Work, *dependency) { return work.NewBlock(10), nil }},
	{"cpu", work.Core, func(*testing.T) (work.Work, *dependency) { return work.NewCPU(), nil }},
	{"mutex", work.Slot, func(*testing.T) (work.Work, *dependency) { return work.NewMutex(1), nil }},
	{"file", work.Thread, func(t *testing.T) (work.Work, *dependency) {
		kind, err := work.NewFile(t.TempDir(), 10, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return kind, nil
	}},
	{"http", work.Socket, func(t *testing.T) (work.Work, *dependency) {
		d := depend(t, backend.StartHTTP)
		kind, err := remote.NewHTTP("http://"+d.Addr().String()+"/", 2, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return kind, d
	}},
	{"grpc", work.Socket, func(t *testing.T) (work.Work, *dependency) {
		d := depend(t, backend.StartGRPC)
		kind, err := remote.NewGRPC(d.Addr().String(), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return kind, d
	}},
}

// modesFor returns the modes, with their limits on work that holds a resource.
func modesFor(holds work.Resource) (all []variant) {
	o := modes.Options{Workers: 2, MaxThreads: 100, Loops: 1, LoopHelpers: 2}
	for _, described := range modes.All {
		mode := described.Instance(o)
		mode.Limit = mode.LimitOf(holds)
		all = append(all, variant{mode.Name, mode})
	}
	o.Unpatched = true
	return append(all, variant{"eventloop, unpatched", named("eventloop", o)})
}

// eachKind runs test for every kind in every mode, in real time.
func eachKind(t *testing.T, test func(t *testing.T, mode modes.Instance, kind work.Work, needs *dependency)) {
	for _, k := range kinds {
		for _, v := range modesFor(k.holds) {
			t.Run(k.name+" in "+v.label, func(t *testing.T) {
				t.Parallel()
				kind, needs := k.make(t)
				if closer, ok := kind.(io.Closer); ok {
					t.Cleanup(func() { closer.Close() }) // after the mode has ended
				}
				test(t, v.Instance, kind, needs)
			})
		}
	}
}

// TestKindHello checks the delay and the reply of several concurrent requests, for every kind in every mode.
func TestKindHello(t *testing.T) {
	eachKind(t, func(t *testing.T, mode modes.Instance, kind work.Work, _ *dependency) {
		_, source := overTCP(t, mode, config{work: kind, delay: brief / 5, queue: 10})
		clients := []*client{dialTCP(t, source), dialTCP(t, source), dialTCP(t, source)}
		for _, c := range clients {
			c.send(hello)
		}
		for _, c := range clients {
			r := c.read(http.MethodGet)
			if r == nil || r.body != "Hello World" {
				t.Fatalf("%+v, want Hello World", r)
			}
			if worked := timing(t, r, "work"); worked < brief/5 {
				t.Errorf("worked for %s, want %s", worked, brief/5)
			}
		}
	})
}

// TestKindLeave checks that a disconnect frees the request's place and its work's resource, even if it was still
// waiting for that.
func TestKindLeave(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("modes say that clients are not seen to leave on " + runtime.GOOS)
	}
	eachKind(t, func(t *testing.T, mode modes.Instance, kind work.Work, needs *dependency) {
		if standsStill(mode) {
			return
		}
		seen := &outcomes{}
		s, source := overTCP(t, mode, config{work: kind, delay: time.Minute, queue: 10, observers: []server.Observer{seen}})
		n := 3
		if !mode.Capabilities.KeepsAlive {
			n = 1
		}
		var clients []*client
		for range n {
			clients = append(clients, dialTCP(t, source).send(hello))
		}
		testkit.Eventually(t, "all are in", func() bool { return s.app.InFlight()+s.app.Queued() == n })
		for _, c := range clients {
			c.Close()
		}
		testkit.Eventually(t, "all places are free", func() bool {
			return s.app.InFlight()+s.app.Queued() == 0 && seen.of(server.DisconnectedRunning)+seen.of(server.DisconnectedQueued) == n
		})
		if pooled, ok := kind.(work.Pooled); ok {
			if pool := pooled.Pool(); pool.InUse != 0 || pool.Waiting != 0 {
				t.Errorf("%+v, want nothing in use", pool)
			}
		}
		if needs != nil {
			testkit.Eventually(t, "nobody calls the dependency", func() bool { return needs.Waiting() == 0 })
		}
	})
}

// TestKindDrain checks that requests in flight at a stop are finished, and end with 503 at the drain deadline.
func TestKindDrain(t *testing.T) {
	eachKind(t, func(t *testing.T, mode modes.Instance, kind work.Work, _ *dependency) {
		stopInFlight(t, mode, kind, time.Minute, true, http.StatusServiceUnavailable)
		// On a busy machine a request may end before the stop. Then a longer one is sent.
		delay := brief
		for !stopInFlight(t, mode, kind, delay, false, http.StatusOK) {
			if delay *= 3; delay > testkit.Patience/3 {
				t.Fatal("no request was in flight when the mode was told to stop")
			}
		}
	})
}

// stopInFlight stops a mode while a request is in flight, and checks its status. It returns false if the request may
// have ended before.
func stopInFlight(t *testing.T, mode modes.Instance, kind work.Work, delay time.Duration, expire bool, status int) bool {
	t.Helper()
	s, source := overTCP(t, mode, config{work: kind, delay: delay})
	sent := time.Now()
	over := func() bool { return time.Since(sent) >= delay }
	c := dialTCP(t, source).send(hello)
	testkit.Eventually(t, "the request is in flight", func() bool { return s.app.InFlight() == 1 || over() })
	s.stop()
	if expire {
		s.app.ExpireDrain()
	}
	testkit.Eventually(t, "the mode has been told", s.app.Closing)
	if over() {
		return false
	}
	if r := c.read(http.MethodGet); r == nil || r.StatusCode != status || !r.Close {
		t.Errorf("expires: %v: %+v, want %d and closed", expire, r, status)
	}
	return true
}

// TestKindDependency checks that every request gets 502 while the dependency is down, from the start or later, and
// works again afterwards without a restart.
func TestKindDependency(t *testing.T) {
	eachKind(t, func(t *testing.T, mode modes.Instance, kind work.Work, needs *dependency) {
		if needs == nil {
			return
		}
		for _, fromStart := range []bool{true, false} {
			address := needs.Addr().String()
			if fromStart {
				needs.Close()
			}
			seen := &failures{}
			_, source := overTCP(t, mode, config{work: kind, delay: brief / 10, queue: 10, observers: []server.Observer{seen}})
			if !fromStart {
				dialTCP(t, source).get(http.StatusOK)
				needs.Close()
			}
			for range 3 {
				dialTCP(t, source).get(http.StatusBadGateway)
			}
			testkit.Eventually(t, "failures are counted by cause", func() bool { return seen.of(work.Refused)+seen.of(work.Broken) == 3 })

			needs.run(t, address)
			testkit.Eventually(t, "it works again", func() bool {
				r := dialTCP(t, source).send(hello).read(http.MethodGet)
				return r != nil && r.StatusCode == http.StatusOK
			})
		}
	})
}

// TestKindDependencyCut checks that a dependency that dies fails the requests that wait for it, and no others.
func TestKindDependencyCut(t *testing.T) {
	eachKind(t, func(t *testing.T, mode modes.Instance, kind work.Work, needs *dependency) {
		if needs == nil {
			return
		}
		_, source := overTCP(t, mode, config{work: kind, delay: time.Minute})
		c := dialTCP(t, source).send(hello)
		testkit.Eventually(t, "the request waits", func() bool { return needs.Waiting() == 1 })
		needs.Close()
		if r := c.read(http.MethodGet); r == nil || r.StatusCode != http.StatusBadGateway {
			t.Errorf("%+v, want 502", r)
		}
	})
}

// A failures counts failures by cause.
type failures struct {
	mu     sync.Mutex
	counts map[work.Cause]int
}

func (f *failures) Observe(s *server.Sample) {
	if s.Failure == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[work.Cause]int{}
	}
	f.counts[s.Failure.Cause]++
}

func (f *failures) of(cause work.Cause) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[cause]
}

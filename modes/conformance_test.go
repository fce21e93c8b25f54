package modes_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/internal/testkit"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/work"
)

// This file tests the contract of Instance.Serve and of the endpoint, one test for each sentence of it, for every mode
// in the list.

func TestHello(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		_, m := inMemory(t, mode, config{})
		before := time.Now()
		r := m.dial(t).get(http.StatusOK)
		if took := time.Since(before); took != testDelay {
			t.Errorf("took %v, want %v", took, testDelay)
		}
		if r.body != "Hello World" || r.ContentLength != 11 {
			t.Errorf("body %q of length %d, want Hello World of 11", r.body, r.ContentLength)
		}
		for header, want := range map[string]string{
			"Content-Type":  "text/plain; charset=utf-8",
			"Server":        "demo-server (" + mode.Name + ")",
			"Server-Timing": "queue;dur=0, work;dur=2000",
		} {
			if got := r.Header.Get(header); got != want {
				t.Errorf("%s is %q, want %q", header, got, want)
			}
		}
	})
}

func TestBody(t *testing.T) {
	long := strings.Repeat("all work and no play ", 10_000)
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		_, m := inMemory(t, mode, config{body: long})
		if r := m.dial(t).get(http.StatusOK); r.body != long || r.ContentLength != int64(len(long)) {
			t.Errorf("got %d bytes with Content-Length %d, want %d", len(r.body), r.ContentLength, len(long))
		}
		head := m.dial(t).send("HEAD / HTTP/1.1\r\nHost: demo\r\n\r\n").read("HEAD")
		if head.StatusCode != http.StatusOK || head.ContentLength != int64(len(long)) || head.body != "" {
			t.Errorf("HEAD: %d, Content-Length %d, body %q", head.StatusCode, head.ContentLength, head.body)
		}
	})
}

// TestParallel checks how long n concurrent requests take, which is the difference between the modes.
func TestParallel(t *testing.T) {
	const n, workers = 10, 4
	eachMode(t, workers, func(t *testing.T, mode modes.Instance) {
		parallel := n
		if mode.Limit.N > 0 {
			parallel = min(n, mode.Limit.N)
		}
		rounds := (n + parallel - 1) / parallel
		seen := &outcomes{}
		s, m := inMemory(t, mode, config{queue: n, observers: []server.Observer{seen}})
		before := time.Now()
		replies := make(chan *reply, n)
		for range n {
			c := m.dial(t).send(hello)
			go func() { replies <- c.read("GET") }()
		}
		synctest.Wait()
		if running := s.app.InFlight(); running != parallel {
			t.Errorf("%d in flight, want %d", running, parallel)
		}
		if queued := s.app.Queued(); mode.Limit.Overflow == modes.Queue && queued != n-parallel {
			t.Errorf("%d queued, want %d", queued, n-parallel)
		}
		for range n {
			if r := <-replies; r == nil || r.StatusCode != http.StatusOK {
				t.Errorf("reply %+v, want 200", r)
			}
		}
		if took, want := time.Since(before), time.Duration(rounds)*testDelay; took != want {
			t.Errorf("took %v, want %v", took, want)
		}
		synctest.Wait()
		if seen.of(server.OK) != n || s.app.InFlight() != 0 || s.app.Queued() != 0 {
			t.Errorf("%d ok, %d in flight, %d queued afterwards; want %d, 0, 0", seen.of(server.OK), s.app.InFlight(), s.app.Queued(), n)
		}
	})
}

// TestDescribe checks that samples have the client's address and the query if requested, even those of refused
// requests.
func TestDescribe(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		seen := &sampled{samples: make(chan server.Sample, 10)}
		_, source := overTCP(t, mode, config{delay: atOnce, faults: asking, describe: true, queue: 1, observers: []server.Observer{seen}})
		for _, row := range []struct{ target, path, query string }{
			{"/", "/", ""}, {"/?delay=0s&_=%0a", "/", "delay=0s&_=%0a"}, {"/?delay=never", "/", "delay=never"}, {"/nowhere?a=b?c", "/nowhere", "a=b?c"},
		} {
			c := dialTCP(t, source).send(ask(row.target))
			c.read("GET")
			c.Close()
			if s := <-seen.samples; s.Path != row.path || s.Query != row.query || s.Client != c.LocalAddr().String() {
				t.Errorf("%s: path %q, query %q, client %q; want %q, %q, %q", row.target, s.Path, s.Query, s.Client, row.path, row.query, c.LocalAddr())
			}
		}
	})
}

// sampled sends samples to a channel.
type sampled struct{ samples chan server.Sample }

func (s *sampled) Observe(sample *server.Sample) { s.samples <- *sample }

func TestQueueFull(t *testing.T) {
	eachBounded(t, func(t *testing.T, mode modes.Instance) {
		seen := &outcomes{}
		_, m := inMemory(t, mode, config{queue: 2, timeout: time.Minute, observers: []server.Observer{seen}})
		for range 3 { // one works, two wait
			m.dial(t).send(hello)
			synctest.Wait()
		}
		before := time.Now()
		r := m.dial(t).get(http.StatusServiceUnavailable)
		if took := time.Since(before); took != 0 {
			t.Errorf("refused after %v, want at once", took)
		}
		// Two wait and a third would join them, each for 2 s of the one worker.
		if got := r.Header.Get("Retry-After"); got != "6" {
			t.Errorf("Retry-After %q, want 6", got)
		}
		synctest.Wait()
		if seen.of(server.QueueFull) != 1 {
			t.Errorf("counted %v, want one %s", seen.counts, server.QueueFull)
		}
	})
}

func TestQueueTimeout(t *testing.T) {
	eachBounded(t, func(t *testing.T, mode modes.Instance) {
		_, m := inMemory(t, mode, config{queue: 9, timeout: time.Second})
		first := m.dial(t).send(hello)
		synctest.Wait()
		go first.read("GET")
		before := time.Now()
		late := m.dial(t)
		r := late.get(http.StatusServiceUnavailable)
		if took := time.Since(before); took != time.Second {
			t.Errorf("refused after %v, want the queue timeout of 1s", took)
		}
		if got := r.Header.Get("Server-Timing"); got != "queue;dur=1000, work;dur=0" {
			t.Errorf("Server-Timing %q", got)
		}
		time.Sleep(testDelay)
		late.get(http.StatusOK) // the connection is kept, and the worker is free again
	})
}

func eachBounded(t *testing.T, test func(*testing.T, modes.Instance)) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		if mode.Limit.Overflow == modes.Queue {
			test(t, mode)
		}
	})
}

// explosive is work that panics the first time.
type explosive struct {
	work.Work
	armed atomic.Bool
}

func (*explosive) Holds() work.Resource { return work.Socket }

func (e *explosive) Do(ctx context.Context, delay time.Duration) error {
	if e.armed.Swap(false) {
		panic("boom")
	}
	return e.Work.Do(ctx, delay)
}

func TestPanicSurvived(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		panics := &panicCatcher{}
		e := &explosive{Work: work.NewSleep()}
		e.armed.Store(true)
		s, m := inMemory(t, mode, config{work: e, observers: []server.Observer{panics}})
		m.dial(t).get(http.StatusInternalServerError)
		m.dial(t).get(http.StatusOK)
		synctest.Wait()
		if s.app.InFlight() != 0 {
			t.Errorf("%d in flight afterwards", s.app.InFlight())
		}
		if got := panics.seen.Load(); got == nil || got.Error() != "panic in work: boom" || !strings.Contains(string(got.Stack), "explosive") {
			t.Errorf("observed %v, want boom with the stack that threw it", got)
		}
	})
}

type panicCatcher struct{ seen atomic.Pointer[server.Panic] }

func (p *panicCatcher) Observe(s *server.Sample) {
	if s.Panic != nil {
		p.seen.Store(s.Panic)
	}
}

type broken struct{ work.Work }

func (broken) Holds() work.Resource { return work.Socket }

func (broken) Do(context.Context, time.Duration) error { return errors.New("no such luck") }

func TestFailedWork(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		seen := &outcomes{}
		_, m := inMemory(t, mode, config{work: broken{work.NewSleep()}, observers: []server.Observer{seen}})
		m.dial(t).get(http.StatusInternalServerError)
		synctest.Wait()
		if seen.of(server.Failed) != 1 {
			t.Errorf("counted %v, want one %s", seen.counts, server.Failed)
		}
	})
}

// TestDrainCompletes checks that running and queued requests are answered after ctx is done, with an announcement to
// close.
func TestDrainCompletes(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		s, m := inMemory(t, mode, config{queue: 1, timeout: time.Minute})
		clients := []*client{m.dial(t).send(hello)}
		synctest.Wait()
		if mode.Limit.Overflow == modes.Queue {
			clients = append(clients, m.dial(t).send(hello))
			synctest.Wait()
		}
		s.stop()
		for _, c := range clients {
			r := c.read("GET")
			if r == nil || r.StatusCode != http.StatusOK || !r.Close {
				t.Errorf("reply %+v, want 200 with Connection: close", r)
			}
			if !c.closed() {
				t.Error("connection still open")
			}
		}
		s.ended(t)
	})
}

// TestDrainIdle checks that an idle connection still answers a request for a while after ctx is done, and is then
// closed.
func TestDrainIdle(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		if !mode.Capabilities.KeepsAlive {
			return // keeps no connection
		}
		s, m := inMemory(t, mode, config{queue: 1, timeout: time.Minute})
		idle, quick := m.dial(t), m.dial(t)
		idle.get(http.StatusOK)
		quick.get(http.StatusOK)
		s.stop()
		time.Sleep(100 * time.Millisecond)
		if r := quick.get(http.StatusOK); !r.Close {
			t.Error("a reply during the drain does not say Connection: close")
		}
		if !idle.closed() {
			t.Error("the idle connection is open after the drain")
		}
		s.ended(t)
	})
}

// TestDrainDeadline checks that queued and running requests end with 503 at the drain deadline, and later ones are
// refused.
func TestDrainDeadline(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		seen := &outcomes{}
		s, m := inMemory(t, mode, config{
			delay: time.Hour, queue: 1, timeout: 2 * time.Hour, observers: []server.Observer{seen},
		})
		clients := []*client{m.dial(t).send(hello)}
		synctest.Wait()
		if mode.Capabilities.KeepsAlive {
			clients = append(clients, m.dial(t).send(hello))
			synctest.Wait()
		}
		s.stop()
		time.Sleep(time.Second)
		s.app.ExpireDrain()
		for _, c := range clients {
			if r := c.read("GET"); r == nil || r.StatusCode != http.StatusServiceUnavailable || !r.Close {
				t.Errorf("reply %+v, want 503 with Connection: close", r)
			}
		}
		s.ended(t)
		if seen.of(server.Draining) != len(clients) {
			t.Errorf("counted %v, want %d %s", seen.counts, len(clients), server.Draining)
		}
	})
}

func TestRefusedAfterDrainDeadline(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		s, m := inMemory(t, mode, config{})
		s.app.ExpireDrain()
		for range 3 {
			if r := m.dial(t).get(http.StatusServiceUnavailable); !r.Close {
				t.Error("the reply does not say Connection: close")
			}
			time.Sleep(2500 * time.Millisecond) // an established connection may be accepted long after the deadline
		}
	})
}

// TestSourceHandedOver checks that a second mode can take over the source while requests of the first are in flight.
func TestSourceHandedOver(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, described := range modes.All {
			next := described.Instance(modes.Options{Workers: 1, MaxThreads: 1, Loops: 1})
			m := newMemory()
			source := m.source()
			first := serve(t, mode, source, config{})
			old := m.dial(t).send(hello)
			synctest.Wait()

			second := serve(t, next, source, config{})
			first.stop()
			synctest.Wait()
			r := m.dial(t).get(http.StatusOK)
			if want := "demo-server (" + next.Name + ")"; r.Header.Get("Server") != want {
				t.Errorf("a new connection is served by %s, want %s", r.Header.Get("Server"), want)
			}
			r = old.read("GET")
			if want := "demo-server (" + mode.Name + ")"; r == nil || r.StatusCode != http.StatusOK || r.Header.Get("Server") != want {
				t.Errorf("the old connection got %+v, want 200 from %s", r, want)
			}
			first.ended(t)
			second.ended(t)
			source.Close()
		}
	})
}

// The remaining tests need the kernel, which reports disconnects and the time in the accept queue.

// TestSocketHandedOver is TestSourceHandedOver with a socket. Each mode has its own descriptor, and must neither accept
// on it afterwards nor close the socket for the next mode.
func TestSocketHandedOver(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		first, source := overTCP(t, mode, config{delay: while})
		old := dialTCP(t, source).send(hello)
		testkit.Eventually(t, "the first mode works", func() bool { return first.app.InFlight() == 1 })
		next := named("goroutine", modes.Options{})
		second := serve(t, next, source, config{delay: atOnce})
		defer second.ended(t)
		first.stop()
		if r := old.read("GET"); r == nil || r.StatusCode != http.StatusOK || !r.Close {
			t.Errorf("the old connection got %+v, want 200 and Connection: close", r)
		}
		first.ended(t)
		for range 20 {
			r := dialTCP(t, source).get(http.StatusOK)
			if want := "demo-server (" + next.Name + ")"; r.Header.Get("Server") != want {
				t.Fatalf("a new connection is served by %s, want %s", r.Header.Get("Server"), want)
			}
		}
	})
}

// TestLeave checks that a disconnect frees the request's place at once, queued or running, unless work is to be
// finished.
func TestLeave(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("modes say that clients are not seen to leave on " + runtime.GOOS)
	}
	const long = time.Minute
	leaves := map[string]func(*client){
		"close": func(c *client) { c.Close() },
		"fin":   func(c *client) { c.Conn.(interface{ CloseWrite() error }).CloseWrite() },
		// net/http looks for a FIN only in place of a next request, and sees this byte there
		"pipelined": func(c *client) {
			c.Write([]byte("G"))
			c.Close()
		},
	}
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		if standsStill(mode) {
			return
		}
		for name, leave := range leaves {
			t.Run("running/"+name, func(t *testing.T) {
				seen := &outcomes{}
				s, source := overTCP(t, mode, config{delay: long, observers: []server.Observer{seen}})
				c := dialTCP(t, source).send(hello)
				testkit.Eventually(t, "the job runs", func() bool { return s.app.InFlight() == 1 })
				leave(c)
				testkit.Eventually(t, "its place is free", func() bool { return s.app.InFlight() == 0 && seen.of(server.DisconnectedRunning) == 1 })
			})
			if mode.Limit.Overflow != modes.Queue {
				continue
			}
			t.Run("queued/"+name, func(t *testing.T) {
				seen := &outcomes{}
				s, source := overTCP(t, mode, config{delay: long, queue: 1, observers: []server.Observer{seen}})
				first := dialTCP(t, source).send(hello)
				testkit.Eventually(t, "the first runs", func() bool { return s.app.InFlight() == 1 })
				c := dialTCP(t, source).send(hello)
				testkit.Eventually(t, "the second waits", func() bool { return s.app.Queued() == 1 })
				leave(c)
				testkit.Eventually(t, "the queue is empty", func() bool { return s.app.Queued() == 0 && seen.of(server.DisconnectedQueued) == 1 })
				if s.app.InFlight() != 1 {
					t.Error("the job that runs ended with the one that waited")
				}
				first.Close()
			})
		}
	})
}

// standsStill reports whether the mode notices nothing while work runs, like an unpatched gevent server.
func standsStill(mode modes.Instance) bool { return !mode.Capabilities.SeesDisconnect }

// TestLeaveFinish checks that with FinishOnDisconnect the work continues, queued or running, and counts as wasted.
func TestLeaveFinish(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("modes say that clients are not seen to leave on " + runtime.GOOS)
	}
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		if standsStill(mode) {
			return
		}
		counted := &counting{Work: work.NewSleep()}
		seen := &outcomes{}
		s, source := overTCP(t, mode, config{work: counted, delay: while, finish: true, queue: 1, observers: []server.Observer{seen}})
		c := dialTCP(t, source).send(hello)
		testkit.Eventually(t, "the job runs", func() bool { return s.app.InFlight() == 1 })
		n := 1
		if mode.Limit.Overflow == modes.Queue {
			n = 2
			queued := dialTCP(t, source).send(hello)
			testkit.Eventually(t, "the second waits", func() bool { return s.app.Queued() == 1 })
			queued.Close()
		}
		c.Close()
		testkit.Eventually(t, "wasted work is counted", func() bool { return seen.of(server.Wasted) == n })
		if int(counted.done.Load()) != n {
			t.Errorf("work was done to the end %d times, want %d", counted.done.Load(), n)
		}
	})
}

// counting counts how often its work was completed. It does not report that it holds nothing, so every mode has to call
// it.
type counting struct {
	work.Work
	done atomic.Int32
}

func (c *counting) Holds() work.Resource { return work.Socket }

func (c *counting) Do(ctx context.Context, delay time.Duration) error {
	err := c.Work.Do(ctx, delay)
	if err == nil {
		c.done.Add(1)
	}
	return err
}

// TestBacklog checks that the second of two connections waited in single's accept queue while the first was served.
func TestBacklog(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("modes say that the backlog is not known on " + runtime.GOOS)
	}
	eachModeReal(t, 2, func(t *testing.T, mode modes.Instance) {
		_, source := overTCP(t, mode, config{delay: while})
		began := time.Now()
		first := dialTCP(t, source).send(hello)
		time.Sleep(brief / 10)
		dialing := time.Now()
		second := dialTCP(t, source).send(hello)
		connected := time.Now()
		first.read("GET")
		r := second.read("GET")
		over := time.Since(dialing)
		waited := timing(t, r, "backlog")
		// By the client's clock, it waits for the first one's work at least, and for all of its time without work and
		// queue at most.
		atLeast, limit := time.Duration(0), over-timing(t, r, "queue")-timing(t, r, "work")
		if mode.Limit.Overflow == modes.AcceptQueue {
			atLeast = while - connected.Sub(began)
		}
		const tick = 10 * time.Millisecond // of the kernel's count, at most
		if waited < atLeast-tick || waited > limit+tick {
			t.Errorf("backlog %v, want %v to %v", waited, atLeast, limit)
		}
		if !mode.Capabilities.KeepsAlive {
			return
		}
		if again := timing(t, second.get(http.StatusOK), "backlog"); again != 0 {
			t.Errorf("backlog %v on the connection's second request, want 0", again)
		}
	})
}

// timing returns one duration from a reply's Server-Timing.
func timing(t *testing.T, r *reply, name string) time.Duration {
	t.Helper()
	if r == nil {
		t.Fatal("no reply")
	}
	for metric := range strings.SplitSeq(r.Header.Get("Server-Timing"), ", ") {
		if millis, ok := strings.CutPrefix(metric, name+";dur="); ok {
			f, err := strconv.ParseFloat(millis, 64)
			if err != nil {
				t.Fatal(err)
			}
			return time.Duration(f * float64(time.Millisecond))
		}
	}
	t.Fatalf("no %s in Server-Timing %q", name, r.Header.Get("Server-Timing"))
	return 0
}

// TestMaxConnections checks that a connection above the limit waits in the accept queue, and is served after another
// has closed.
func TestMaxConnections(t *testing.T) {
	eachModeReal(t, 2, func(t *testing.T, mode modes.Instance) {
		s, source := overTCP(t, mode, config{delay: atOnce, limits: func(l *server.Limits) { l.MaxConnections = 1 }})
		first := dialTCP(t, source)
		testkit.Eventually(t, "the first is accepted", func() bool { return s.app.Connections() == 1 })
		second := dialTCP(t, source).send(hello)
		if queue, ok := source.AcceptQueue(); ok {
			testkit.Eventually(t, "the second waits", func() bool { queue, _ = source.AcceptQueue(); return queue.Depth == 1 })
		}
		first.Close()
		if r := second.read("GET"); r == nil || r.StatusCode != http.StatusOK {
			t.Errorf("reply %+v, want 200", r)
		}
	})
}

// TestNothingLeft checks that a mode leaves no thread and no descriptor. TestMain checks for goroutines.
func TestNothingLeft(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks into /proc")
	}
	for _, v := range variants(20) {
		run := func() {
			source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
			if err != nil {
				t.Fatal(err)
			}
			s := serve(t, v.Instance, source, config{delay: brief / 10, queue: 20, timeout: time.Second})
			for range 20 {
				dialTCP(t, source).get(http.StatusOK)
			}
			s.ended(t)
			source.Close()
		}
		t.Run(v.label, func(t *testing.T) {
			run() // for the descriptors that the runtime opens only once
			files, threads := entries(t, "/proc/self/fd"), entries(t, "/proc/self/task")
			run()
			testkit.Eventually(t, "descriptors are closed", func() bool { return len(entries(t, "/proc/self/fd")) <= len(files)+20 })
			testkit.Eventually(t, "threads have ended", func() bool { return len(entries(t, "/proc/self/task")) <= len(threads)+3 })
		})
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return names
}

// TestList checks that the list is complete.
func TestList(t *testing.T) {
	var names []string
	for _, mode := range modes.All {
		names = append(names, mode.Name)
		for field, value := range map[string]string{
			"Summary": mode.Summary, "PythonEquivalent": mode.PythonEquivalent, "Differences": mode.Differences, "Choose": mode.Choose,
			"Overflow": string(mode.Instance(modes.Options{}).Limit.Overflow),
		} {
			if value == "" {
				t.Errorf("%s: no %s", mode.Name, field)
			}
		}
		if err := mode.Supported(); err != nil {
			t.Errorf("%s: %v", mode.Name, err)
		}
	}
	if want := []string{"goroutine", "pool", "single", "fasthttp", "thread", "eventloop"}; !slices.Equal(names, want) {
		t.Errorf("modes are %s, want %s", fmt.Sprint(names), fmt.Sprint(want))
	}
}

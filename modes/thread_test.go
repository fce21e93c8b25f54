//go:build linux

package modes_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"demo-server/internal/testkit"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/work"
)

// onThread is work that records its OS thread, and then blocks until it is released.
type onThread struct {
	work.Work
	mu  sync.Mutex
	ids []string
	end chan struct{}
}

func (o *onThread) Do(context.Context, time.Duration) error {
	o.mu.Lock()
	o.ids = append(o.ids, strconv.Itoa(unix.Gettid()))
	o.mu.Unlock()
	<-o.end
	return nil
}

func (o *onThread) seen() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Sorted(slices.Values(o.ids))
}

// TestThread checks that each request in flight has a thread of its own, which ends with the request.
func TestThread(t *testing.T) {
	const n = 50
	job := &onThread{Work: work.NewSleep(), end: make(chan struct{})}
	s, source := overTCP(t, named("thread", modes.Options{MaxThreads: n}), config{work: job})
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = dialTCP(t, source).send(hello)
	}
	testkit.Eventually(t, "all are in flight", func() bool { return s.app.InFlight() == n && len(job.seen()) == n })
	threads := job.seen()
	if distinct := slices.Compact(slices.Clone(threads)); len(distinct) != n {
		t.Errorf("%d requests in flight share %d threads", n, len(distinct))
	}
	if alive := stillThere(t, threads); alive != n {
		t.Errorf("%d of their %d threads exist", alive, n)
	}
	close(job.end)
	for _, c := range clients {
		if r := c.read("GET"); r == nil || r.StatusCode != http.StatusOK {
			t.Errorf("reply %+v, want 200", r)
		}
	}
	testkit.Eventually(t, "their threads are gone", func() bool { return stillThere(t, threads) == 0 })
}

// stillThere counts the threads that exist.
func stillThere(t *testing.T, threads []string) (n int) {
	now := entries(t, "/proc/self/task")
	for _, id := range threads {
		if slices.Contains(now, id) {
			n++
		}
	}
	return n
}

// TestThreadsRefused checks that requests beyond max-threads are refused at once, and that their connections can be
// reused.
func TestThreadsRefused(t *testing.T) {
	seen := &outcomes{}
	job := &onThread{Work: work.NewSleep(), end: make(chan struct{})}
	s, source := overTCP(t, named("thread", modes.Options{MaxThreads: 1}), config{work: job, observers: []server.Observer{seen}})
	first := dialTCP(t, source).send(hello)
	testkit.Eventually(t, "the first is in flight", func() bool { return s.app.InFlight() == 1 })
	second := dialTCP(t, source)
	if r := second.get(http.StatusServiceUnavailable); r.Header.Get("Retry-After") != "2" || r.Close {
		t.Errorf("Retry-After %q and close %v, want 2 and a kept connection", r.Header.Get("Retry-After"), r.Close)
	}
	testkit.Eventually(t, "it is counted", func() bool { return seen.of(server.QueueFull) == 1 })
	close(job.end)
	if r := first.read("GET"); r == nil || r.StatusCode != http.StatusOK {
		t.Errorf("reply %+v, want 200", r)
	}
	// Its place is free a moment after it is no longer in flight, and before it is counted.
	testkit.Eventually(t, "the place is free", func() bool { return s.app.InFlight() == 0 && seen.of(server.OK) == 1 })
	second.get(http.StatusOK)
}

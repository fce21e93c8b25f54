//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

// A fleet is the body of /stats of a supervisor.
type fleet struct {
	stats
	Ready    bool     `json:"ready"`
	Restarts int      `json:"restarts"`
	Workers  []worker `json:"workers"`
}

type worker struct {
	PID     int    `json:"pid"`
	State   string `json:"state"`
	Answers bool   `json:"answers"`
	stats
}

func (p *process) fleet(t *testing.T) (f fleet) {
	t.Helper()
	p.readStats(t, &f)
	return f
}

func (f fleet) pids() (pids []int) {
	for _, w := range f.Workers {
		pids = append(pids, w.PID)
	}
	return pids
}

// alone reports whether there are n workers, all ready.
func (f fleet) alone(n int) bool {
	return f.Ready && len(f.Workers) == n &&
		!slices.ContainsFunc(f.Workers, func(w worker) bool { return w.State != "ready" })
}

// awaitAlone waits until n workers serve and no others are there, and returns them.
func (p *process) awaitAlone(t *testing.T, n int) (f fleet) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("%d workers are ready", n), func() bool {
		f = p.fleet(t)
		return f.alone(n)
	})
	return f
}

func kill(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatalf("kill -%s %d: %v", signal, pid, err)
	}
}

// wantGone waits until none of the processes is there any more.
func wantGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		testkit.Eventually(t, fmt.Sprintf("process %d is gone", pid), func() bool { return gone(pid) })
	}
}

// gone reports whether a process has ended. One that nobody has waited for, because its parent is gone too, has.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

// TestProcesses: every mode serves by two processes, and /stats and /metrics count all that ab sent, once.
func TestProcesses(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		p := start(t, "--processes=2", "--mode="+m.Name, "--delay="+m.delay().String())
		ab(t, p, m, 100, 10, "")
		testkit.Eventually(t, "all are counted", func() bool { return p.stats(t).Requests["ok"] >= 100 })
		f := p.awaitAlone(t, 2)
		if sum := f.Workers[0].Requests["ok"] + f.Workers[1].Requests["ok"]; f.Requests["ok"] != 100 || sum != 100 {
			t.Errorf("%d counted, by the workers %d, want 100", f.Requests["ok"], sum)
		}
		p.wantSameMetrics(t)
		p.terminate(t)
		p.wantStopped(t)
		wantGone(t, f.pids())
	})
}

// TestWorkerKilled: a worker that is killed takes its own requests with it, and nobody else's. Another takes its place
// within a second.
func TestWorkerKilled(t *testing.T) {
	const n = 60
	p := start(t, "--processes=3", "--delay=4s")
	clients := p.dialAll(t, n)
	var victim worker
	testkit.Eventually(t, "all are in flight, and all workers say so", func() bool {
		f := p.fleet(t)
		victim = f.Workers[0]
		return f.InFlight == n && !slices.ContainsFunc(f.Workers, func(w worker) bool { return !w.Answers })
	})
	took := p.replaced(t, victim.PID)
	answered := 0
	for _, c := range clients {
		if status, _, err := c.receive(); err == nil && status == http.StatusOK {
			answered++
		}
	}
	if want := n - victim.InFlight; answered != want {
		t.Errorf("%d of %d were answered, want %d: the victim had %d", answered, n, want, victim.InFlight)
	}
	if f := p.fleet(t); f.Restarts != 1 || len(p.logged("worker died")) != 1 {
		t.Errorf("%d restarts, want 1", f.Restarts)
	}
	// The machine may have been busy then.
	for kills := 1; took > time.Second && kills < attempts; kills++ {
		took = min(took, p.replaced(t, p.awaitAlone(t, 3).Workers[0].PID))
	}
	if took > time.Second {
		t.Errorf("replaced after %v, want a second at most", took)
	}
}

// replaced kills one of three workers, and returns how long it takes until another serves instead.
func (p *process) replaced(t *testing.T, victim int) time.Duration {
	t.Helper()
	kill(t, victim, syscall.SIGKILL)
	before := time.Now()
	testkit.Eventually(t, "it is replaced", func() bool {
		f := p.fleet(t)
		return f.alone(3) && !slices.Contains(f.pids(), victim)
	})
	return time.Since(before)
}

// TestCountsStay: what a worker counted stays counted, whether it was killed or retired.
func TestCountsStay(t *testing.T) {
	p := start(t, "--processes=2", "--delay=1ms")
	goroutine := mode{Name: "goroutine", Bound: "none"}
	ok := func() int { return p.stats(t).Requests["ok"] }

	ab(t, p, goroutine, 100, 10, "")
	testkit.Eventually(t, "100 are counted", func() bool { return ok() == 100 })
	kill(t, p.fleet(t).Workers[0].PID, syscall.SIGKILL)
	testkit.Eventually(t, "one has died", func() bool { return p.fleet(t).Restarts == 1 })
	p.awaitAlone(t, 2)
	if got := ok(); got != 100 {
		t.Errorf("%d counted after a worker was killed, want 100", got)
	}

	// Nobody looks between ab's last request and the worker's end: it tells its last figures itself.
	ab(t, p, goroutine, 100, 10, "-k")
	p.signal(t, syscall.SIGTTOU)
	testkit.Eventually(t, "one has retired", func() bool { return len(p.logged("worker exited")) == 1 })
	p.awaitAlone(t, 1)
	testkit.Eventually(t, "200 are counted, by the one that retired and by the other", func() bool { return ok() == 200 })
	ab(t, p, goroutine, 100, 10, "")
	testkit.Eventually(t, "300 are counted", func() bool { return ok() == 300 })
	p.wantSameMetrics(t)
}

// TestWorkerHangs: a worker that does not answer holds up neither the others nor whoever asks for metrics.
func TestWorkerHangs(t *testing.T) {
	p := start(t, "--processes=2", "--delay=1ms")
	victim := p.awaitAlone(t, 2).Workers[0].PID
	kill(t, victim, syscall.SIGSTOP)
	defer kill(t, victim, syscall.SIGCONT)
	hangs := fmt.Sprintf(`demo_server_worker_process_up{pid="%d"} 0`, victim)
	testkit.Eventually(t, "/metrics says that it hangs", func() bool { // it may answer until all its threads have stopped
		before := time.Now()
		_, text := p.ask(t, "metrics")
		if took := time.Since(before); took > testkit.Patience/2 {
			t.Errorf("/metrics took %v", took)
		}
		return strings.Contains(text, hangs)
	})
	testkit.Eventually(t, "all but one answer", func() bool {
		return !slices.ContainsFunc(p.fleet(t).Workers, func(w worker) bool { return w.Answers != (w.PID != victim) })
	})
}

// TestWorkerTimeout: a worker that hangs is killed and replaced. While all processes stand still, the time does not count.
func TestWorkerTimeout(t *testing.T) {
	p := start(t, "--processes=2", "--delay=1ms", "--worker-timeout=3s")
	pids := p.awaitAlone(t, 2).pids()
	p.signal(t, syscall.SIGSTOP)
	for _, pid := range pids {
		kill(t, pid, syscall.SIGSTOP)
	}
	time.Sleep(4 * time.Second)
	p.signal(t, syscall.SIGCONT)
	for _, pid := range pids {
		kill(t, pid, syscall.SIGCONT)
	}
	if f := p.awaitAlone(t, 2); f.Restarts != 0 {
		t.Errorf("%d workers were replaced after all processes had stood still, want none", f.Restarts)
	}
	kill(t, pids[0], syscall.SIGSTOP)
	testkit.Eventually(t, "it is replaced", func() bool {
		f := p.fleet(t)
		return f.alone(2) && !slices.Contains(f.pids(), pids[0])
	})
	died := p.logged("worker died")
	if len(died) != 1 || died[0].fields["error"] != "neither answered nor used CPU time for 3s" {
		t.Errorf("logged %v, want one death and why", died)
	}
}

// TestWorkerEndpoints: the supervisor's admin listener leads to each worker's own, under the supervisor's own guard.
func TestWorkerEndpoints(t *testing.T) {
	p := start(t, "--processes=2", "--flight-recorder")
	f := p.awaitAlone(t, 2)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"stats":               {200, `"mode": "goroutine"`},
		"debug/pprof/":        {200, "goroutine"},
		"debug/pprof/cmdline": {404, "Unknown profile"},
		"debug/trace":         {200, "go 1."},
	} {
		if status, body := p.ask(t, fmt.Sprintf("workers/%d/%s", f.Workers[1].PID, path)); status != want.status ||
			!strings.Contains(body, want.text) {
			t.Errorf("%s: %d %.200s; want %d with %q", path, status, body, want.status, want.text)
		}
	}
	if _, body := p.ask(t, "workers/"); strings.Count(body, " ready\n") != 2 {
		t.Errorf("/workers/ says %q", body)
	}
	if status, _ := p.ask(t, "workers/1/stats"); status != http.StatusNotFound {
		t.Errorf("no worker: %d, want 404", status)
	}
}

//go:build e2e

package e2e_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"demo-server/internal/testkit"
)

// TestThousandThreads: mode thread holds 1000 requests, each with an OS thread, in 64 MiB of memory; /metrics shows the
// threads, also that they have gone. One request more is refused.
func TestThousandThreads(t *testing.T) {
	const n = 1000
	p := start(t, "--mode=thread", "--delay=8s")
	before := p.gauge(t, "go_threads")
	clients := p.dialAll(t, n)
	testkit.Eventually(t, "all are in flight", func() bool { return p.stats(t).InFlight == n })
	extra := p.dialAll(t, 1)
	if ok, refused := receiveAll(t, extra); ok != 0 || refused != 1 {
		t.Errorf("one too many: %d got 200 and %d 503, want a refusal", ok, refused)
	}
	if got := p.gauge(t, "go_threads"); got < n || got > n+30 {
		t.Errorf("go_threads is %v with %d requests in flight", got, n)
	}
	if threads := p.status(t, "Threads:"); threads < n || threads > n+30 {
		t.Errorf("the process has %d OS threads with %d requests in flight", threads, n)
	}
	if resident := p.status(t, "VmRSS:"); resident > 64<<10 {
		t.Errorf("resident memory is %d KiB with %d requests in flight, want at most 64 MiB", resident, n)
	}
	if ok, _ := receiveAll(t, clients); ok != n {
		t.Errorf("%d got 200, want all %d", ok, n)
	}
	testkit.Eventually(t, "the threads are gone", func() bool { return p.gauge(t, "go_threads") <= before+10 })
	p.terminate(t)
	p.wantStopped(t)
}

// status reads a number from the process's /proc/PID/status.
func (p *process) status(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), name)
	number, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// gauge reads a metric without labels from /metrics.
func (p *process) gauge(t *testing.T, name string) float64 {
	t.Helper()
	_, text := p.ask(t, "metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return number
		}
	}
	t.Fatalf("/metrics has no %s", name)
	return 0
}

//go:build e2e

package e2e_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

// curl asks with the real one, and returns what it printed and its exit code.
func curl(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	out, err := tool(t, "curl", append([]string{"-sS"}, args...)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, exit.ExitCode()
	}
	return out, 0
}

// TestFaults: what a request asks for is what curl gets, in every mode.
func TestFaults(t *testing.T) {
	// Exit codes of curl: 28 for a time-out, 52 for an empty reply, 56 for a reset.
	rows := []struct {
		target string
		out    string // status and size
		code   int
		least  time.Duration
	}{
		{"?delay=300ms", "200 11", 0, 300 * time.Millisecond},
		{"?status=503&delay=0s", "503 17", 0, 0},
		{"?size=64KiB&delay=0s", "200 65536", 0, 0},
		{"?size=1MiB&delay=0s", "200 1048576", 0, 0},
		{"?drip=5&delay=300ms", "200 11", 0, 300 * time.Millisecond},
		{"?drip=10&delay=300ms&size=1MiB", "200 1048576", 0, 300 * time.Millisecond},
		{"delay/0.2", "200 11", 0, 200 * time.Millisecond},
		{"status/418", "418 0", 0, 0},
		{"bytes/1000", "200 1000", 0, 0},
		{"drip?duration=0.2&numbytes=5", "200 5", 0, 200 * time.Millisecond},
		{"?delay=61s", "400 52", 0, 0},
		{"?abort=close&delay=0s", "000 0", 52, 0},
		{"?abort=reset&delay=0s", "000 0", 56, 0},
		{"?abort=hang&delay=0s", "000 0", 28, 0},
	}
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		p := start(t, "--mode="+m.Name)
		cookie := "Cookie: session=" + strings.Repeat("x", 4050) // as browsers send them
		if status, _ := curl(t, "-o", "/dev/null", "-w", "%{http_code}", "-H", cookie, p.url+"?delay=0s"); status != "200" {
			t.Errorf("a cookie of 4,050 bytes: %s, want 200", status)
		}
		for _, row := range rows {
			began := time.Now()
			out, code := curl(t, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", "--max-time", map[bool]string{true: "0.5", false: "20"}[row.code == 28], p.url+row.target)
			if last := out[strings.LastIndexByte(out, '\n')+1:]; last != row.out || code != row.code || time.Since(began) < row.least {
				t.Errorf("%s: %q, exit code %d after %s; want %q, %d after %s", row.target, out, code, time.Since(began), row.out, row.code, row.least)
			}
		}
		testkit.Eventually(t, "nothing hangs any more", func() bool { return p.stats(t).InFlight == 0 })
		p.terminate(t)
		p.wantStopped(t)
	})
}

// TestFaultSetting: with the same seed two servers break the same requests, by the setting, and leave admin alone.
func TestFaultSetting(t *testing.T) {
	sequence := func(seed string) (statuses string) {
		p := start(t, "--delay=0", "--fault=status=503:30,429:10", "--seed="+seed)
		for range 60 {
			status, err := p.answer()
			if err != nil {
				t.Fatal(err)
			}
			statuses += fmt.Sprintf("%d ", status)
		}
		return statuses
	}
	first := sequence("7")
	if again := sequence("7"); again != first {
		t.Errorf("with the same seed:\n%s\n%s", first, again)
	}
	if other := sequence("8"); other == first {
		t.Error("the same with another seed")
	}
	for _, status := range []string{"200", "429", "503"} {
		if !strings.Contains(first, status) {
			t.Errorf("no %s in %s", status, first)
		}
	}

	p := start(t, "--delay=0", "--fault=abort=reset")
	if _, err := p.answer(); err == nil {
		t.Error("an answer, want a reset")
	}
	for _, path := range []string{"healthz", "readyz", "stats", "metrics"} {
		if status, _ := p.ask(t, path+"?status=503&abort=reset"); status != 200 {
			t.Errorf("/%s: %d", path, status)
		}
	}
}

// TestNoOverrides: --overrides=false leaves nothing to ask for.
func TestNoOverrides(t *testing.T) {
	p := start(t, "--delay=0", "--overrides=false")
	for target, want := range map[string]string{"?status=503": "200", "?delay=forever": "200", "status/503": "404", "drip": "404"} {
		if out, _ := curl(t, "-o", "/dev/null", "-w", "%{http_code}", p.url+target); out != want {
			t.Errorf("/%s: %s, want %s", target, out, want)
		}
	}
}

//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestBenchDeath: a server that dies under load ends its row, says why, and leaves the others alone.
func TestBenchDeath(t *testing.T) { inEachRun(t, func() findings { return benchDeath(t) }) }

func benchDeath(t *testing.T) findings {
	found := findings{}
	cmd, read := prepareBench(t, "--modes=goroutine,pool", "-c=5", "-z=2s", "--delay=100ms", "--repeat=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(childOf(t, cmd.Process.Pid), syscall.SIGKILL)
	b := read(cmd.Wait())
	if b.code != 1 {
		t.Errorf("exit code %d, want 1", b.code)
	}
	died := 0
	for _, row := range b.Rows {
		if row.Failure != "" {
			died++
			if !strings.Contains(row.Failure, "died under load") || !strings.Contains(row.Failure, "signal: killed") {
				t.Errorf("%s failed: %s", row.Name, row.Failure)
			}
		} else {
			found.wantRate(row, 50)
		}
	}
	if died != 1 {
		t.Errorf("%d rows failed, want 1", died)
	}
	return found
}

// childOf waits for a demo-server that the process started and that serves.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		found, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, file := range found {
			if pid, its, ok := readStat(file); ok && its == parent && listens(pid) {
				return pid
			}
		}
	}
	t.Fatal("no child that serves")
	return 0
}

// listens reports whether a demo-server has come as far as having sockets.
func listens(pid int) bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	sockets := 0
	for _, file := range files {
		if name, _ := os.Readlink(file); strings.HasPrefix(name, "socket:") {
			sockets++
		}
	}
	return sockets > 3 // both listeners, and connections
}

// TestBenchInterrupted: Ctrl-C keeps and shows what was measured.
func TestBenchInterrupted(t *testing.T) { inEachRun(t, func() findings { return benchInterrupted(t) }) }

func benchInterrupted(t *testing.T) findings {
	found := findings{}
	cmd, read := prepareBench(t, "--modes=goroutine", "-c=5", "-z=1m", "--delay=50ms", "--repeat=3")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := childOf(t, cmd.Process.Pid)
	time.Sleep(time.Second) // something to measure
	interrupted := time.Now()
	cmd.Process.Signal(os.Interrupt)
	b := read(cmd.Wait())
	if took := time.Since(interrupted); took > patience {
		t.Errorf("took %s to end", took)
	}
	if b.Result == nil || !b.Interrupted {
		t.Error("what was measured is lost")
	} else {
		found.wantRate(b.row(t, "goroutine"), 100)
	}
	if syscall.Kill(child, 0) == nil {
		t.Errorf("the server %d is still there", child)
	}
	return found
}

// TestBenchFullDisk: a report that cannot be written is one line and exit code 1, and costs nothing else.
func TestBenchFullDisk(t *testing.T) {
	b := runBench(t, "--modes=goroutine", "-c=5", "-z=300ms", "--delay=50ms", "--repeat=1", "--report=/dev/full", "--csv=/dev/full")
	if b.code != 1 || strings.Count(b.errOut, "/dev/full: no space left on device") != 2 {
		t.Errorf("exit code %d, want 1 and two lines on a full disk", b.code)
	}
	if b.Result == nil || !strings.Contains(b.out, "goroutine") {
		t.Error("what was measured is lost")
	}
}

// TestBenchExitCodes checks that the exit code shows whether every row has right replies and every expectation is met. The
// result is kept in any case.
func TestBenchExitCodes(t *testing.T) {
	p := start(t, "--delay=50ms", "--fault=status=503")
	b := runBench(t, "--quick", "--modes=goroutine", "-z=500ms", "--repeat=1", p.url, "--expect=goroutine.failed = 0",
		"--expect=goroutine.p99<1ms")
	name := strings.TrimSuffix(strings.TrimPrefix(p.url, "http://"), "/")
	if refused := b.row(t, name).Total.Refused; b.code != 1 || refused == 0 {
		t.Errorf("exit code %d, and %d requests were refused; want 1, and all", b.code, refused)
	}
	if row := b.row(t, "goroutine"); row.Total.Answered == 0 || *row.Delay != 0.2 {
		t.Errorf("goroutine answered %d requests after %g s; want some after 0.2", row.Total.Answered, *row.Delay)
	}
	if !strings.Contains(b.errOut, "demo-server: "+name+": no request got a right reply: ") ||
		!strings.Contains(b.errOut, "demo-server: expected goroutine.p99<1ms: p99 is ") || strings.Contains(b.errOut, "goroutine.failed") {
		t.Errorf("standard error does not say what is wrong, or more than that:\n%s", b.errOut)
	}
	if len(b.Expectations) != 2 || !b.Expectations[0].Met || b.Expectations[1].Met {
		t.Errorf("expectations: %+v", b.Expectations)
	}
	b = runBench(t, "--quick", "--modes=goroutine", "-z=500ms", "--repeat=1", "--expect=goroutine.answered>0")
	if b.code != 0 {
		t.Errorf("exit code %d, want 0", b.code)
	}
}

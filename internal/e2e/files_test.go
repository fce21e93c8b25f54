//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

// TestOutOfFiles: a server that may open 64 files meets 500 clients. It neither ends nor spins while they hold its
// connections, and serves at once when they have left; and it serves 500 in turn who do not stay.
func TestOutOfFiles(t *testing.T) {
	const files, n = 64, 500
	limits := map[string]string{
		"max-connections derived": "--max-connections=0",
		"accept fails":            "--max-connections=1000", // more than there can be
	}
	eachMode(t, func(t *testing.T, m mode) {
		for name, limit := range limits {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := startLimited(t, files, "--mode="+m.Name, "--delay=5ms", "--workers=10", "--read-header-timeout=1h", limit)
				p.ask(t, "healthz") // the connection is kept: a new one may find no descriptor
				silent := p.dialSilent(t, n)
				testkit.Eventually(t, "most clients wait in the accept queue", func() bool {
					return p.stats(t).AcceptQueue.Depth >= n-files
				})
				if open := p.openFiles(t); !m.single() && (open >= files) != (name == "accept fails") {
					t.Errorf("%d of %d files are open", open, files)
				}
				p.wantCalm(t)
				for _, c := range silent {
					c.Close()
				}
				p.wantService(t)
				p.serveInTurn(t, n)
				p.wantService(t)
				p.terminate(t)
				p.wantStopped(t)
			})
		}
	})
}

// dialSilent makes n connections on which nothing is sent.
func (p *process) dialSilent(t *testing.T, n int) []*client {
	t.Helper()
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = p.dial(t)
	}
	return clients
}

// wantCalm fails if the process uses more than a fifth of a core, although nobody asks for anything.
func (p *process) wantCalm(t *testing.T) {
	t.Helper()
	before, began := p.cpu(t), time.Now()
	time.Sleep(time.Second)
	if used, window := p.cpu(t)-before, time.Since(began); used > window/5 {
		t.Errorf("%v of CPU time in an idle %v", used, window)
	}
}

func (p *process) openFiles(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// cpu is the time that the process has used, user and system, from /proc/PID/stat (proc(5): fields 14 and 15, in ticks
// of which Linux has 100 a second on every architecture of ours).
func (p *process) cpu(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	// The second field is the name in parentheses, which may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err := strconv.Atoi(fields[14-3])
	system, err2 := strconv.Atoi(fields[15-3])
	if err != nil || err2 != nil {
		t.Fatalf("/proc/PID/stat: %q", text)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// wantService fails unless a fresh client is answered soon.
func (p *process) wantService(t *testing.T) {
	t.Helper()
	before := time.Now()
	p.dial(t).want(t)
	if took := time.Since(before); took > testkit.Patience/4 {
		t.Errorf("a fresh client had to wait for %v", took)
	}
}

// serveInTurn lets n clients connect at the same time, and leave when they have their answer.
func (p *process) serveInTurn(t *testing.T, n int) {
	t.Helper()
	var clients sync.WaitGroup
	for range n {
		clients.Go(func() {
			c, err := p.connect()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.want(t)
		})
	}
	clients.Wait()
}

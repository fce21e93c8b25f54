//go:build e2e

package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

// TestStopProcesses: SIGTERM drains all workers. Whoever waits, in flight, in a queue of ours or in the accept queue, is
// served, also when the signal reaches the workers as well, as systemd and a terminal send it.
func TestStopProcesses(t *testing.T) {
	const n = 50
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		for _, toAll := range []bool{false, true} {
			cmd := exec.Command(built(t), "--port=0", "--processes=2", "--mode="+m.Name, "--delay=30ms", "--workers=1")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			p := launch(t, cmd).awaitReady(t)
			pids := p.awaitAlone(t, 2).pids()
			clients := p.dialAll(t, n)
			if toAll {
				kill(t, -cmd.Process.Pid, syscall.SIGTERM)
			} else {
				p.signal(t, syscall.SIGTERM)
			}
			if ok, refused := receiveAll(t, clients); ok != n {
				t.Errorf("%d got 200 and %d 503, want 200 for all %d", ok, refused, n)
			}
			p.wantStopped(t)
			wantGone(t, pids)
		}
	})
}

// TestDrainDeadlineOfProcesses: what is not done at the deadline gets 503 in every process.
func TestDrainDeadlineOfProcesses(t *testing.T) {
	const n = 20
	p := start(t, "--processes=2", "--delay=30s", "--drain-timeout=300ms")
	clients := p.dialAll(t, n)
	p.settle(t, n)
	p.terminate(t)
	if ok, refused := receiveAll(t, clients); ok != 0 || refused != n {
		t.Errorf("%d got 200 and %d 503, want 503 for all %d", ok, refused, n)
	}
	p.wantStopped(t)
}

// TestLameDuckOfProcesses: workers serve as ever while the supervisor is not ready any more.
func TestLameDuckOfProcesses(t *testing.T) {
	p := start(t, "--processes=2", "--delay=10ms", "--lame-duck=3s")
	p.terminate(t)
	testkit.Eventually(t, "/readyz answers 503", func() bool {
		status, _ := p.ask(t, "readyz")
		return status == http.StatusServiceUnavailable
	})
	if closes := p.dial(t).want(t); closes {
		t.Error("Connection: close is announced already")
	}
	p.wantStopped(t)
}

// TestSecondSignalToProcesses ends all of them at once.
func TestSecondSignalToProcesses(t *testing.T) {
	p := start(t, "--processes=2", "--delay=1m", "--drain-timeout=1h")
	pids := p.awaitAlone(t, 2).pids()
	p.dialAll(t, 3)
	p.settle(t, 3)
	p.terminate(t)
	time.Sleep(afterEcho)
	p.signal(t, syscall.SIGTERM)
	p.wantExit(t, 1)
	wantGone(t, pids)
}

// TestSupervisorKilled: workers do not outlive their supervisor for longer than their requests take.
func TestSupervisorKilled(t *testing.T) {
	const n = 10
	p := start(t, "--processes=2", "--delay=3s")
	pids := p.awaitAlone(t, 2).pids()
	clients := p.dialAll(t, n)
	p.settle(t, n)
	p.signal(t, syscall.SIGKILL)
	if ok, _ := receiveAll(t, clients); ok != n {
		t.Errorf("%d of %d were served", ok, n)
	}
	wantGone(t, pids)
}

// TestWorkersInherit: a worker's command line and environment tell nothing that is for the supervisor alone.
func TestWorkersInherit(t *testing.T) {
	for _, variable := range []string{"NOTIFY_SOCKET", "LISTEN_FDNAMES", "WATCHDOG_USEC", "KEPT"} {
		t.Setenv(variable, "here")
	}
	cmd := exec.Command("env", "DEMO_SERVER_ADMIN_TOKEN=", built(t), "--port=0", "--processes=1")
	p := launch(t, cmd).awaitReady(t)
	pid := p.awaitAlone(t, 1).pids()[0]
	for file, wants := range map[string][]string{
		"cmdline": {built(t), "worker", "0"}, "environ": {"KEPT=here"},
	} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Split(string(text), "\x00")
		for _, want := range wants {
			if !slices.Contains(words, want) {
				t.Errorf("%s lacks %q: %q", file, want, words)
			}
		}
		for _, word := range words {
			for _, out := range []string{"NOTIFY_SOCKET", "LISTEN_", "WATCHDOG_", "DEMO_SERVER_"} {
				if strings.HasPrefix(word, out) {
					t.Errorf("%s holds %q", file, word)
				}
			}
		}
	}
}

// TestTokenOfSupervisor: the admin listener asks for the token, whichever worker is meant.
func TestTokenOfSupervisor(t *testing.T) {
	p := start(t, "--processes=1", "--admin-token=s3cret")
	for path, want := range map[string]int{"readyz": 200, "stats": 401, "workers/": 401, "workers/1/stats": 401} {
		if status, _ := p.ask(t, path); status != want {
			t.Errorf("/%s without the token: %d, want %d", path, status, want)
		}
	}
	request, err := http.NewRequest(http.MethodGet, p.admin+"stats", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer s3cret")
	response, err := p.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, json.Unmarshal(body, new(fleet))); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("/stats with the token: %d %v %s", response.StatusCode, err, body)
	}
}

// TestLogOfProcesses: several processes write to one log, each line whole, and none is lost.
func TestLogOfProcesses(t *testing.T) {
	const n = 5000
	p := start(t, "--processes=2", "--delay=0s", "--access-log=all")
	ab(t, p, mode{Name: "goroutine"}, n, 20, "-k")
	p.terminate(t)
	p.wantStopped(t)
	if got := len(p.logged("request")); got != n {
		t.Errorf("%d requests are logged, want %d", got, n)
	}
}

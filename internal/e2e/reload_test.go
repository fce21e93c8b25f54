//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"

	"github.com/google/go-cmp/cmp"
)

// TestResize: TTIN adds a worker, TTOU removes one, within limits.
func TestResize(t *testing.T) {
	p := start(t, "--processes=1", "--delay=1ms")
	refused := "worker count is at its limit"
	for _, step := range []struct {
		signal  syscall.Signal
		want    int
		refused int
	}{{syscall.SIGTTIN, 2, 0}, {syscall.SIGTTIN, 3, 0}, {syscall.SIGTTOU, 2, 0}, {syscall.SIGTTOU, 1, 0}, {syscall.SIGTTOU, 1, 1}} {
		p.signal(t, step.signal)
		testkit.Eventually(t, "it is refused or not", func() bool { return len(p.logged(refused)) == step.refused })
		p.awaitAlone(t, step.want)
	}
}

// yaml writes the settings file of a test.
func yaml(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReload: SIGHUP under the load of the real ab and wrk changes settings, the number of workers and even the mode,
// and no request fails.
func TestReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.yaml")
	yaml(t, file, "mode: goroutine\ndelay: 5ms\n")
	p := start(t, "--processes=2", "--config="+file)
	old := p.awaitAlone(t, 2).pids()

	abDone, wrkDone := make(chan string, 1), make(chan wrked, 1)
	go func() {
		out, err := tool(t, "ab", "-q", "-c", "10", "-n", "3000", p.url)
		abDone <- fmt.Sprintf("%v\n%s", err, out)
	}()
	go func() {
		defer close(wrkDone)
		wrkDone <- wrk(t, p, 3, 10)
	}()
	testkit.Eventually(t, "both are served", func() bool { return p.stats(t).Requests["ok"] > 100 })

	yaml(t, file, "mode: fasthttp\ndelay: 15ms\n")
	p.signal(t, syscall.SIGHUP)
	testkit.Eventually(t, "all workers are exchanged", func() bool {
		f := p.fleet(t)
		return f.alone(2) && f.Mode == "fasthttp" && !slices.ContainsFunc(f.pids(), func(pid int) bool { return slices.Contains(old, pid) })
	})
	if out := <-abDone; !strings.Contains(out, "Complete requests:      3000") || !strings.Contains(out, "Failed requests:        0") {
		t.Errorf("ab says %s", out)
	}
	if w := <-wrkDone; w.errors != (socketErrors{}) || w.non2xx {
		t.Errorf("wrk found fault:\n%s", w.out)
	}
	client, asked := p.dial(t), time.Now()
	client.want(t)
	if took := time.Since(asked); took < 15*time.Millisecond {
		t.Errorf("a request took %v, want the new delay of 15 ms at least", took)
	}
}

// TestReloadMistakes: what is wrong with the settings is said in full, and nothing changes. What only a restart changes
// is named.
func TestReloadMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.yaml")
	yaml(t, file, "delay: 1ms\n")
	p := start(t, "--processes=2", "--config="+file)
	before := p.awaitAlone(t, 2).pids()

	yaml(t, file, "delay: 1\nnonsense: 2\n")
	p.signal(t, syscall.SIGHUP)
	testkit.Eventually(t, "the mistakes are logged", func() bool { return len(p.logged("reload rejected")) == 1 })
	said, _ := p.logged("reload rejected")[0].fields["error"].(string)
	if !strings.Contains(said, "demo.yaml:1:8: delay") || !strings.Contains(said, `demo.yaml:2:1: unknown key "nonsense"`) {
		t.Errorf("it says %s", said)
	}
	if diff := cmp.Diff(before, p.awaitAlone(t, 2).pids()); diff != "" {
		t.Errorf("workers were exchanged:\n%s", diff)
	}

	yaml(t, file, "delay: 2ms\nhost: 127.0.0.2\nlog-level: warn\nprocesses: 3\n")
	p.signal(t, syscall.SIGHUP)
	testkit.Eventually(t, "workers are exchanged", func() bool { return len(p.logged("all workers are ready")) == 1 })
	// The flag beats the file: there are two.
	if after := p.awaitAlone(t, 2).pids(); slices.Contains(after, before[0]) || slices.Contains(after, before[1]) {
		t.Errorf("workers are %v, and were %v", after, before)
	}
	warned := p.logged("these settings need a restart")
	if len(warned) != 1 || fmt.Sprint(warned[0].fields["settings"]) != "[host log-level]" {
		t.Errorf("warned of %v, want host and log-level", warned)
	}
}

// TestProcessesDependency: what the work of the workers depends on is checked in each. /readyz of the supervisor follows,
// and new settings with which it would be missing change nothing. What replaces a worker that died waits for it.
func TestProcessesDependency(t *testing.T) {
	apart := startBackends(t, "0", "0")
	working := "work: http\ndelay: 10ms\ntarget: http://" + apart.http + "/\ndial-timeout: 2s\n"
	file := filepath.Join(t.TempDir(), "demo.yaml")
	yaml(t, file, working)
	p := start(t, "--processes=2", "--config="+file)
	before := p.awaitAlone(t, 2).pids()
	p.dial(t).want(t)

	yaml(t, file, "work: grpc\ntarget: "+apart.http+"\ndial-timeout: 2s\n")
	p.signal(t, syscall.SIGHUP)
	rejected := "reload rejected: a worker cannot start with the settings"
	testkit.Eventually(t, "they are rejected", func() bool { return len(p.logged(rejected)) == 1 })
	if said, _ := p.logged(rejected)[0].fields["error"].(string); !strings.Contains(said, "gRPC server at "+apart.http) {
		t.Errorf("it says %q, want what did not answer", said)
	}
	if diff := cmp.Diff(before, p.awaitAlone(t, 2).pids()); diff != "" {
		t.Errorf("workers were exchanged:\n%s", diff)
	}

	ready := func(want int) func() bool {
		return func() bool { status, _ := p.ask(t, "readyz"); return status == want }
	}
	testkit.Eventually(t, "it is ready", ready(http.StatusOK))
	apart.cmd.Process.Kill()
	apart.cmd.Wait()
	testkit.Eventually(t, "it is not ready", ready(http.StatusServiceUnavailable))
	if _, why := p.ask(t, "readyz"); !strings.Contains(why, "worker process ") || !strings.Contains(why, apart.http+" does not answer") {
		t.Errorf("it says %q, want who misses what", why)
	}
	kill(t, before[0], syscall.SIGKILL)
	testkit.Eventually(t, "one that replaces it cannot start", func() bool { return len(p.logged("worker died")) > 1 })
	apart.again(t)
	testkit.Eventually(t, "it is ready again", ready(http.StatusOK))
	p.awaitAlone(t, 2)
	p.dial(t).want(t)
}

// TestReloadProcesses: the number of workers is a setting like others.
func TestReloadProcesses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.yaml")
	yaml(t, file, "processes: 1\n")
	p := start(t, "--config="+file)
	for _, want := range []int{3, 2} {
		yaml(t, file, fmt.Sprintf("processes: %d\n", want))
		p.signal(t, syscall.SIGHUP)
		p.awaitAlone(t, want)
	}
}

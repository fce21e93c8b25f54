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
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"

	"github.com/google/go-cmp/cmp"
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
	if f := p.fleet(t); f.Restarts != 1 || len(p.logged("worker process died")) != 1 {
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
	testkit.Eventually(t, "one has retired", func() bool { return len(p.logged("worker process has ended")) == 1 })
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
	died := p.logged("worker process died")
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

// TestResize: TTIN adds a worker, TTOU removes one, within limits.
func TestResize(t *testing.T) {
	p := start(t, "--processes=1", "--delay=1ms")
	refused := "the number of worker processes is not changed"
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
	testkit.Eventually(t, "the mistakes are logged", func() bool { return len(p.logged("the settings are not changed")) == 1 })
	said, _ := p.logged("the settings are not changed")[0].fields["error"].(string)
	if !strings.Contains(said, "demo.yaml:1:8: delay") || !strings.Contains(said, `demo.yaml:2:1: unknown key "nonsense"`) {
		t.Errorf("it says %s", said)
	}
	if diff := cmp.Diff(before, p.awaitAlone(t, 2).pids()); diff != "" {
		t.Errorf("workers were exchanged:\n%s", diff)
	}

	yaml(t, file, "delay: 2ms\nhost: 127.0.0.2\nlog-level: warn\nprocesses: 3\n")
	p.signal(t, syscall.SIGHUP)
	testkit.Eventually(t, "workers are exchanged", func() bool { return len(p.logged("all worker processes are ready")) == 1 })
	// The flag beats the file: there are two.
	if after := p.awaitAlone(t, 2).pids(); slices.Contains(after, before[0]) || slices.Contains(after, before[1]) {
		t.Errorf("workers are %v, and were %v", after, before)
	}
	warned := p.logged("only a restart changes these settings")
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
	rejected := "the settings are not changed: a worker process cannot start with them"
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
	testkit.Eventually(t, "one that replaces it cannot start", func() bool { return len(p.logged("worker process died")) > 1 })
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

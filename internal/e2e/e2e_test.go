//go:build e2e

// These tests run the built command end to end, as its users do: a process, real sockets, and the real ab, wrk and
// curl. They need Linux and these tools, and fail where one is missing:
//
//	go test -tags e2e ./internal/e2e
//
// GOFLAGS=-race builds the server with the race detector, too.
package e2e_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

func TestMain(m *testing.M) {
	// The tests may run under nohup, which would have the program, and those that it starts, ignore the signal.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	os.Exit(m.Run())
}

// testkit.Patience bounds every wait that should be short on an idle machine. It is less than the drain timeout, which a server
// that stops must not wait for.
const patience = 20 * time.Second

// binary builds the command once. It lies beside the test's own binary, in a directory that go test removes.
var binary = sync.OnceValues(func() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), "built-demo-server")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "demo-server/cmd/demo-server").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func built(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tool runs a program that has to be installed, and returns what it printed, whether it went well or not.
func tool(t *testing.T, name string, args ...string) (out string, failed error) {
	t.Helper()
	both, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Errorf("these tests need %s: %v", name, err)
	}
	return string(both), err
}

// mustTool is tool for a run that has to go well.
func mustTool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := tool(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// A mode is what demo-server modes --json says of it, as far as these tests need to know.
type mode struct {
	Name   string `json:"name"`
	Bound  string `json:"limit"`
	Excess string `json:"overflow"`
}

func (m mode) single() bool { return m.Bound == "1" }
func (m mode) pool() bool   { return m.Excess == "queue" }

// binds reports whether so few requests as these tests send can be too many for the mode.
func (m mode) binds() bool { return m.pool() || m.single() }

// eachMode runs test for every mode that the binary knows.
func eachMode(t *testing.T, test func(t *testing.T, m mode)) {
	var all []mode
	if err := json.Unmarshal([]byte(mustTool(t, built(t), "modes", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 4 {
		t.Fatalf("only %d modes: %v", len(all), all)
	}
	for _, m := range all {
		t.Run(m.Name, func(t *testing.T) { test(t, m) })
	}
}

// A process is a demo-server that runs, or has run.
type process struct {
	cmd   *exec.Cmd
	addr  string // host:port
	url   string // with the slash
	admin string // URL with the slash
	http  http.Client

	ready  chan struct{} // closed when it logged that it is ready
	exited chan struct{} // closed when it has ended; only then is code meant
	code   int

	mu  sync.Mutex
	log []line
}

// A line is what was logged: fields is nil for what is no JSON, such as the stack of a crash.
type line struct {
	text   string
	fields map[string]any
}

func (l line) message() string { message, _ := l.fields["msg"].(string); return message }

// start starts the server on free ports and waits until it is ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return launch(t, exec.Command(built(t), append([]string{"--port=0"}, args...)...)).awaitReady(t)
}

// startLimited is start with at most files open files.
func startLimited(t *testing.T, files int, args ...string) *process {
	t.Helper()
	script := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files)
	return launch(t, exec.Command("sh", append([]string{"-c", script, built(t), "--port=0"}, args...)...)).awaitReady(t)
}

// launch starts a command whose log it follows. The process ends with the test, at the latest.
func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ready: make(chan struct{}), exited: make(chan struct{})}
	p.http = http.Client{Timeout: testkit.Patience, Transport: &http.Transport{}} // not shared: it has to forget this server
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "DEMO_SERVER_") })
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.follow(stderr)
	t.Cleanup(func() {
		p.http.CloseIdleConnections()
		p.cmd.Process.Kill()
		<-p.exited
		p.wantOnlyJSON(t)
		if t.Failed() {
			t.Logf("its log:\n%s", p.text())
		}
	})
	return p
}

// follow reads the log to its end, and then learns how the process ended.
func (p *process) follow(stderr io.Reader) {
	defer close(p.exited)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		l := line{text: lines.Text()}
		json.Unmarshal(lines.Bytes(), &l.fields) // what is no JSON has no fields
		p.note(l)
	}
	p.cmd.Wait()
	p.code = p.cmd.ProcessState.ExitCode()
}

func (p *process) note(l line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, l)
	if l.message() != "ready" || p.url != "" {
		return
	}
	p.addr, _ = l.fields["address"].(string)
	p.url = "http://" + p.addr + "/"
	p.admin, _ = l.fields["admin"].(string)
	close(p.ready)
}

// wantOnlyJSON fails on what nobody logged on purpose, such as a crash, or a report of the race detector.
func (p *process) wantOnlyJSON(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.log {
		if l.fields == nil {
			t.Errorf("logged %q, which is no JSON", l.text)
			return
		}
	}
}

func (p *process) awaitReady(t *testing.T) *process {
	t.Helper()
	select {
	case <-p.ready:
	case <-p.exited:
		t.Fatalf("ended with exit code %d before it was ready", p.code)
	case <-time.After(testkit.Patience):
		t.Fatal("not ready")
	}
	return p
}

// logged returns the lines with that message.
func (p *process) logged(message string) (found []line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.log {
		if l.message() == message {
			found = append(found, l)
		}
	}
	return found
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all strings.Builder
	for _, l := range p.log {
		all.WriteString(l.text + "\n")
	}
	return all.String()
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// terminate tells the server to stop and waits until it has logged so: from then on it drains, or is a lame duck.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	testkit.Eventually(t, "stopping is logged", func() bool { return len(p.logged("stopping")) == 1 })
}

// wantExit waits for the process's end.
func (p *process) wantExit(t *testing.T, code int) {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(testkit.Patience):
		t.Fatalf("still runs after %v", testkit.Patience)
	}
	if p.code != code {
		t.Errorf("exit code %d, want %d", p.code, code)
	}
}

// wantStopped waits for a clean end: exit code 0, and one line each that it began and ended.
func (p *process) wantStopped(t *testing.T) {
	t.Helper()
	p.wantExit(t, 0)
	for _, message := range []string{"stopping", "stopped"} {
		if n := len(p.logged(message)); n != 1 {
			t.Errorf("%q was logged %d times, want once", message, n)
		}
	}
}

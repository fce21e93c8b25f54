//go:build e2e

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestE2E runs the built binary as its users do: with the real ab, wrk and curl, signals, and too few open files. A tool
// that is missing fails it. Each case runs on every mode that the binary lists, one after the other, because load
// would disturb the times of the next one.
func TestE2E(t *testing.T) {
	binary := filepath.Join(t.TempDir(), program)
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	h := &harness{binary: binary}
	each := func(name string, test func(*testing.T, *harness, listed)) {
		t.Run(name, func(t *testing.T) {
			for _, mode := range h.modes(t) {
				t.Run(mode.Name, func(t *testing.T) { test(t, h, mode) })
			}
		})
	}
	each("ab", testAB)
	each("wrk", testWrk)
	each("curl", testCurl)
	each("drain", testDrain)
	each("drain deadline", testDrainDeadline)
	each("drain under load", testDrainUnderLoad)
	each("second signal", testSecondSignal)
	each("lame duck", testLameDuck)
	each("few files", testFewFiles)
	each("no files", testNoFiles)
	each("leave", testLeave)
	each("starved", testStarved)
	t.Run("ports taken", func(t *testing.T) { testPortsTaken(t, h) })
	t.Run("health", func(t *testing.T) { testHealth(t, h) })
	t.Run("flight recorder", func(t *testing.T) { testFlightRecorder(t, h) })
}

// ab's own ideal: it sends one request first, and opens the other connections only after its reply.
func abIdeal(mode listed, n, c int, delay time.Duration) float64 {
	if mode.Bound == "1" {
		return 1 / delay.Seconds()
	}
	rounds := 1 + (n-1+c-1)/c
	return float64(n) / (delay.Seconds() * float64(rounds))
}

func testAB(t *testing.T, h *harness, mode listed) {
	const delay = 100 * time.Millisecond
	n, c := 400, 40
	if mode.Bound == "1" {
		n, c = 20, 5
	}
	p := h.start(t, "--mode", mode.Name, "--delay", delay.String())
	for _, flags := range [][]string{nil, {"-k"}} {
		args := append(flags, "-q", "-c", strconv.Itoa(c), "-n", strconv.Itoa(n), p.url)
		out := output(t, "ab", args...)
		for label, want := range map[string]float64{"Complete requests": float64(n), "Failed requests": 0, "Document Length": 11, "Non-2xx responses": 0} {
			if got := number(t, out, label); got != want {
				t.Errorf("ab %s: %s is %v, want %v", args, label, got, want)
			}
		}
		if rate, ideal := number(t, out, "Requests per second"), abIdeal(mode, n, c, delay); rate < 0.9*ideal || rate > 1.01*ideal {
			t.Errorf("ab %s: %v requests/s, want close to %.1f", args, rate, ideal)
		}
	}
	p.stop(t)
}

func testWrk(t *testing.T, h *harness, mode listed) {
	p := h.start(t, "--mode", mode.Name, "--delay", "20ms")
	pipeline := filepath.Join(t.TempDir(), "pipeline.lua")
	script := `init = function() local r = {}; for i = 1, 4 do r[i] = wrk.format("GET", "/") end; all = table.concat(r) end
request = function() return all end`
	if err := os.WriteFile(pipeline, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := [][]string{{}, {"-s", pipeline}}
	if mode.Bound == "1" {
		cases = cases[:1] // answers the first of pipelined requests and closes, which wrk counts as an error
	}
	for _, flags := range cases {
		out := output(t, "wrk", append(flags, "-t1", "-c8", "-d1s", "--timeout", "10s", p.url)...)
		if strings.Contains(out, "Socket errors") || strings.Contains(out, "Non-2xx") {
			t.Errorf("wrk %s:\n%s", flags, out)
		}
		if n := regexp.MustCompile(`(\d+) requests in`).FindStringSubmatch(out); n == nil || len(n[1]) < 2 {
			t.Errorf("wrk %s: hardly any request\n%s", flags, out)
		}
	}
	p.stop(t)
}

func testCurl(t *testing.T, h *harness, mode listed) {
	p := h.start(t, "--mode", mode.Name, "--delay", "10ms")
	for _, flags := range [][]string{{"--http1.0"}, {"--http1.1"}, {"--http1.1", "-d", "x=y", "-X", "GET"}} {
		if out := output(t, "curl", append(flags, "-sS", p.url)...); out != "Hello World" {
			t.Errorf("curl %s: %q", flags, out)
		}
	}
	head := output(t, "curl", "-sSI", p.url)
	for _, want := range []string{"200 OK", "Content-Length: 11", "Server: demo-server (" + mode.Name + ")", "Server-Timing: backlog;dur="} {
		if !strings.Contains(head, want) {
			t.Errorf("no %q in\n%s", want, head)
		}
	}
	p.stop(t)
}

// testDrain: who was connected when SIGTERM came is answered, be it in work, in the queue or in the accept queue.
func testDrain(t *testing.T, h *harness, mode listed) {
	p := h.start(t, "--mode", mode.Name, "--delay", "200ms", "--workers", "2")
	clients := p.connect(t, 8)
	p.signal(t, syscall.SIGTERM)
	for i, status := range statuses(clients) {
		if status != 200 {
			t.Errorf("client %d got %d, want 200", i, status)
		}
	}
	p.exited(t, exitOK)
	for _, want := range []string{`"msg":"ready"`, `"msg":"stopping"`, `"msg":"stopped"`} {
		if n := strings.Count(p.log.String(), want); n != 1 {
			t.Errorf("%d lines with %s, want 1:\n%s", n, want, p.log.String())
		}
	}
}

// testDrainDeadline: what cannot finish in time gets 503, and nobody gets nothing.
func testDrainDeadline(t *testing.T, h *harness, mode listed) {
	p := h.start(t, "--mode", mode.Name, "--delay", "2s", "--workers", "2", "--drain-timeout", "300ms")
	clients := p.connect(t, 8)
	p.signal(t, syscall.SIGTERM)
	for i, status := range statuses(clients) {
		if status != 503 {
			t.Errorf("client %d got %d, want 503", i, status)
		}
	}
	p.exited(t, exitOK)
}

// testDrainUnderLoad: clients that keep their connection and ask again and again lose no request. They stop when a
// reply says Connection: close and the next connection is refused.
func testDrainUnderLoad(t *testing.T, h *harness, mode listed) {
	p := h.start(t, "--mode", mode.Name, "--delay", "5ms")
	var lost, served sync.Map
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			for n := 0; ; n++ {
				conn, err := net.Dial("tcp", p.address)
				if err != nil {
					return // the socket is closed
				}
				if err := askUntilClosed(conn); err != nil {
					lost.Store(i, err)
					return
				}
				served.Store(i, n)
			}
		})
	}
	eventually(t, "every client is served", func() bool {
		n := 0
		served.Range(func(any, any) bool { n++; return true })
		return n == 8 || mode.Bound != "1" && p.stats(t).Requests["ok"] > 200
	})
	p.signal(t, syscall.SIGTERM)
	running.Wait()
	p.exited(t, exitOK)
	lost.Range(func(client, err any) bool {
		t.Errorf("client %v lost a request: %v", client, err)
		return true
	})
}

// askUntilClosed sends one request after the other until a reply announces the end.
func askUntilClosed(conn net.Conn) error {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	reader := bufio.NewReader(conn)
	for {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: demo\r\n\r\n"); err != nil {
			return err
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, response.Body)
		if response.StatusCode != 200 {
			return fmt.Errorf("status %s", response.Status)
		}
		if response.Close {
			return nil
		}
	}
}

func testSecondSignal(t *testing.T, h *harness, mode listed) {
	p := h.start(t, "--mode", mode.Name, "--delay", "30s")
	p.connect(t, 1)
	eventually(t, "it runs", func() bool { return p.stats(t).InFlight == 1 })
	p.signal(t, syscall.SIGINT)
	eventually(t, "it stops", func() bool { return strings.Contains(p.log.String(), `"msg":"stopping"`) })
	before := time.Now()
	p.signal(t, syscall.SIGINT)
	p.exited(t, exitFailure)
	if took := time.Since(before); took > time.Second {
		t.Errorf("took %v after the second signal", took)
	}
}

func testLameDuck(t *testing.T, h *harness, mode listed) {
	p := h.start(t, "--mode", mode.Name, "--delay", "10ms", "--lame-duck", "1s")
	if status, _ := get(t, p.admin+"readyz"); status != 200 {
		t.Errorf("/readyz is %d before the signal, want 200", status)
	}
	p.signal(t, syscall.SIGTERM)
	eventually(t, "/readyz turns 503", func() bool { status, _ := get(t, p.admin+"readyz"); return status == 503 })
	conn := p.connect(t, 1)[0]
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 || response.Close != (mode.Bound == "1") {
		t.Errorf("a lame duck answers %s, closing %v", response.Status, response.Close)
	}
	p.exited(t, exitOK)
}

// testFewFiles: with 64 open files and 500 clients, all are served in turn, and a server that cannot accept more waits
// without spinning.
func testFewFiles(t *testing.T, h *harness, mode listed) {
	p := h.startLimited(t, 64, "--mode", mode.Name, "--delay", "5ms", "--read-header-timeout", "1m")
	silent := p.dial(t, 500)
	eventually(t, "clients wait in the accept queue", func() bool { return p.stats(t).AcceptQueue.Depth > 400 })
	before := p.cpu(t)
	time.Sleep(time.Second) // what is measured
	if spent := p.cpu(t) - before; spent > 200*time.Millisecond {
		t.Errorf("spent %v of CPU in 1 s of waiting", spent)
	}
	for _, c := range silent {
		c.Close()
	}
	for i, status := range statuses(p.connect(t, 500)) {
		if status != 200 {
			t.Fatalf("client %d of 500 got %d, want 200", i, status)
		}
	}
	p.stop(t)
}

// testNoFiles: with max-connections set above what the limit allows, the process runs out of files, and survives it.
func testNoFiles(t *testing.T, h *harness, mode listed) {
	p := h.startLimited(t, 64, "--mode", mode.Name, "--delay", "5ms", "--read-header-timeout", "1m", "--max-connections", "1000")
	silent := p.dial(t, 500)
	time.Sleep(200 * time.Millisecond) // long enough to accept what it can
	before := p.cpu(t)
	time.Sleep(time.Second) // what is measured
	if spent := p.cpu(t) - before; spent > 200*time.Millisecond {
		t.Errorf("spent %v of CPU in 1 s without files", spent)
	}
	for _, c := range silent {
		c.Close()
	}
	for i, status := range statuses(p.connect(t, 20)) {
		if status != 200 {
			t.Fatalf("client %d afterwards got %d, want 200", i, status)
		}
	}
	p.stop(t)
}

func testLeave(t *testing.T, h *harness, mode listed) {
	for onLeave, outcome := range map[string]string{"cancel": "left_running", "finish": "wasted"} {
		p := h.start(t, "--mode", mode.Name, "--delay", "500ms", "--on-leave", onLeave)
		c := p.connect(t, 1)[0]
		eventually(t, "it runs", func() bool { return p.stats(t).InFlight == 1 })
		c.Close()
		eventually(t, outcome, func() bool { s := p.stats(t); return s.Requests[outcome] == 1 && s.InFlight == 0 })
		p.stop(t)
	}
}

// testStarved: the admin listener answers while the mode cannot, and says what waits where.
func testStarved(t *testing.T, h *harness, mode listed) {
	p := h.start(t, "--mode", mode.Name, "--delay", "1s", "--workers", "1")
	clients := p.connect(t, 3)
	eventually(t, "all three are seen", func() bool {
		s := p.stats(t)
		switch mode.Bound {
		case "1":
			return s.InFlight == 1 && s.AcceptQueue.Depth == 2
		case "workers":
			return s.InFlight == 1 && s.Queued == 2
		}
		return s.InFlight == 3
	})
	if status, body := get(t, p.admin+"healthz"); status != 200 {
		t.Errorf("/healthz: %d %s", status, body)
	}
	s := p.stats(t)
	_, metrics := get(t, p.admin+"metrics")
	for name, value := range map[string]int{"in_flight": s.InFlight, "queued": s.Queued, "accept_queue": s.AcceptQueue.Depth} {
		if want := fmt.Sprintf("demo_server_%s{mode=%q} %d\n", name, mode.Name, value); !strings.Contains(metrics, want) {
			t.Errorf("/stats says %s = %d, /metrics has no %s", name, value, want)
		}
	}
	if got := statuses(clients); slices.Contains(got, 0) {
		t.Errorf("statuses %v", got)
	}
	p.stop(t)
}

func testPortsTaken(t *testing.T, h *harness) {
	port := freePorts(t)
	next, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	p := h.start(t, "--port", strconv.Itoa(port))
	if strings.HasSuffix(p.admin, fmt.Sprintf(":%d/", port+1)) {
		t.Errorf("admin is at %s, whose port is taken", p.admin)
	}
	second := exec.Command(h.binary, "--port", strconv.Itoa(port), "--log-format", "json")
	out, _ := second.CombinedOutput()
	if code := second.ProcessState.ExitCode(); code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
	if want := fmt.Sprintf("cannot listen on 127.0.0.1:%d: the port is taken; try --port 0", port); !strings.Contains(string(out), want) {
		t.Errorf("no %q in %s", want, out)
	}
	p.stop(t)
}

func testHealth(t *testing.T, h *harness) {
	p := h.start(t)
	args := []string{"health", "--admin-addr", strings.TrimSuffix(strings.TrimPrefix(p.admin, "http://"), "/")}
	if out, err := exec.Command(h.binary, args...).CombinedOutput(); err != nil {
		t.Errorf("health of a running server: %v %s", err, out)
	}
	p.stop(t)
	gone := exec.Command(h.binary, args...)
	if gone.Run(); gone.ProcessState.ExitCode() != exitFailure {
		t.Errorf("health of a stopped server: exit code %d, want %d", gone.ProcessState.ExitCode(), exitFailure)
	}
}

// testFlightRecorder: the execution trace shows each request as a task, with a region for each of its stages.
func testFlightRecorder(t *testing.T, h *harness) {
	p := h.start(t, "--mode", "pool", "--workers", "1", "--delay", "50ms", "--flight-recorder")
	for _, status := range statuses(p.connect(t, 3)) {
		if status != 200 {
			t.Errorf("status %d", status)
		}
	}
	file := filepath.Join(t.TempDir(), "demo.trace")
	output(t, "curl", "-sSf", "-o", file, p.admin+"debug/trace")
	parsed := output(t, "go", "tool", "trace", "-d=parsed", file)
	for _, want := range []string{`TaskBegin .*Type="request"`, `RegionBegin .*Type="queue"`, `RegionBegin .*Type="work"`, `RegionBegin .*Type="write"`} {
		if n := len(regexp.MustCompile(want).FindAllString(parsed, -1)); n != 3 {
			t.Errorf("%d times %s, want 3", n, want)
		}
	}
	p.stop(t)
}

// A harness starts the built binary.
type harness struct{ binary string }

// listed is what `demo-server modes --json` says of a mode.
type listed struct {
	Name  string `json:"name"`
	Bound string `json:"bound"`
}

func (h *harness) modes(t *testing.T) (list []listed) {
	t.Helper()
	if err := json.Unmarshal([]byte(output(t, h.binary, "modes", "--json")), &list); err != nil || len(list) == 0 {
		t.Fatalf("modes --json: %v, %d modes", err, len(list))
	}
	return list
}

// A process is a server that serves.
type process struct {
	cmd     *exec.Cmd
	log     *lockedBuffer
	ended   chan struct{}
	address string
	url     string
	admin   string
}

// start runs the binary on free ports, unless args say otherwise, and waits until it is ready.
func (h *harness) start(t *testing.T, args ...string) *process {
	t.Helper()
	return startCommand(t, exec.Command(h.binary, serveArgs(args)...))
}

// startLimited does so with a limit on open files.
func (h *harness) startLimited(t *testing.T, files int, args ...string) *process {
	t.Helper()
	script := fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, files)
	return startCommand(t, exec.Command("sh", append([]string{"-c", script, h.binary}, serveArgs(args)...)...))
}

func serveArgs(args []string) []string {
	return append([]string{"--port", "0", "--log-format", "json"}, args...)
}

func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, log: &lockedBuffer{}, ended: make(chan struct{})}
	cmd.Stderr = p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%s logged:\n%s", cmd, p.log.String())
		}
	})
	ready := waitReady(t, p.log)
	p.address, p.url, p.admin = ready.Address, ready.url, ready.Admin
	return p
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// exited waits for the end of the process, which must have that exit code.
func (p *process) exited(t *testing.T, code int) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("still runs after 20 s")
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	p.exited(t, exitOK)
}

// dial opens connections, of which the kernel completes as many as its accept queue holds.
func (p *process) dial(t *testing.T, n int) (conns []net.Conn) {
	t.Helper()
	for range n {
		c, err := net.DialTimeout("tcp", p.address, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

// connect opens connections and sends a request on each.
func (p *process) connect(t *testing.T, n int) []net.Conn {
	t.Helper()
	conns := p.dial(t, n)
	for _, c := range conns {
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: demo\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	return conns
}

// statuses reads one reply from each connection and closes it; 0 stands for none.
func statuses(conns []net.Conn) []int {
	all := make([]int, len(conns))
	var reading sync.WaitGroup
	for i, c := range conns {
		reading.Go(func() {
			defer c.Close()
			c.SetReadDeadline(time.Now().Add(30 * time.Second))
			if response, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
				all[i] = response.StatusCode
			}
		})
	}
	reading.Wait()
	return all
}

// cpu is the time that the process has computed, from /proc/PID/stat in ticks of 10 ms.
func (p *process) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// figures are what /stats says.
type figures struct {
	Requests    map[string]int      `json:"requests"`
	InFlight    int                 `json:"in_flight"`
	Queued      int                 `json:"queued"`
	AcceptQueue struct{ Depth int } `json:"accept_queue"`
}

func (p *process) stats(t *testing.T) (f figures) {
	t.Helper()
	status, body := get(t, p.admin+"stats")
	if err := json.Unmarshal([]byte(body), &f); status != 200 || err != nil {
		t.Fatalf("/stats: %d %v %s", status, err, body)
	}
	return f
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := (&http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(all)
}

// output runs a tool, which must be installed and succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out, stderr.String())
	}
	return string(out)
}

// number reads a figure of ab's output, and 0 where ab leaves the line out.
func number(t *testing.T, out, label string) float64 {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + label + `: +([\d.]+)`).FindStringSubmatch(out)
	if found == nil {
		return 0
	}
	f, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// freePorts finds a port that is free and followed by one that is free.
func freePorts(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		next, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		l.Close()
		if err == nil {
			next.Close()
			return port
		}
	}
	t.Fatal("no two free ports in a row")
	return 0
}

// eventually waits for what another process is about to do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("not in 20 s: %s", what)
}

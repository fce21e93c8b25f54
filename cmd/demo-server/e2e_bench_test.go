//go:build e2e

package main_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/bench/result"
)

// A benchRun is how a run of the bench ended.
type benchRun struct {
	*result.Result // nil where it wrote none
	out, errOut    string
	code           int
}

func (b benchRun) row(t *testing.T, name string) result.Row {
	t.Helper()
	for _, row := range b.Rows {
		if row.Name == name {
			return row
		}
	}
	t.Fatalf("no row %s in\n%s", name, b.out)
	return result.Row{}
}

// runBench runs the command's bench with args, and reads the JSON that it wrote.
func runBench(t *testing.T, args ...string) benchRun {
	t.Helper()
	cmd, read := prepareBench(t, args...)
	return read(cmd.Run())
}

// prepareBench returns the command, and what reads its results when it has ended.
func prepareBench(t *testing.T, args ...string) (cmd *exec.Cmd, read func(error) benchRun) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bench.json")
	cmd = exec.CommandContext(t.Context(), built(t), append(append([]string{"bench"}, args...), "--json="+file)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	return cmd, func(err error) benchRun {
		b := benchRun{out: out.String(), errOut: errOut.String(), code: cmd.ProcessState.ExitCode()}
		if f, err := os.Open(file); err == nil {
			defer f.Close()
			if b.Result, err = result.Read(f); err != nil {
				t.Errorf("reading what it wrote: %v", err)
			}
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("%s\nexit code %d (%v)\n%s\n%s", cmd, b.code, err, b.out, b.errOut)
			}
		})
		return b
	}
}

// findings are what a run should not have come to, by what it is about.
type findings map[string]string

// inEachRun fails with what is found in all of several runs: what else runs on this machine can spoil a run, or some rows of
// it, but does not do so each time.
func inEachRun(t *testing.T, run func() findings) {
	t.Helper()
	always := run()
	for tries := 1; len(always) > 0 && tries < attempts; tries++ {
		found := run()
		maps.DeleteFunc(always, func(about, _ string) bool { _, again := found[about]; return !again })
	}
	for about, what := range always {
		t.Errorf("in each of %d runs, %s: %s", attempts, about, what)
	}
}

// wantRate finds a row that does not serve so many requests a second.
func (f findings) wantRate(row result.Row, want float64) {
	if !near(row.Total.PerSecond, want, 0.1) {
		f[row.Name] = fmt.Sprintf("%s requests/s, want %g", text(row.Total.PerSecond), want)
	}
}

// wantText finds what was not said.
func (f findings) wantText(said string, wants ...string) {
	for _, want := range wants {
		if !strings.Contains(said, want) {
			f["what is printed"+strconv.Quote(want)] = "it is missing"
		}
	}
}

// near reports whether a figure is known, and within the share of what it should be.
func near(got *float64, want, share float64) bool {
	return got != nil && math.Abs(*got/want-1) <= share
}

// TestBench: the whole experiment on short delays. What theory says is what comes out.
func TestBench(t *testing.T) {
	folder := t.TempDir()
	report, table := filepath.Join(folder, "report.html"), filepath.Join(folder, "bench.csv")
	var b benchRun
	inEachRun(t, func() findings {
		b = runBench(t, "--modes=all", "--row=pool:workers=5,queue=100", "--row=pool:workers=10,queue=0", "--row=eventloop:loops=1,patched=false",
			"-c=20", "-z=1s", "--delay=100ms", "--repeat=2", "--report="+report, "--csv="+table)
		return b.check(t)
	})
	if row := b.row(t, "single"); !row.Total.P50.Beyond || len(row.Audits) == 0 {
		t.Errorf("single: p50 %+v, want beyond what was waited for; audits %v", row.Total.P50, row.Audits)
	}
	if row := b.row(t, "pool(workers=10,queue=0)"); row.Total.Refused == 0 {
		t.Error("pool(workers=10,queue=0) refused nobody")
	}
	for line := range strings.Lines(b.out) {
		if width := len([]rune(strings.TrimRight(line, "\n"))); width > 100 {
			t.Errorf("a line of %d characters: %s", width, line)
		}
	}
	if page, err := os.ReadFile(report); err != nil || bytes.Count(page, []byte("<svg")) < 5 {
		t.Errorf("the report: %v, %d bytes", err, len(page))
	}
	file, err := os.Open(table)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if lines, err := csv.NewReader(file).ReadAll(); err != nil || len(lines) != 1+len(b.Rows)*2 {
		t.Errorf("the CSV has %d lines, %v; want a head and two for each of %d rows", len(lines), err, len(b.Rows))
	}
}

// check looks at the rows of TestBench.
func (b benchRun) check(t *testing.T) findings {
	t.Helper()
	if b.code != 0 {
		t.Fatalf("exit code %d", b.code)
	}
	found := findings{}
	for name, want := range map[string]float64{
		"goroutine": 200, "fasthttp": 200, "pool": 200, "single": 10, "thread": 200, "eventloop": 200, "eventloop(loops=1,patched=false)": 10, "pool(workers=5,queue=100)": 50, "pool(workers=10,queue=0)": 100,
	} {
		row := b.row(t, name)
		found.wantRate(row, want)
		if !near(row.Prediction.PerSecond, want, 0.02) {
			t.Errorf("%s: predicted %s requests/s, want %g", name, text(row.Prediction.PerSecond), want)
		}
		if len(row.Repeats) != 2 || len(row.Series) < 5 || row.Total.Peak.Threads == nil {
			t.Errorf("%s: %d repeats, %d samples, want 2 and at least 5", name, len(row.Repeats), len(row.Series))
		}
		// So few requests say nothing about the CPU and the memory of one. Thousands of refusals do.
		if row.Total.ServerCores == nil || (row.Total.CPUPerRequest == nil) != (row.Total.Refused == 0) || row.Total.BytesPerInFlight != nil {
			t.Errorf("%s: %s cores, and %s s of CPU and %s bytes per request, of which %d were refused", name,
				text(row.Total.ServerCores), text(row.Total.CPUPerRequest), text(row.Total.BytesPerInFlight), row.Total.Refused)
		}
		if row.Total.Failed != 0 {
			t.Errorf("%s: %d requests failed", name, row.Total.Failed)
		}
	}
	// Its loop accepts what it does not read: no request is unaccounted for.
	if row := b.row(t, "eventloop(loops=1,patched=false)"); len(row.Audits) == 0 || row.Audits[len(row.Audits)-1].Broken {
		found[row.Name+", audits"] = fmt.Sprintf("%+v", row.Audits)
	}
	found.wantText(b.out, "goroutine", "pool(workers=5,queue=100)", "pool(workers=5,queue=100) serves a quarter of")
	return found
}

// TestBenchMatrix: every mode with several kinds of work. What each is bounded by is what theory says, and the table of it
// is in the terminal and on the page.
func TestBenchMatrix(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.html")
	inEachRun(t, func() findings {
		b := runBench(t, "--modes=pool,eventloop,single", "--work=sleep,block,mutex,http", "-c=20", "-z=1s", "--delay=100ms", "--repeat=1",
			"--slots=3", "--pool-size=5", "--report="+report)
		if b.code != 0 {
			t.Fatalf("exit code %d", b.code)
		}
		found := findings{}
		for name, want := range map[string]float64{
			"pool × sleep": 200, "eventloop × sleep": 200, "single × sleep": 10,
			"pool × block": 200, "eventloop × block": 80, "single × block": 10,
			"pool × mutex": 30, "eventloop × mutex": 30, "single × mutex": 10,
			"pool × http": 50, "eventloop × http": 50, "single × http": 10,
		} {
			row := b.row(t, name)
			found.wantRate(row, want)
			if !near(row.Prediction.PerSecond, want, 0.02) {
				t.Errorf("%s: predicted %s requests/s, want %g", name, text(row.Prediction.PerSecond), want)
			}
		}
		found.wantText(strings.Join(strings.Fields(b.out), " "), // lines are broken anywhere
			"Share of the client's ceiling", "eventloop × block: 8 helpers / 100ms bound it", "single: 1 at a time / 100ms bounds it, whatever the work is",
			"mutex: 3 slots / 100ms bound every mode but single", "http: 5 connections / 100ms bound every mode but single")
		return found
	})
	if page, err := os.ReadFile(report); err != nil || !bytes.Contains(page, []byte(`<h2 id="heat">`)) {
		t.Errorf("the report: %v, %d bytes, without the table", err, len(page))
	}
}

func text(figure *float64) string {
	if figure == nil {
		return "unknown"
	}
	return strconv.FormatFloat(*figure, 'g', 4, 64)
}

// TestBenchOpenLoop: half of what arrives is more than the pool can do, and is refused.
func TestBenchOpenLoop(t *testing.T) {
	inEachRun(t, func() findings {
		b := runBench(t, "--modes=goroutine", "--row=pool:workers=5,queue=5", "--rate=100", "-z=2s", "--delay=100ms", "--repeat=1")
		found := findings{}
		row := b.row(t, "goroutine")
		found.wantRate(row, 100)
		if row.Total.Refused != 0 {
			t.Errorf("goroutine: %d refused, want none", row.Total.Refused)
		}
		row = b.row(t, "pool(workers=5,queue=5)")
		found.wantRate(row, 50)
		if !near(row.Total.RefusedShare, *row.Prediction.RefusedShare, 0.1) {
			found["refused"] = fmt.Sprintf("%s, want %s", text(row.Total.RefusedShare), text(row.Prediction.RefusedShare))
		}
		return found
	})
}

// TestBenchGenerators: the builtin generator, ab and wrk agree on the same row within 1%. What else runs on this machine
// makes rates lower and latencies longer: the best of each one's runs count.
func TestBenchGenerators(t *testing.T) {
	rate, p50 := map[string]float64{}, map[string]float64{}
	var off string
	for range attempts {
		for with, args := range map[string][]string{
			"builtin": {"-z=3s", "--keepalive"}, "ab": {"-n=150", "--keepalive"}, "wrk": {"-z=3s"},
		} {
			gotRate, gotP50 := generate(t, with, args...)
			rate[with] = max(rate[with], gotRate)
			if known, ok := p50[with]; !ok || gotP50 < known {
				p50[with] = gotP50
			}
		}
		if off = generatorsOff(rate, p50); off == "" {
			return
		}
	}
	t.Error(off)
}

// generate measures the one row, and returns its rate and its median latency.
func generate(t *testing.T, with string, args ...string) (rate, p50 float64) {
	t.Helper()
	b := runBench(t, append(args, "--modes=goroutine", "-c=10", "--delay=200ms", "--repeat=1", "--with="+with)...)
	row := b.row(t, "goroutine")
	if row.Total.PerSecond == nil || row.Total.P50 == nil {
		t.Fatalf("%s measured nothing", with)
	}
	if with == "ab" { // which sends one request alone at first, and has an ideal of its own
		return *row.Total.PerSecond / *row.Total.Ceiling * 50, row.Total.P50.Seconds
	}
	return *row.Total.PerSecond, row.Total.P50.Seconds
}

// generatorsOff says which of them disagree, if any.
func generatorsOff(rate, p50 map[string]float64) (off string) {
	for _, with := range []string{"ab", "wrk"} {
		if by := rate[with]/rate["builtin"] - 1; math.Abs(by) > 0.01 {
			off += fmt.Sprintf("%s counts %g requests/s, the builtin generator %g\n", with, rate[with], rate["builtin"])
		}
		if by := p50[with]/p50["builtin"] - 1; math.Abs(by) > 0.01 {
			off += fmt.Sprintf("%s measures a median of %g s, the builtin generator %g s\n", with, p50[with], p50["builtin"])
		}
	}
	return off
}

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

// TestBenchOriginals: the article's programs are rows beside the modes.
func TestBenchOriginals(t *testing.T) {
	inEachRun(t, func() findings {
		b := runBench(t, "--modes=goroutine", "--originals", "-c=10", "-z=1s", "--delay=200ms", "--repeat=1")
		if b.code != 0 || len(b.Rows) != 8 {
			t.Fatalf("exit code %d, %d rows; want 0 and 8", b.code, len(b.Rows))
		}
		found := findings{}
		for _, row := range b.Rows {
			want := 50.0
			if row.Places == 1 {
				want = 5
			}
			if !near(row.Total.PerSecond, want, 0.15) {
				found[row.Name] = fmt.Sprintf("%s requests/s, want %g", text(row.Total.PerSecond), want)
			}
		}
		return found
	})
}

// TestBenchAgainst: a server that is running already is a row like any other.
func TestBenchAgainst(t *testing.T) {
	p := start(t, "--delay=100ms")
	inEachRun(t, func() findings {
		b := runBench(t, "--modes=goroutine", "--against=theirs="+p.url, "-c=10", "-z=1s", "--delay=100ms", "--repeat=2")
		if b.code != 0 {
			t.Errorf("exit code %d, want 0", b.code)
		}
		found := findings{}
		found.wantRate(b.row(t, "theirs"), 100)
		return found
	})
	b := runBench(t, "--modes=goroutine", "--against=nobody=http://127.0.0.1:1/", "-z=1s")
	if b.code != 1 || !strings.Contains(b.errOut, "http://127.0.0.1:1/") {
		t.Errorf("exit code %d, want 1 and the address that does not answer", b.code)
	}
}

// TestBenchTellsNoiseFromDifference: the same twice is the same, and 5% is a difference. On a machine that does not serve
// the same twice, because it is busy, that cannot be told: what matters and what differs are larger there.
func TestBenchTellsNoiseFromDifference(t *testing.T) {
	want := []string{result.Same, result.Different, result.Different}
	for _, try := range []struct{ margin, slower, duration string }{
		{"2%", "105ms", "1s"}, {"8%", "125ms", "2s"}, {"40%", "300ms", "2s"}, {"40%", "300ms", "4s"},
	} {
		b := runBench(t, "--row=goroutine:delay=100ms", "--row=goroutine:delay=100ms", "--row=goroutine:delay="+try.slower,
			"-c=10", "-z="+try.duration, "--repeat=6", "--margin="+try.margin)
		if len(b.Comparisons) != len(want) {
			t.Fatalf("%d comparisons, want %d", len(b.Comparisons), len(want))
		}
		var got, claims []string
		for _, c := range b.Comparisons {
			got = append(got, c.Verdict)
			claims = append(claims, fmt.Sprintf("%s and %s are %s (%.3f to %.3f)", c.A, c.B, c.Verdict, c.Low, c.High))
		}
		if slices.Equal(got, want) {
			return
		}
		if b.calm() {
			t.Errorf("all rounds were alike, and %s; want %s", claims, want)
			return
		}
		t.Logf("margin %s: %s", try.margin, claims)
	}
	t.Errorf("the machine is too busy, or this is never told: %s", want)
}

// calm reports whether each row served the same in each of its rounds, within 1%.
func (b benchRun) calm() bool {
	for _, row := range b.Rows {
		var rates []float64
		for _, repeat := range row.Repeats {
			if repeat.PerSecond == nil {
				return false
			}
			rates = append(rates, *repeat.PerSecond)
		}
		if len(rates) == 0 || slices.Max(rates) > 1.01*slices.Min(rates) {
			return false
		}
	}
	return true
}

// TestBenchDiff compares a run with itself, and with one of half the clients.
func TestBenchDiff(t *testing.T) {
	inEachRun(t, func() findings {
		folder := t.TempDir()
		var files []string
		for i, clients := range []string{"10", "5"} {
			file := filepath.Join(folder, strconv.Itoa(i)+".json")
			mustTool(t, built(t), "bench", "--modes=goroutine", "-c="+clients, "-z=500ms", "--delay=50ms", "--repeat=6", "--json="+file)
			files = append(files, file)
		}
		if out := mustTool(t, built(t), "bench", "diff", files[0], files[0]); !strings.Contains(out, "same") {
			t.Errorf("a run and itself:\n%s", out)
		}
		found := findings{}
		if out := mustTool(t, built(t), "bench", "diff", files[0], files[1]); !strings.Contains(out, "different") {
			found["a run and one of half the clients"] = out
		}
		return found
	})
}

// TestBenchKeepsSecrets: what bench starts gets no secret that it has no use for. TestBenchCost looks at nginx and Python.
func TestBenchKeepsSecrets(t *testing.T) {
	for with, args := range map[string][]string{"ab": {"-n=5"}, "wrk": {"-z=1s"}} {
		cmd, read := prepareBench(t, append(args, "--modes=goroutine", "--with="+with, "-c=1", "--delay=200ms", "--repeat=1")...)
		if b := read(keepsSecrets(t, cmd, "serve", with)); b.code != 0 {
			t.Errorf("exit code %d", b.code)
		}
	}
}

// keepsSecrets runs a command with secrets in its environment. No process that it starts may have one there, or on its
// command line, where everybody can read it. Those that are wanted have to be among them.
func keepsSecrets(t *testing.T, cmd *exec.Cmd, wants ...string) error {
	t.Helper()
	cmd.Env = append(os.Environ(), "DEMO_SERVER_DSN=postgres://me:hush@127.0.0.1/demo", "DEMO_SERVER_ADMIN_TOKEN=hush", "PGPASSWORD=hush")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	started, err := watch(cmd.Process.Pid, ended)
	lines := slices.Collect(maps.Keys(started))
	for _, want := range wants {
		if !regexp.MustCompile(`(?m)(^|[/ ])` + want + ` `).MatchString(strings.Join(lines, "\n")) {
			t.Errorf("%s was not seen, of %q", want, lines)
		}
	}
	for line, environ := range started {
		if strings.Contains(line+environ, "hush") {
			t.Errorf("a secret is in %q or its environment", line)
		}
	}
	return err
}

// watch gathers the environment of each process below root by its command line, until that has ended.
func watch(root int, ended <-chan error) (started map[string]string, err error) {
	started = map[string]string{}
	for {
		select {
		case err := <-ended:
			return started, err
		case <-time.After(20 * time.Millisecond):
		}
		own, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", root))
		for _, pid := range below(root) {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
			if err == nil && len(line) > 0 && !bytes.Equal(line, own) { // else it is about to become something else
				started[string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))] = string(environ)
			}
		}
	}
}

// below are the processes that descend from one.
func below(root int) (all []int) {
	children := map[int][]int{}
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range found {
		if pid, parent, ok := readStat(file); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	for parents := []int{root}; len(parents) > 0; parents = parents[1:] {
		all, parents = append(all, children[parents[0]]...), append(parents, children[parents[0]]...)
	}
	return all
}

// readStat returns a process and its parent, of a file /proc/PID/stat: pid (comm) state ppid (proc(5)).
func readStat(file string) (pid, parent int, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return 0, 0, false
	}
	pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(file)))
	parent, _ = strconv.Atoi(fields[1])
	return pid, parent, true
}

// around reports whether a figure is within a tenth.
func around(got *float64, want float64) bool { return got != nil && math.Abs(*got-want) < 0.1 }

// TestBenchCost: what a blocked request costs, of few. The soft limit on open files, of which all of them need more, is
// the shell's and does not matter.
func TestBenchCost(t *testing.T) { inEachRun(t, func() findings { return benchCost(t) }) }

func benchCost(t *testing.T) findings {
	cmd, read := prepareBench(t, "cost", "--modes=goroutine,thread,single,eventloop", "--beside", "--in-flight=1000", "--ramp=1s")
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `ulimit -Sn 256 && exec "$0" "$@"`}, cmd.Args...)
	b := read(keepsSecrets(t, cmd, "serve", "beside", "nginx", "flask_threaded.py", "gevent_patched.py"))
	if b.code != 0 {
		t.Fatalf("exit code %d", b.code)
	}
	// Goroutines and threads of a request, or -1 where nobody says.
	per := map[string]struct{ goroutines, threads float64 }{
		"goroutine": {2, 0}, "thread": {3, 1}, "single": {-1, -1}, "eventloop": {0, 0}, // net/http has one to watch for the leaving
		"bare net/http": {-1, 0}, "bare fasthttp": {-1, 0}, "nginx": {-1, 0}, "flask": {-1, 1}, "gevent": {-1, 0},
	}
	if len(b.Costs) != len(per) {
		t.Errorf("%d rows, want %d", len(b.Costs), len(per))
	}
	found := findings{}
	for _, cost := range b.Costs {
		if cost.CPUPerRequest == nil || *cost.CPUPerRequest <= 0 {
			found[cost.Name+", CPU"] = "none per request"
		}
		if cost.Name == "single" {
			continue
		}
		wanted := 1000
		if cost.Kind == result.KindOriginal {
			wanted = 250 // for each second of --ramp
		}
		if cost.Wanted != wanted || cost.InFlight < wanted*99/100 || cost.InFlight > wanted {
			found[cost.Name+", in flight"] = fmt.Sprintf("%d of %d, want %d", cost.InFlight, cost.Wanted, wanted)
		}
		if cost.BytesPerRequest == nil || *cost.BytesPerRequest < 300 || *cost.BytesPerRequest > 100_000 {
			found[cost.Name+", memory"] = text(cost.BytesPerRequest) + " bytes per request"
		}
		want := per[cost.Name]
		if want.goroutines >= 0 && !around(cost.GoroutinesPer, want.goroutines) || !around(cost.ThreadsPer, want.threads) {
			found[cost.Name+", goroutines and threads"] = fmt.Sprintf("%s and %s per request, want %g and %g", text(cost.GoroutinesPer),
				text(cost.ThreadsPer), want.goroutines, want.threads)
		}
	}
	return found
}

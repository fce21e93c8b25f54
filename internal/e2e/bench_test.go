//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

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
	b := runBench(t, append(args, "--modes=goroutine", "-c=10", "--delay=200ms", "--repeat=1", "--generator="+with)...)
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

//go:build e2e

package e2e_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"demo-server/bench/result"
)

// TestBenchOriginals: the article's programs are rows beside the modes.
func TestBenchOriginals(t *testing.T) {
	inEachRun(t, func() findings {
		b := runBench(t, "--modes=goroutine", "--python", "-c=10", "-z=1s", "--delay=200ms", "--repeat=1")
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
	b := runBench(t, "--modes=goroutine", "--against=nobody=http://127.0.0.1:1/", "-z=1s", "--delay=100ms")
	if b.code != 1 || !strings.Contains(b.errOut, "http://127.0.0.1:1/") {
		t.Errorf("exit code %d, want 1 and the address that does not answer", b.code)
	}
}

// TestBenchTellsNoiseFromDifference: the same twice is the same, and 5% is a difference. On a machine that does not serve
// the same twice, because it is busy, that cannot be told: what matters and what differs are larger there.
func TestBenchTellsNoiseFromDifference(t *testing.T) {
	want := []string{result.Same, result.Different} // from the first row
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

// around reports whether a figure is within a tenth.
func around(got *float64, want float64) bool { return got != nil && math.Abs(*got-want) < 0.1 }

// TestBenchCost: what a blocked request costs, of few. The soft limit on open files, of which all of them need more, is
// the shell's and does not matter.
func TestBenchCost(t *testing.T) { inEachRun(t, func() findings { return benchCost(t) }) }

func benchCost(t *testing.T) findings {
	cmd, read := prepareBench(t, "cost", "--modes=goroutine,thread,single,eventloop", "--baselines", "--in-flight=1000", "--ramp=1s")
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

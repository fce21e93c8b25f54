package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"demo-server/bench/result"
	"demo-server/bench/verdict"
)

// FuzzDiffText checks that any two files are either refused or compared in a table that fits a terminal.
func FuzzDiffText(f *testing.F) {
	const file = `{"schema": "demo-server/bench/1", "rows": [{"name": "pool", "total": {"requests_per_second": %s},
		"repeats": [{"requests_per_second": %[1]s}, {"requests_per_second": 1}]}]}`
	for _, figure := range []string{"1", "1e308", "1e15", "1e-12", "5e-324", "-1"} {
		f.Add(fmt.Sprintf(file, figure), fmt.Sprintf(file, "2"))
	}
	f.Fuzz(func(t *testing.T, older, newer string) {
		before, errBefore := result.Read(strings.NewReader(older))
		after, errAfter := result.Read(strings.NewReader(newer))
		if errBefore != nil || errAfter != nil {
			return
		}
		checkDiff(t, before, after)
	})
}

// TestDiffTextExtremes checks that the table ends and fits even with figures that no file may have.
func TestDiffTextExtremes(t *testing.T) {
	run := func(name string, rate float64) *result.Result {
		row := result.Row{Name: name}
		row.Total.PerSecond = &rate
		row.Repeats = []result.Repeat{{Figures: row.Total}, {Figures: row.Total}}
		return &result.Result{Rows: []result.Row{row}}
	}
	for _, name := range []string{"a", "世界", strings.Repeat("x", 100_000), strings.Repeat("-", 1000)} {
		for _, rates := range [][2]float64{{1e308, 1e308}, {1e308, 5e-324}, {5e-324, 1e308}, {-1e308, 1e308}} {
			checkDiff(t, run(name, rates[0]), run(name, rates[1]))
		}
	}
}

// ran sets six repeats of a row that differ by 0.1%. slower is a factor for latency, CPU and memory.
func ran(row *result.Row, perSecond, slower float64) {
	row.Repeats = nil
	for i := range 6 {
		noise := 1 + 0.001*float64(i%3-1)
		peak := result.Sample{Resident: result.Number(20e6 * slower * noise)}
		row.Repeats = append(row.Repeats, result.Repeat{Round: i + 1, Figures: result.Figures{
			PerSecond: result.Number(perSecond * noise), P50: exactly(2 * slower * noise), P99: exactly(2.02 * slower * noise),
			CPUPerRequest: result.Number(100e-6 * slower * noise), Peak: &peak,
		}})
	}
	row.Total.PerSecond = &perSecond
}

// TestDiffText checks the comparison in 80 columns: the throughput of rows, changed and incomparable figures, and all
// differences between the runs.
func TestDiffText(t *testing.T) {
	older, newer := article(), article()
	newer.Version, newer.Started = "v1.3.0", newer.Started.Add(time.Hour)
	newer.Machine.Cores, newer.Machine.Memory = 4, 16<<30
	newer.Load.Keepalive, newer.Load.BudgetSeconds, newer.Load.Repeat = true, 60, 3
	newer.Command = []string{"demo-server", "bench", "--article", "--python", "-c", "100", "--json=new.json", "--keepalive"}
	for i := range older.Rows {
		ran(&older.Rows[i], 50, 1)
		ran(&newer.Rows[i], 50, 1)
	}
	row := func(r *result.Result, name string) *result.Row {
		return &r.Rows[slices.IndexFunc(r.Rows, func(row result.Row) bool { return row.Name == name })]
	}
	ran(row(newer, "fasthttp"), 40.01, 1.25)
	ran(row(newer, "eventloop"), 50, 1.1)
	row(newer, "eventloop").Repeats[1].P99.Beyond = true
	row(newer, "pool(50)").Repeats = row(newer, "pool(50)").Repeats[:2]
	for _, run := range []*result.Result{older, newer} {
		for i := range row(run, "mine").Repeats {
			row(run, "mine").Repeats[i].CPUPerRequest, row(run, "mine").Repeats[i].Peak = nil, nil
		}
	}
	for i := range row(newer, "gevent").Repeats {
		row(newer, "gevent").Repeats[i].Figures = result.Figures{}
	}
	row(newer, "pool(50)").Delay, row(newer, "pool(50)").Places = result.Number(0.2), 0
	row(newer, "single").Delay = result.Number(0.2)
	row(newer, "pool(queue=10,workers=10)").Settings = map[string]string{"workers": "10", "queue": "20", "delay": "1s"}
	newer.Rows = slices.DeleteFunc(newer.Rows, func(row result.Row) bool { return row.Name == "flask" })
	var out strings.Builder
	if err := DiffText(&out, older, newer, verdict.Runs(older.Rows, newer.Rows, 0.02), Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	const want = `
                               old      new  change
────────────────────────────────────────────────────────────────────────────
goroutine                    50.00    50.00    0.0%                     same
fasthttp                     50.00    40.01  -20.0%                different
  p50                      2.000 s  2.500 s  +25.0%                different
  p99                      2.020 s  2.525 s  +25.0%                different
  CPU per request           100 µs   125 µs  +25.0%                different
  peak memory              20.0 MB  25.0 MB  +25.0%                different
eventloop                    50.00    50.00    0.0%                     same
  p50                      2.000 s  2.200 s  +10.0%                different
  p99                      2.020 s  > 2.2 s       –             not compared
  peak memory              20.0 MB  22.0 MB  +10.0%                different
pool(50)                     50.00    49.97    0.0%  too few repeats to tell
pool(queue=10,workers=10)    50.00    50.00    0.0%                     same
single                       50.00    50.00    0.0%                     same
gevent                       50.00        –       –             not compared
mine                         50.00    50.00    0.0%                     same
gunicorn-gthread             50.00    50.00    0.0%                     same

  goroutine, pool(queue=10,workers=10), single and gunicorn-gthread: the same
    p50, p99, CPU per request and peak memory
  eventloop: the same CPU per request
  pool(50): too few repeats to tell p50, p99, CPU per request and peak memory
  gevent: only the old run has p50, p99, CPU per request and peak memory
  mine: the same p50 and p99; neither run has CPU per request and peak memory
  The first line of a row is requests/s. Changes that do not matter: up to 2%
    of requests/s and p50, 5% of p99 and peak memory, 20% of CPU per request.
  One or two repeats show obvious differences only: try --repeat 6.

  old: v1.2.0 (2f5eba777d8a), 2026-11-22 21:30 UTC
  new: v1.3.0, 2026-11-22 22:30 UTC
  machine: cores 2 → 4, memory 8.59 GB → 17.2 GB
  load: keepalive false → true, repeat 6 → 3, budget 600s → 60s
  pool(50): delay 2s → 200ms, places 50 → none
  pool(queue=10,workers=10): queue 10 → 20
  single: delay 2s → 200ms
  command line: --row=pool:workers=10,queue=10 → -c 100 --keepalive
  flask: only in the old run
  gunicorn-gthread: failed in the old run
  mine: not trustworthy in the old run: an audit is broken
  gunicorn-gthread: failed in the new run
  mine: not trustworthy in the new run: an audit is broken
`
	if diff := cmp.Diff(want[1:], out.String()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestDifferences checks that exactly the differences between two runs are named, with both values.
func TestDifferences(t *testing.T) {
	same := article()
	if words := differing(slices.Concat(fields(same.Load, same.Load), fields(same.Machine, same.Machine),
		rowFields(&same.Rows[4], &same.Rows[4]))); words != "" {
		t.Errorf("a run and itself: %s", words)
	}
	for _, c := range []struct{ older, newer, want string }{
		{"-c=10", "-c=10", ""},
		{"-c=10 --delay=2s", "--delay=2s -c=10", ""},
		{"-c 10 --json old.json --csv=old.csv", "-c 5 --report new.html", "-c 10 → -c 5"},
		{"--row=pool --row=pool", "--row=pool", "--row=pool → none"},
		{"--keepalive -c", "-c 5", "--keepalive -c → -c 5"},
	} {
		command := func(words string) []string { return strings.Fields("demo-server bench " + words) }
		if got := commandWords(command(c.older), command(c.newer)); got != c.want {
			t.Errorf("%q and %q: %q, want %q", c.older, c.newer, got, c.want)
		}
	}
}

func checkDiff(t *testing.T, before, after *result.Result) {
	t.Helper()
	var out strings.Builder
	if err := DiffText(&out, before, after, verdict.Runs(before.Rows, after.Rows, 0.02), Options{Width: 100}); err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(out.String(), "\n\n")
	for line := range strings.Lines(table) {
		if width := text.StringWidth(strings.TrimSuffix(line, "\n")); width > 100 {
			t.Fatalf("a line of %d characters: %.200s", width, line)
		}
	}
}

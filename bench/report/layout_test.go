package report

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"demo-server/bench/result"
)

// cells returns six modes with four kinds of work, and notes on each.
func cells() *result.Result {
	r := article()
	r.Rows, r.Left, r.Comparisons = nil, nil, nil
	r.Verdict = []string{"single: 1 at a time / 2s bounds it, whatever the work is."}
	for i, kind := range []string{"sleep", "block", "cpu", "mutex"} {
		for j, mode := range []string{"goroutine", "pool(queue=10,workers=10)", "single", "fasthttp", "thread", "eventloop"} {
			row := server{name: mode, perSecond: 49.9 / float64(1+i*j), base: 14e6, each: 15e3, threads: 9, goroutines: 2, cpu: 0.11e-3}.row()
			row.Name, row.Work = mode+result.Times+kind, kind
			row.Settings = map[string]string{"work": kind}
			row.Notes = []string{
				fmt.Sprintf("requests/s -%d.3%%, mean latency +%d.5%% off the prediction: each request spent %dµs beside queue and work,"+
					" connecting, sending and receiving", 3+i, 4+j, 300+10*i+j),
				fmt.Sprintf("%d.0 of the requests that the clients waited for had not reached the server, and the accept queue held %d.0", i, j),
			}
			r.Rows = append(r.Rows, row)
		}
	}
	return r
}

// refusedByAB returns a run of ab against a pool that refuses, which ab counts as failures.
func refusedByAB() *result.Result {
	r := article()
	r.Load.Generator = "ab"
	r.Rows = r.Rows[3:5]
	for i := range r.Rows {
		r.Rows[i].Notes, r.Rows[i].Total.Refused, r.Rows[i].Total.RefusedShare = nil, 0, nil
	}
	r.Rows[1].Total.P50 = exactly(0.41)
	r.Rows[1].Total.Failed, r.Rows[1].Total.Status = 25_709, 25_709
	return r
}

// planned returns a function that writes the plan of the result's run.
func planned(r *result.Result) func(io.Writer, Options) error {
	plan := *r
	plan.Rows = nil
	for _, row := range r.Rows {
		row.Total = result.Figures{TookSeconds: row.Total.TookSeconds}
		plan.Rows = append(plan.Rows, row)
	}
	return func(w io.Writer, o Options) error {
		return PlanText(w, &plan, time.Date(2026, 11, 22, 21, 30, 0, 0, time.UTC), o)
	}
}

// TestFits checks that all output fits 80 columns, without split tables or broken heads.
func TestFits(t *testing.T) {
	shown := func(show func(io.Writer, *result.Result, Options) error, r *result.Result) func(io.Writer, Options) error {
		return func(w io.Writer, o Options) error { return show(w, r, o) }
	}
	costs := cost()
	costs.Costs[1].ThreadsPer, costs.Costs[1].BytesPerRequest = result.Number(-0.000_111), result.Number(-0.2)
	negative := article()
	negative.Rows[0].Total.ServerCores = result.Number(-0.0001)
	negative.Expectations = []result.Expectation{{Text: "pool(50).p99<2.1s && " + strings.Repeat("x", 200), Met: true, Why: "2.004 s"}}
	for _, test := range []struct {
		name   string
		show   func(io.Writer, Options) error
		tables int
	}{
		{"modes, long names and a failure with its log", shown(Text, article()), 1},
		{"its plan", planned(article()), 1},
		{"24 cells", shown(Text, cells()), 2},
		{"their plan", planned(cells()), 1},
		{"costs", shown(CostText, costs), 1},
		{"ab with refusals", shown(Text, refusedByAB()), 1},
		{"its plan", planned(refusedByAB()), 1},
		{"figures a little below 0", shown(Text, negative), 1},
		{"many rows", shown(Text, many()), 1},
	} {
		for _, wide := range []bool{false, true} {
			var out strings.Builder
			if err := test.show(&out, Options{Wide: wide}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if got := text.StringWidth(strings.TrimSuffix(line, "\n")); got > 80 {
					t.Errorf("%s, wide %t: a line has %d characters, want at most 80: %q", test.name, wide, got, line)
				}
			}
			for _, bad := range []string{"-0.0%", "-0.00", "re-\n", "re- "} {
				if strings.Contains(out.String(), bad) {
					t.Errorf("%s, wide %t: there is %q:\n%s", test.name, wide, bad, out.String())
				}
			}
			if got := strings.Count(out.String(), "──\n"); !wide && got != test.tables {
				t.Errorf("%s: %d tables, want %d:\n%s", test.name, got, test.tables, out.String())
			}
		}
	}
}

// TestMarks checks that latencies of ab and wrk that include failures are marked in the table, and explained once.
func TestMarks(t *testing.T) {
	out := written(t, refusedByAB(), Options{})
	for _, part := range []string{" 410 ms* ", " 4.003 s* ", "failed or", "25,709", "  * ab counts refused and failed requests in its latencies\n"} {
		if !strings.Contains(out, part) {
			t.Errorf("there is no %q:\n%s", part, out)
		}
	}
	if strings.Contains(out, "4.002 s*") {
		t.Errorf("a row without failures is marked:\n%s", out)
	}
	unmarked := refusedByAB()
	unmarked.Load.Generator = "builtin"
	if out := written(t, unmarked, Options{}); strings.Contains(out, mark) {
		t.Errorf("the built-in generator tells refusals apart, and there is a mark:\n%s", out)
	}
	crossed := cells()
	crossed.Load.Generator = "wrk"
	crossed.Rows[1].Total.Status, crossed.Rows[1].Total.Failed = 7, 7
	out = written(t, crossed, Options{})
	for _, part := range []string{" 2.018 s* ", "* wrk counts refused", "Failed or refused\n"} {
		if !strings.Contains(out, part) {
			t.Errorf("several kinds of work: there is no %q:\n%s", part, out)
		}
	}
}

// TestHidden checks that columns without information are missing, and that the text names hidden columns.
func TestHidden(t *testing.T) {
	quiet := many()
	for i := range quiet.Rows {
		quiet.Rows[i].Prediction = nil
		quiet.Rows[i].Total.BytesPerInFlight = nil
	}
	out := written(t, quiet, Options{})
	for _, head := range []string{"failed ", "refused ", "predicted", "memory", ">"} {
		if heads, _, _ := strings.Cut(out, "──"); strings.Contains(heads, head) {
			t.Errorf("there is a column %s:\n%s", head, out)
		}
	}
	for _, line := range []string{
		"\n  No request failed or was refused.\n", "\n  --wide adds share of the ceiling, mean, p90, CPU, memory, threads.\n",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("there is no %q:\n%s", line, out)
		}
	}
	const memory = "see demo-server bench cost"
	if strings.Contains(out, memory) {
		t.Errorf("the memory of a request is spoken of, and was not asked for:\n%s", out)
	}
	out = written(t, quiet, Options{Wide: true, Width: 120})
	if heads := "memory/req"; strings.Contains(out, heads) || !strings.Contains(strings.Join(strings.Fields(out), " "), memory) {
		t.Errorf("there is a column %s, or no line on where to look for it:\n%s", heads, out)
	}
	if out := written(t, many(), Options{Wide: true, Width: 120}); strings.Contains(out, memory) || !strings.Contains(out, "memory/req") {
		t.Errorf("there is no column of the memory of a request, and it is known:\n%s", out)
	}
}

// TestBeyondLegend checks that ">" is explained if it occurs.
func TestBeyondLegend(t *testing.T) {
	const legend = "> is for requests that had no reply yet"
	if out := written(t, article(), Options{}); !strings.Contains(out, legend) {
		t.Errorf("there is no %q:\n%s", legend, out)
	}
	if out := written(t, many(), Options{}); strings.Contains(out, ">") {
		t.Errorf("there is a >, and all latencies are known:\n%s", out)
	}
}

func TestUntroubled(t *testing.T) {
	for _, test := range []struct {
		generator       string
		failed, refused int
		want            string
	}{
		{"builtin", 0, 0, "No request failed or was refused."},
		{"builtin", 1, 0, "No request was refused."},
		{"builtin", 0, 1, "No request failed."},
		{"builtin", 1, 1, ""},
		{"ab", 0, 0, "No request failed or was refused."},
		{"ab", 1, 0, ""}, // they may have been refused
	} {
		r := many()
		r.Load.Generator = test.generator
		r.Rows[3].Total.Failed, r.Rows[3].Total.Refused = test.failed, test.refused
		if got := untroubled(r); got != test.want {
			t.Errorf("%s, %d failed and %d refused: %q, want %q", test.generator, test.failed, test.refused, got, test.want)
		}
	}
	if got := untroubled(&result.Result{Rows: []result.Row{{Name: "a"}}}); got != "" {
		t.Errorf("nothing was measured, and %q is said", got)
	}
}

// TestCPUHead checks that the head names the connections, because new ones cost CPU of their own.
func TestCPUHead(t *testing.T) {
	for keepalive, want := range map[bool]string{false: "new conns", true: "kept conns"} {
		r := many()
		r.Load.Keepalive = keepalive
		if out := written(t, r, Options{Wide: true}); !strings.Contains(out, want) {
			t.Errorf("kept %t: no head says %s:\n%s", keepalive, want, out)
		}
	}
}

// TestWide checks that all columns are in one table if there is room, and otherwise in one table per group.
func TestWide(t *testing.T) {
	for width, titles := range map[int]int{80: 4, 120: 4, 260: 0} {
		out := written(t, article(), Options{Width: width, Wide: true})
		got := 0
		for _, title := range []string{"\nThroughput\n", "\nLatency\n", "\nCPU\n", "\nMemory, threads and files\n"} {
			got += strings.Count(out, title)
		}
		if got != titles {
			t.Errorf("in %d columns there are %d titles, want %d:\n%s", width, got, titles, out)
		}
		for _, figure := range []string{"49.98", "2.048 s", "> 60 s", "412k", "340 kB", "0.110", "101"} {
			if !strings.Contains(out, figure) {
				t.Errorf("in %d columns there is no %s:\n%s", width, figure, out)
			}
		}
	}
}

// TestGivesWay checks that columns without room are left out and named.
func TestGivesWay(t *testing.T) {
	out := written(t, article(), Options{Width: 60})
	if strings.Contains(out, "95% CI") || !strings.Contains(out, "--wide adds 95% confidence, share of the ceiling") {
		t.Errorf("95%% CI does not give way first, or is not named:\n%s", out)
	}
	if !strings.Contains(out, "failed") || strings.Count(out, "──\n") != 1 {
		t.Errorf("failed gave way, or the table is split:\n%s", out)
	}
}

func TestExpectations(t *testing.T) {
	r := article()
	r.Expectations = []result.Expectation{
		{Text: "pool(50).p99<2.1s", Met: true, Why: "2.004 s"}, {Text: "goroutine.failed==0", Why: "7."}, {Text: "a.p50<1s"},
	}
	const want = "\nExpected\n  met: pool(50).p99<2.1s (2.004 s)\n  NOT MET: goroutine.failed==0 (7)\n  NOT MET: a.p50<1s\n"
	if out := written(t, r, Options{}); !strings.HasSuffix(out, want) {
		t.Errorf("got\n%s\nwant at its end\n%s", out, want)
	}
}

// TestPlanText checks that the plan describes the run in a few lines, and only differences between the rows.
func TestPlanText(t *testing.T) {
	r := article()
	r.Rows = r.Rows[3:6]
	r.Rows[0].Settings = map[string]string{"workers": "50"}
	for i := range r.Rows {
		r.Rows[i].Mode, r.Rows[i].Work = "pool", "sleep"
	}
	var out strings.Builder
	if err := planned(r)(&out, Options{}); err != nil {
		t.Fatal(err)
	}
	const want = `Request   2 s of work sleep
Load      100 clients, 5,000 requests, 6 rounds, a new connection per request
Ceiling   50 requests/s, the most that 100 clients can ask for (100 / 2 s)
pool(50)  mode pool with workers=50
pool(queue=10,workers=10): mode pool with queue=10 and workers=10

                            predicted  latency  latency
                           requests/s     mean  longest          capacity
─────────────────────────────────────────────────────────────────────────
pool(50)                        25.00  4.000 s  4.000 s   50 workers / 2s
pool(queue=10,workers=10)       5.000  20.00 s  20.00 s   10 workers / 2s
single                         0.5000  200.0 s  200.0 s  1 at a time / 2s

  single: would take longer, and is cut off after 10m2s
  All of it takes about 31m32s, until 22:01:32.

Left out
  processes(1): it would take 2h46m40s (1 worker / 2s)

`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r.Rows[1].Total.TookSeconds, r.Rows[2].Prediction, r.Rows[2].Why = 1, nil, "nothing is known of this server"
	r.Rows[2].Bound = ""
	out.Reset()
	if err := planned(r)(&out, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"takes", "10m2s", " 1s ", "  single: no prediction: nothing is known of this server\n"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("there is no %q:\n%s", part, out.String())
		}
	}
}

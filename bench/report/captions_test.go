package report

import (
	"fmt"
	"testing"

	"demo-server/bench/result"
)

func TestThroughputCaption(t *testing.T) {
	of := func(name string, perSecond, ceiling float64, bound string) result.Row {
		row := result.Row{Name: name, Bound: bound}
		row.Total.PerSecond = &perSecond
		if ceiling > 0 {
			row.Total.Ceiling = &ceiling
		}
		return row
	}
	predicted := func(row result.Row, share float64) result.Row {
		row.Prediction = &result.Figures{PerSecond: result.Number(share * *row.Total.Ceiling), Ceiling: row.Total.Ceiling}
		return row
	}
	alike := func(n int, bound func(i int) string) (rows []result.Row) {
		for i := range n {
			rows = append(rows, of(fmt.Sprintf("row-%d", i), float64(10+i), 100, bound(i)))
		}
		return rows
	}
	tests := []struct {
		name string
		rows []result.Row
		want string
	}{
		{"one reaches it", []result.Row{of("a", 49.9, 50, "")},
			"a reaches the ceiling of 50 requests/s: the load asks for no more, so it does not show how much more it could do."},
		{"ceilings differ", []result.Row{of("a", 50, 50, ""), of("b", 99, 100, ""), of("c", 10, 40, "5 workers / 500ms")},
			"a and b reach the ceiling: the load asks for no more, so it does not show how much more they could do." +
				" Below the ceiling: c at 25.0% (5 workers / 500ms)."},
		{"none has one", []result.Row{of("a", 50_000, 0, ""), of("b", 20_000, 0, ""), {Name: "failed"}},
			"No ceiling is known for a and b."},
		{"a limit of several rows", []result.Row{of("a", 9, 100, "2 cores"), of("b", 5, 100, "1 at a time"), of("c", 5.8, 100, "2 cores")},
			"Below the ceiling: a and c at 5.8% to 9.0% (2 cores); b at 5.0% (1 at a time)."},
		{"a bound that is not the cause", []result.Row{predicted(of("a", 93, 100, "1000 threads / 100ms"), 1)},
			"Below the ceiling: a at 93.0%."},
		{"a bound that is the cause", []result.Row{predicted(of("a", 49, 100, "50 workers / 1s"), 0.5)},
			"Below the ceiling: a at 49.0% (50 workers / 1s)."},
		{"many rows with one limit", alike(24, func(int) string { return "2 cores" }),
			"Below the ceiling: row-0, row-1, row-2, row-3, row-4 and 19 others at 10.0% to 33.0% (2 cores)."},
		{"many rows with many limits", alike(24, func(i int) string { return fmt.Sprintf("%d workers", i) }),
			"Below the ceiling: row-0, row-1, row-2, row-3, row-4 and 19 others at 10.0% to 33.0%."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := throughputCaption(groupsOf(test.rows)[0].entries); got != test.want {
				t.Errorf("%q\nwant %q", got, test.want)
			}
		})
	}
}

func TestLatencyCaption(t *testing.T) {
	beyond := func(row result.Row) result.Row {
		row.Total.P50, row.Total.Longest = &result.Latency{Seconds: 1.5, Beyond: true}, &result.Latency{Seconds: 1.5, Beyond: true}
		row.Curve = []result.Point{{Percent: 0, Latency: result.Latency{Seconds: 1.5, Beyond: true}}}
		return row
	}
	of := func(name string, median float64) result.Row {
		row := result.Row{Name: name}
		row.Total.P50, row.Total.Longest = exactly(median), exactly(2*median)
		return row
	}
	tests := []struct {
		name  string
		rows  []result.Row
		lines int
		want  string
	}{
		{"the article", article().Rows, 3, "Half of the requests took at most 2.002 s with goroutine, fasthttp, eventloop, flask, gevent and" +
			" mine; 4.002 s with pool(queue=10,workers=10) and pool(50). The slowest request took 4.048 s (pool(50))." +
			" The line of single ends at 25%: from 50% on, requests took longer than 60 s." +
			" Rows whose lines would lie on one another share a line."},
		{"each row has its line", article().Rows[:1], 1, "Half of the requests took at most 2.002 s with goroutine." +
			" The slowest request took 2.048 s (goroutine)."},
		{"no line", []result.Row{beyond(article().Rows[5])}, 0, "single has no line: its requests took longer than 1.5 s."},
		{"no lines", []result.Row{beyond(of("a", 1)), beyond(of("b", 1))}, 0,
			"a and b have no line: their replies were still missing when the measurement ended."},
		{"many medians", []result.Row{of("a", 1), of("b", 2), of("c", 3), of("d", 4), of("e", 5)}, 5,
			"Medians go from 1.000 s with a to 5.000 s with e. The slowest request took 10.00 s (e)."},
		{"many names", many().Rows, 1, "Half of the requests took at most 2.002 s with row-00, row-01, row-02, row-03, row-04 and 12" +
			" others. The slowest request took 2.048 s (row-00). Rows whose lines would lie on one another share a line."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := latencyCaption(groupsOf(test.rows)[0].entries, test.lines); got != test.want {
				t.Errorf("%q\nwant %q", got, test.want)
			}
		})
	}
}

// TestResourceCaption checks that rows with equal figures are named together.
func TestResourceCaption(t *testing.T) {
	of := func(name string, threads float64) entry {
		row := &result.Row{Name: name, Series: []result.Sample{{Threads: result.Number(1.0)}, {Threads: &threads}}}
		return entry{Row: row, name: name}
	}
	tests := []struct {
		name    string
		entries []entry
		want    string
	}{
		{"one", []entry{of("a", 9)}, "At the peak: 9 OS threads with a."},
		{"all alike", []entry{of("a", 9), of("b", 9)}, "At the peak: 9 OS threads with a and b."},
		{"several with the least", []entry{of("a", 9), of("b", 109), of("c", 9)},
			"Most at the peak: 109 OS threads with b. Least: 9 with a and c."},
	}
	for _, test := range tests {
		if got := resourceKinds[1].caption(test.entries); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestInsideCaption(t *testing.T) {
	want := map[string]string{
		"goroutine":                 "goroutine works on 100 requests at a time, and none waits.",
		"pool(50)":                  "pool(50) works on 50 requests at a time: 50 wait in its queue.",
		"pool(queue=10,workers=10)": "pool(queue=10,workers=10) works on 10 requests at a time: 10 wait in its queue and 93.2% are refused.",
		"single":                    "single works on 1 request at a time: 99 wait in the kernel's accept queue.",
		"flask":                     "flask does not report what happens inside: 100 wait for a reply.",
	}
	for _, e := range groupsOf(article().Rows)[0].entries {
		if want, some := want[e.name]; some && insideCaption(e) != want {
			t.Errorf("%q\nwant %q", insideCaption(e), want)
		}
		delete(want, e.name)
	}
	for name := range want {
		t.Errorf("there is no row %s", name)
	}
	if got := refusals(0.9996); got != "almost all" {
		t.Errorf("some were served, and the caption says that %s were refused", got)
	}
}

package report

import (
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
	tests := []struct {
		name string
		rows []result.Row
		want string
	}{
		{"one reaches it", []result.Row{of("a", 49.9, 50, "")},
			"a reaches the ceiling of 50 requests/s: the load asks for no more, so that it cannot tell what more it could do."},
		{"ceilings differ", []result.Row{of("a", 50, 50, ""), of("b", 99, 100, ""), of("c", 10, 40, "5 workers / 500ms")},
			"a and b reach the ceiling: the load asks for no more, so that it cannot tell what more they could do." +
				" Below the ceiling stays c at 25.0% (5 workers / 500ms)."},
		{"none has one", []result.Row{of("a", 50_000, 0, ""), of("b", 20_000, 0, ""), {Name: "failed"}},
			"No ceiling is known for a (50,000 requests/s) and b (20,000 requests/s)."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := throughputCaption(&result.Result{Rows: test.rows}); got != test.want {
				t.Errorf("%q\nwant %q", got, test.want)
			}
		})
	}
}

func TestLatencyCaption(t *testing.T) {
	r := article()
	want := "Half of the requests took at most 2.002 s with goroutine, fasthttp, eventloop, flask, gevent and mine; 4.002 s with" +
		" pool(queue=10,workers=10) and pool(50). The slowest request of all took 4.048 s (pool(50))." +
		" The line of single ends at 25%: from 50% on it is only known that they take longer than 60 s."
	if got := latencyCaption(r); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	r.Rows = r.Rows[5:6] // single
	r.Rows[0].Curve = []result.Point{{Percent: 0, Latency: result.Latency{Seconds: 1.5, Beyond: true}}}
	if got, want := latencyCaption(r), "single has no line: of its requests it is only known that they take longer than 1.5 s."; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestInsideCaption(t *testing.T) {
	want := map[string]string{
		"goroutine":                 "goroutine works on 100 requests at a time, and none waits.",
		"pool(50)":                  "pool(50) works on 50 requests at a time: 50 wait in its queue.",
		"pool(queue=10,workers=10)": "pool(queue=10,workers=10) works on 10 requests at a time: 10 wait in its queue and 93.2% are refused.",
		"single":                    "single works on 1 request at a time: 99 wait in the kernel's accept queue.",
		"flask":                     "flask does not tell what goes on inside: 100 wait for a reply.",
	}
	for _, row := range article().Rows {
		if want, some := want[row.Name]; some && insideCaption(&row) != want {
			t.Errorf("%q\nwant %q", insideCaption(&row), want)
		}
		delete(want, row.Name)
	}
	for name := range want {
		t.Errorf("there is no row %s", name)
	}
}

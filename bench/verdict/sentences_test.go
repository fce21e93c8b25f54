package verdict

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/result"
)

func rowOf(name string, perSecond float64, change func(*result.Row)) result.Row {
	row := result.Row{Name: name, Trusted: true, Total: result.Figures{PerSecond: &perSecond}}
	if change != nil {
		change(&row)
	}
	return row
}

func predictedAs(theory, ceiling float64, bound string) func(*result.Row) {
	return func(row *result.Row) {
		delay := 2.0
		row.Prediction, row.Total.Ceiling, row.Bound = &result.Figures{PerSecond: &theory}, &ceiling, bound
		row.Delay = &delay
	}
}

// compared is what Compare says of rows whose rounds are these.
func compared(rows []result.Row, rounds map[string][]float64) []result.Comparison {
	var samples []Sample
	for _, row := range rows {
		if row.Total.PerSecond != nil {
			samples = append(samples, Sample{row.Name, rounds[row.Name]})
		}
	}
	return Compare(samples, margin)
}

func TestSentences(t *testing.T) {
	around := func(rate float64) []float64 { return times(rate, 1, 1.001, 0.999, 1.0005, 0.9995, 1) }
	noisy := func(rate float64) []float64 { return times(rate, 1, 1.05, 0.96, 1.03, 0.97, 1) }
	cases := []struct {
		name   string
		rows   []result.Row
		rounds map[string][]float64
		want   []string
	}{
		{
			"the usual",
			[]result.Row{
				rowOf("goroutine", 49.93, predictedAs(50, 50, "")),
				rowOf("pool(50)", 24.97, predictedAs(25, 50, "50 workers / 2s")),
				rowOf("single", 0.4999, predictedAs(0.5, 50, "1 at a time / 2s")),
				rowOf("fasthttp", 49.90, predictedAs(50, 50, "")),
			},
			map[string][]float64{"goroutine": around(49.93), "pool(50)": around(24.97), "single": around(0.4999), "fasthttp": around(49.9)},
			[]string{
				"goroutine and fasthttp serve the same, 49.9 to 49.93 requests/s: the client is the bound, 100 of them / 2s = 50.",
				"pool(50) serves half of goroutine, as predicted: 50 workers / 2s.",
				"single serves 1/100 of goroutine, as predicted: 1 at a time / 2s.",
			},
		},
		{
			"not as predicted, and noisy",
			[]result.Row{
				rowOf("a", 100, predictedAs(200, 200, "20 workers / 100ms")),
				rowOf("b", 37, predictedAs(37, 200, "")),
				rowOf("c", 99, nil),
			},
			map[string][]float64{"a": around(100), "b": around(37), "c": noisy(99)},
			[]string{
				"a serves 100 requests/s, though theory predicts 200.",
				"b serves 0.37 of a, as predicted.",
				"Too few repeats to tell c (-4.3% to +2.7%) from a: try --repeat 62.",
			},
		},
		{
			"one round",
			[]result.Row{rowOf("a", 50, nil), rowOf("b", 25, nil)},
			map[string][]float64{"a": {50}, "b": {25}},
			[]string{"a serves 50 requests/s.", "Too few repeats to tell b (25 requests/s) from a: try --repeat 6."},
		},
		{
			"rows that have no rate",
			[]result.Row{
				rowOf("a", 50, func(row *result.Row) { row.Trusted = false }),
				{Name: "b", Trusted: true, Failure: "died under load: it ended with exit status 2\npanic: x"},
				{Name: "c", Trusted: true},
			},
			map[string][]float64{"a": around(50)},
			[]string{
				"a serves 50 requests/s.",
				"a breaks its audit: do not trust its figures.",
				"b failed: died under load: it ended with exit status 2.",
				"c: too few replies to count a rate.",
			},
		},
		{
			"the same twice, and two others that are the same",
			[]result.Row{rowOf("a", 50, nil), rowOf("a#2", 50, nil), rowOf("b", 100, nil), rowOf("b#2", 100, nil)},
			map[string][]float64{"a": around(50), "a#2": around(50), "b": around(100), "b#2": around(100)},
			[]string{"b and b#2 serve the same, 100 requests/s.", "a and a#2, the same as each other, serve half of b."},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Sentences(&result.Result{
				Rows: c.rows, Comparisons: compared(c.rows, c.rounds), Load: result.Load{Margin: margin, Concurrency: 100},
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestShare(t *testing.T) {
	for ratio, want := range map[float64]string{
		0.5: "half of", 0.49: "half of", 0.333: "a third of", 0.1: "a tenth of", 2: "twice as many requests as",
		0.95: "5.0% less than", 1.05: "5.0% more than", 0.37: "0.37 of", 0.0499: "1/20 of", 3.456: "3.46 times as many requests as",
	} {
		if got := share(ratio); got != want {
			t.Errorf("share(%g) = %q, want %q", ratio, got, want)
		}
	}
}

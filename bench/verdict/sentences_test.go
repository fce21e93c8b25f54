package verdict

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/result"
)

// served returns a row with these rates in requests/s, one per round. change may be nil.
func served(name string, change func(*result.Row), rounds ...float64) result.Row {
	row := measured(name, rounds)
	row.Prediction = nil
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

// unanswered returns a row of one repeat whose requests ended as counted in c.
func unanswered(name string, c result.Counts) result.Row {
	total := result.Figures{Counts: c}
	return result.Row{Name: name, Trusted: true, Repeats: []result.Repeat{{Figures: total}}, Total: total}
}

func TestSentences(t *testing.T) {
	around := func(rate float64) []float64 { return times(rate, 1, 1.001, 0.999, 1.0005, 0.9995, 1) }
	noisy := func(rate float64) []float64 { return times(rate, 1, 1.05, 0.96, 1.03, 0.97, 1) }
	free, half := predictedAs(50, 50, ""), predictedAs(25, 50, "50 workers / 2s")
	single := predictedAs(0.5, 50, "1 at a time / 2s")
	failed := func(row *result.Row) { row.Failure = "died under load: it ended with exit status 2\npanic: x" }
	cases := []struct {
		name string
		loop string
		rows []result.Row
		want []string
	}{
		{
			name: "the rows in their order, though a later one is faster",
			rows: []result.Row{
				served("goroutine", free, around(49.90)...),
				served("pool(50)", half, around(24.97)...),
				served("single", single, around(0.4999)...),
				served("fasthttp", free, around(49.93)...),
				served("eventloop", free, around(49.92)...),
				served("processes(1)", single, around(0.4998)...),
			},
			want: []string{
				"goroutine serves 49.9 requests/s: the clients are the bottleneck, 100 / 2s = 50.",
				"fasthttp and eventloop serve the same as goroutine (49.92 to 49.93 requests/s, within 2%).",
				"pool(50) serves half of goroutine, as predicted: 50 workers / 2s.",
				"single and processes(1) serve 1/100 of goroutine, as predicted: 1 at a time / 2s.",
			},
		},
		{
			name: "a first row that others exceed",
			rows: []result.Row{served("single", single, around(0.5)...), served("goroutine", free, around(49.93)...)},
			want: []string{
				"single serves 0.5 requests/s, as predicted: 1 at a time / 2s.",
				"goroutine serves 99.9 times as many requests as single, as predicted.",
			},
		},
		{
			name: "all serve the ceiling",
			rows: []result.Row{served("a", free, around(50)...), served("b", free, around(50)...), served("c", free, around(50)...)},
			want: []string{
				"a serves 50 requests/s: the clients are the bottleneck, 100 / 2s = 50.",
				"b and c serve the same as a (50 requests/s, within 2%).",
			},
		},
		{
			name: "the open loop, below and above what a row can serve", loop: "open",
			rows: []result.Row{
				served("goroutine", predictedAs(15, 15, ""), around(15)...), served("fasthttp", predictedAs(15, 15, ""), around(15)...),
				served("pool(2)", predictedAs(10, 15, "2 workers / 200ms"), around(9.98)...),
			},
			want: []string{
				"goroutine serves 15 requests/s: all that is asked for.",
				"fasthttp serves the same as goroutine (15 requests/s, within 2%).",
				"pool(2) serves 0.665 of goroutine, as predicted: 2 workers / 200ms.",
			},
		},
		{
			name: "a server of which nothing but the ceiling is known",
			rows: []result.Row{served("mine", func(row *result.Row) { row.Total.Ceiling = result.Number(50.0) }, around(50)...)},
			want: []string{"mine serves 50 requests/s."},
		},
		{
			name: "not as predicted, and noisy",
			rows: []result.Row{
				served("a", predictedAs(200, 200, "20 workers / 100ms"), around(100)...),
				served("b", predictedAs(37, 200, ""), around(37)...),
				served("c", nil, noisy(99)...),
			},
			want: []string{
				"a serves 100 requests/s, though theory predicts 200.",
				"b serves 0.37 of a, as predicted.",
				"Too few repeats to tell c (-4.3% to +2.7%) from a: try --repeat 62.",
			},
		},
		{
			name: "one round",
			rows: []result.Row{
				served("goroutine", predictedAs(200, 200, ""), 197.9), served("pool", predictedAs(200, 200, ""), 198.3),
				served("fasthttp", predictedAs(200, 200, ""), 197.8), served("single", predictedAs(10, 200, "1 at a time / 100ms"), 9.98),
			},
			want: []string{
				"goroutine serves 197.9 requests/s: the clients are the bottleneck, 100 / 2s = 200.",
				"single serves 1/20 of goroutine, as predicted: 1 at a time / 100ms.",
				"pool and fasthttp were within 0.3% of goroutine in the only round; more rounds would show whether that is a" +
					" difference: --repeat 6.",
			},
		},
		{
			name: "two rounds",
			rows: []result.Row{
				served("goroutine", free, 49.9, 49.8), served("fasthttp", free, 49.8, 49.9), served("mine", nil, 40, 52),
				served("pool(50)", half, 24.9, 25),
			},
			want: []string{
				"goroutine serves 49.85 requests/s: the clients are the bottleneck, 100 / 2s = 50.",
				"pool(50) serves half of goroutine, as predicted: 50 workers / 2s.",
				"fasthttp was within 0.3% of goroutine in both rounds; more rounds would show whether that is a difference:" +
					" --repeat 6.",
				"Too few repeats to tell mine (-19.8% and +4.4%) from goroutine: try --repeat 6.",
			},
		},
		{
			name: "no round in common",
			rows: []result.Row{served("a", nil, 50, math.NaN()), served("b", nil, math.NaN(), 50)},
			want: []string{"a serves 50 requests/s.", "Too few repeats to tell b (no round has both) from a: try --repeat 6."},
		},
		{
			name: "rows that have no rate",
			rows: []result.Row{
				served("a", func(row *result.Row) { row.Trusted = false }, around(50)...),
				{Name: "b", Trusted: true, Failure: "died under load: it ended with exit status 2\npanic: x"},
				unanswered("c", result.Counts{Refused: 100}),
				unanswered("d", result.Counts{
					Refused: 1, Failed: 14, Connect: 2, Timeout: 3, Broken: 4, Status: 5, Body: 6, Unfinished: 7,
				}),
				unanswered("e", result.Counts{Answered: 1, Refused: 5}),
				unanswered("f", result.Counts{Answered: 3, Unfinished: 5}),
				unanswered("g", result.Counts{}),
				{Name: "h", Trusted: true},
			},
			want: []string{
				"a serves 50 requests/s.",
				"a breaks its audit: do not trust its figures.",
				"b failed: died under load: it ended with exit status 2.",
				"c: no right reply: 100 refused.",
				"d: no right reply: 1 refused, 2 without a connection, 3 timed out, 4 broken off, 5 with another status," +
					" 6 with a wrong body, 7 unfinished.",
				"e: 1 right reply: too few to count a rate.",
				"f: 3 right replies: too few to count a rate.",
				"g: no right reply: no request was sent.",
				"h was not measured.",
			},
		},
		{
			name: "a first row that has no rate",
			rows: []result.Row{
				unanswered("a", result.Counts{Refused: 100}), served("b", nil, around(50)...), served("c", nil, around(25)...),
			},
			want: []string{
				"a has no rate to compare with: b is the reference.",
				"b serves 50 requests/s.",
				"c serves half of b.",
				"a: no right reply: 100 refused.",
			},
		},
		{
			name: "a first row that failed in a later round",
			rows: []result.Row{served("a", failed, 50, 50.05), served("b", nil, around(50)...), served("c", nil, around(25)...)},
			want: []string{
				"a failed: b is the reference.",
				"b serves 50 requests/s.",
				"c serves half of b.",
				"a was within 0.1% of b in both rounds; more rounds would show whether that is a difference: --repeat 6.",
				"a failed: died under load: it ended with exit status 2.",
			},
		},
		{
			name: "no row has a rate",
			rows: []result.Row{unanswered("a", result.Counts{Refused: 100}), unanswered("b", result.Counts{Refused: 99})},
			want: []string{"a: no right reply: 100 refused.", "b: no right reply: 99 refused."},
		},
		{
			name: "the same twice, and two others that are the same",
			rows: []result.Row{
				served("a", nil, around(50)...), served("a#2", nil, around(50)...), served("b", nil, around(100)...),
				served("b#2", nil, around(100)...),
			},
			want: []string{
				"a serves 50 requests/s.",
				"a#2 serves the same as a (50 requests/s, within 2%).",
				"b and b#2 serve twice as many requests as a.",
			},
		},
		{
			name: "audits of several rows",
			rows: []result.Row{{Name: "a"}, {Name: "b"}},
			want: []string{"a and b break their audits: do not trust their figures.", "a was not measured.", "b was not measured."},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Sentences(&result.Result{
				Rows: c.rows, Comparisons: Compare(c.rows, margin), Load: result.Load{Loop: c.loop, Margin: margin, Concurrency: 100},
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

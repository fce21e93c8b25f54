package verdict

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/result"
)

// repeats returns a row with n repeats. change sets the figures of each, which are all 1 otherwise; it may be nil.
func repeats(name string, n int, change func(i int, f *result.Figures)) result.Row {
	row := result.Row{Name: name, Total: result.Figures{PerSecond: result.Number(1.0)}}
	row.Prediction = &result.Figures{PerSecond: row.Total.PerSecond}
	for i := range n {
		f := result.Figures{
			PerSecond: result.Number(1.0), P50: &result.Latency{Seconds: 1}, P99: &result.Latency{Seconds: 1},
			CPUPerRequest: result.Number(1.0), Peak: &result.Sample{Resident: result.Number(1.0)},
		}
		if change != nil {
			change(i, &f)
		}
		row.Repeats = append(row.Repeats, result.Repeat{Round: i + 1, Figures: f})
	}
	return row
}

// all returns a change that sets every figure to value.
func all(value float64) func(int, *result.Figures) {
	return func(_ int, f *result.Figures) {
		*f.PerSecond, f.P50.Seconds, f.P99.Seconds, *f.CPUPerRequest, *f.Peak.Resident = value, value, value, value, value
	}
}

// TestRuns checks the verdict on each figure of a row, in this order: requests/s, p50, p99, CPU per request, peak
// memory.
func TestRuns(t *testing.T) {
	const same, different, few, not = result.Same, result.Different, result.TooFew, NotCompared
	none := func(_ int, f *result.Figures) { *f = result.Figures{} }
	for _, c := range []struct {
		name         string
		older, newer result.Row
		margin       float64
		want         []string
		changed      []string
	}{
		{
			name: "a run and itself", older: repeats("a", 6, nil), newer: repeats("a", 6, nil), margin: 0.02,
			want: []string{same, same, same, same, same},
		},
		{
			name: "3% more are beyond the margin of two figures", older: repeats("a", 6, nil), newer: repeats("a", 6, all(1.03)),
			margin: 0.02, want: []string{different, different, same, same, same}, changed: []string{"requests/s", "p50"},
		},
		{
			name: "10% less are within the margin of CPU", older: repeats("a", 6, nil), newer: repeats("a", 6, all(0.9)),
			margin: 0.02, want: []string{different, different, different, same, different},
			changed: []string{"requests/s", "p50", "p99", "peak memory"},
		},
		{
			name: "a margin above all of these", older: repeats("a", 6, nil), newer: repeats("a", 6, all(1.25)), margin: 0.3,
			want: []string{same, same, same, same, same},
		},
		{
			name: "latency alone", older: repeats("a", 6, nil), margin: 0.02,
			newer: repeats("a", 6, func(_ int, f *result.Figures) { f.P50.Seconds, f.P99.Seconds = 1.5, 1.5 }),
			want:  []string{same, different, different, same, same}, changed: []string{"p50", "p99"},
		},
		{
			name: "one repeat shows the clearest figures only", older: repeats("a", 1, nil), newer: repeats("a", 1, all(1.6)),
			margin: 0.02, want: []string{different, different, few, few, different},
			changed: []string{"requests/s", "p50", "peak memory"},
		},
		{
			name: "two repeats show p99 too", older: repeats("a", 2, nil), newer: repeats("a", 6, all(2.2)),
			margin: 0.02, want: []string{different, different, different, few, different},
			changed: []string{"requests/s", "p50", "p99", "peak memory"},
		},
		{
			name: "a latency that is only a bound, in one repeat of one run", older: repeats("a", 6, nil), margin: 0.02,
			newer: repeats("a", 6, func(i int, f *result.Figures) { f.P99.Beyond = i == 3 }),
			want:  []string{same, same, not, same, same},
		},
		{
			name: "figures that one run has not", older: repeats("a", 6, nil), margin: 0.02,
			newer: repeats("a", 6, func(_ int, f *result.Figures) { f.CPUPerRequest, f.Peak.Resident = nil, nil }),
			want:  []string{same, same, same, not, not},
		},
		{
			name: "figures that are below what can be measured", older: repeats("a", 6, nil), margin: 0.02,
			newer: repeats("a", 6, func(_ int, f *result.Figures) { *f.CPUPerRequest, *f.Peak.Resident = -1, 0 }),
			want:  []string{same, same, same, not, not},
		},
		{
			name: "a row that answers nothing any more", older: repeats("a", 6, nil), newer: repeats("a", 6, none), margin: 0.02,
			want: []string{not, not, not, not, not}, changed: []string{"requests/s"},
		},
		{
			name: "a row that answers at last", older: repeats("a", 6, none), newer: repeats("a", 6, nil), margin: 0.02,
			want: []string{not, not, not, not, not}, changed: []string{"requests/s"},
		},
		{
			name: "a row that failed in both", older: repeats("a", 0, nil), newer: repeats("a", 0, nil), margin: 0.02,
			want: []string{not, not, not, not, not},
		},
		{name: "no row in common", older: repeats("a", 6, nil), newer: repeats("b", 6, nil), margin: 0.02},
	} {
		var got, changed []string
		for _, change := range Runs([]result.Row{c.older}, []result.Row{c.newer}, c.margin) {
			got = append(got, change.Verdict)
			if change.Changed() {
				changed = append(changed, change.Figure.Name)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: verdicts, want -, got +:\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.changed, changed); diff != "" {
			t.Errorf("%s: changed, want -, got +:\n%s", c.name, diff)
		}
	}
}

// TestRunsValues checks that a figure's values are the means of the repeats, and that their ratio is the change.
func TestRunsValues(t *testing.T) {
	value := func(values ...float64) func(int, *result.Figures) {
		return func(i int, f *result.Figures) { *f.PerSecond = values[i] }
	}
	older, newer := repeats("a", 3, value(1, 2, 4)), repeats("a", 2, value(4, 4))
	newer.Repeats[1].P50.Beyond, newer.Repeats[0].P99 = true, nil
	got := Runs([]result.Row{older}, []result.Row{newer}, margin)
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
	if c := got[0]; !near(c.Old.Mean, 2) || !near(c.New.Mean, 4) || !near(c.Ratio, 2) || c.Rounds != 2 {
		t.Errorf("requests/s: %+v, want 2 and 4, and a ratio of 2", c)
	}
	if c := got[1]; c.Old.Beyond || !c.New.Beyond || !near(c.New.Mean, 1) {
		t.Errorf("p50: %+v, want more than 1 in the new run", c)
	}
	if c := got[2]; c.New.Beyond || !c.New.Known() || c.Rounds != 1 {
		t.Errorf("p99: %+v, want one repeat of the new run", c)
	}
}

// TestRunsFamily compares equal runs of four rows: at most 5% of them may claim that any figure changed. A row that
// takes half as long again must be found. p99 is four times as noisy as the rate, and CPU ten times.
func TestRunsFamily(t *testing.T) {
	const times = 400
	run := func(random *rand.Rand, rounds int, noise, slower float64) (rows []result.Row) {
		for _, name := range []string{"a", "b", "c", "d"} {
			rows = append(rows, repeats(name, rounds, func(_ int, f *result.Figures) {
				noisy := func() float64 { return math.Exp(noise * random.NormFloat64()) }
				*f.PerSecond, f.P50.Seconds, f.P99.Seconds = noisy(), slower*noisy(), slower*math.Pow(noisy(), 4)
				*f.CPUPerRequest, *f.Peak.Resident = math.Pow(noisy(), 10), noisy()
			}))
			slower = 1
		}
		return rows
	}
	for _, c := range []struct {
		rounds int
		noise  float64
	}{{1, 0.02}, {1, 0.05}, {2, 0.02}, {2, 0.05}, {3, 0.005}, {3, 0.1}, {6, 0.005}, {6, 0.03}, {6, 0.1}} {
		random := rand.New(rand.NewPCG(7, 8))
		wrong, found := 0, 0
		for range times {
			older := run(random, c.rounds, c.noise, 1)
			for _, change := range Runs(older, run(random, c.rounds, c.noise, 1), margin) {
				if change.Changed() {
					wrong++
					break
				}
			}
			if Runs(older, run(random, c.rounds, c.noise, 1.5), margin)[1].Changed() {
				found++
			}
		}
		t.Logf("%d rounds, noise %.1f%%: a false change in %.1f%% of the runs, a true one found in %.1f%%",
			c.rounds, 100*c.noise, 100*float64(wrong)/times, 100*float64(found)/times)
		if share := float64(wrong) / times; share > alpha {
			t.Errorf("%d rounds, noise %.1f%%: a false change in %.1f%% of the runs, want %.0f%% at most", c.rounds, 100*c.noise,
				100*share, 100*alpha)
		}
		if quiet := c.rounds > 1 && c.noise < 0.05; quiet && found < 0.99*times {
			t.Errorf("%d rounds, noise %.1f%%: half as much again was found %d times of %d", c.rounds, 100*c.noise, found, times)
		}
	}
}

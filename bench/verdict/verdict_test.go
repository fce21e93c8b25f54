package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"demo-server/bench/result"
)

const margin = 0.02

func times(factor float64, rounds ...float64) (scaled []float64) {
	for _, r := range rounds {
		scaled = append(scaled, factor*r)
	}
	return scaled
}

// measured returns a row with these rates, one per round, NaN for none. Theory predicts its mean rate.
func measured(name string, rounds []float64) result.Row {
	row := result.Row{Name: name, Trusted: true}
	total, known := 0.0, 0.0
	for i, rate := range rounds {
		repeat := result.Repeat{Round: i + 1}
		if !math.IsNaN(rate) {
			repeat.PerSecond = &rate
			total, known = total+rate, known+1
		}
		row.Repeats = append(row.Repeats, repeat)
	}
	if known > 0 {
		row.Total.PerSecond = result.Number(total / known)
		row.Prediction = &result.Figures{PerSecond: row.Total.PerSecond}
	}
	return row
}

// rowsOfRounds returns rows named a, b, c and so on.
func rowsOfRounds(samples ...[]float64) (rows []result.Row) {
	for i, rounds := range samples {
		rows = append(rows, measured(string(rune('a'+i)), rounds))
	}
	return rows
}

// TestCompareExtremes checks that no ratio exceeds the range of JSON or lies outside its interval.
func TestCompareExtremes(t *testing.T) {
	for _, c := range []struct{ a, b []float64 }{
		{[]float64{1e-300}, []float64{1e300}},
		{[]float64{1e-300, 1e-300}, []float64{1e300, 1e300}},
		{[]float64{1e300, 1e300}, []float64{1e-300, 1e-300}},
		{[]float64{1e300, 1e-300}, []float64{1e-300, 1e300}},
		{[]float64{1e300, 1e-300, 1}, []float64{1e-300, 1e300, 1}},
		{[]float64{math.MaxFloat64, 5e-324}, []float64{1, 1}},
	} {
		got := Compare(rowsOfRounds(c.a, c.b), margin)[0]
		if !(got.Ratio > 0) || math.IsInf(got.Ratio, 0) || got.Rounds >= minRounds && !(got.Low <= got.Ratio && got.Ratio <= got.High) {
			t.Errorf("%g and %g: %+v", c.a, c.b, got)
		}
	}
}

// TestCompare compares samples with known answers.
func TestCompare(t *testing.T) {
	quiet := []float64{50.00, 50.05, 49.95, 50.02, 49.98, 50.01}
	other := []float64{50.03, 49.97, 50.01, 49.96, 50.05, 50.00}
	noisy := []float64{50, 44, 57, 49, 41, 60}
	drifting := []float64{50, 48, 46, 44, 42, 40} // the machine slows down for both rows
	cases := []struct {
		name string
		a, b []float64
		want string
	}{
		{"the same numbers", quiet, quiet, result.Same},
		{"the same with a little noise", quiet, other, result.Same},
		{"1% less is within the margin", quiet, times(0.99, other...), result.Same},
		{"5% less", quiet, times(0.95, other...), result.Different},
		{"5% more", quiet, times(1.05, other...), result.Different},
		{"exactly at the margin", quiet, times(1.02, other...), result.TooFew},
		{"half", quiet, times(0.5, other...), result.Different},
		{"noise that hides it", quiet, times(0.95, noisy...), result.TooFew},
		{"noise that could be anything", noisy, other, result.TooFew},
		{"a drift that falls on both", drifting, times(0.95, drifting...), result.Different},
		{"half, in two rounds", quiet[:2], times(0.5, quiet[:2]...), result.Different},
		{"twice as many, in two rounds", quiet[:2], times(2, quiet[:2]...), result.Different},
		{"30% less, in two rounds", quiet[:2], times(0.7, quiet[:2]...), result.Different},
		{"20% less, in two rounds", quiet[:2], times(0.8, quiet[:2]...), result.TooFew},
		{"beyond the factor in one of two rounds", []float64{50, 50}, []float64{10, 45}, result.TooFew},
		{"on both sides in two rounds", []float64{50, 50}, []float64{10, 250}, result.TooFew},
		{"the same numbers in two rounds", quiet[:2], quiet[:2], result.TooFew},
		{"half, in one round", quiet[:1], times(0.5, quiet[:1]...), result.Different},
		{"9.98 from 197.9, in one round", []float64{197.9}, []float64{9.98}, result.Different},
		{"30% less, in one round", quiet[:1], times(0.7, quiet[:1]...), result.TooFew},
		{"the same number in one round", quiet[:1], quiet[:1], result.TooFew},
		{"noise without end", []float64{1e-9, 1e9, 1}, []float64{1e9, 1e-9, 1}, result.TooFew},
		{"rounds that one has not", []float64{50, math.NaN(), 50.02, 50}, []float64{50.01, 12, 50.02, 50}, result.Same},
		{"no round has both", []float64{50, math.NaN()}, []float64{math.NaN(), 50}, result.TooFew},
		{"a row that answered nothing in a round", []float64{50, 0}, []float64{50, 50}, result.TooFew},
	}
	for _, c := range cases {
		got := Compare(rowsOfRounds(c.a, c.b), margin)[0]
		if got.Verdict != c.want || got.A != "a" || got.B != "b" {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
		if math.IsInf(got.High, 0) || got.Low > got.Ratio || got.High < got.Ratio && got.Rounds >= minRounds {
			t.Errorf("%s: ratio %g is not from %g to %g", c.name, got.Ratio, got.Low, got.High)
		}
	}
}

// TestCompareReference checks that the first row with a rate is the reference of all others, in their order, and that
// each kind of work in a matrix has its own.
func TestCompareReference(t *testing.T) {
	rounds := []float64{50, 50, 50}
	failed, none := measured("failed", rounds[:1]), measured("none", nil)
	failed.Failure = "died under load"
	slow, fast, last := measured("slow", times(0.5, rounds...)), measured("fast", rounds), measured("last", times(0.9, rounds...))
	cell := func(server, kind string) result.Row {
		row := measured(server+result.Times+kind, rounds)
		row.Work = kind
		return row
	}
	for _, c := range []struct {
		name string
		rows []result.Row
		want []string
	}{
		{"not the fastest", []result.Row{slow, fast, last}, []string{"slow: fast", "slow: last"}},
		{"rows without a rate, and that failed", []result.Row{none, failed, slow, fast}, []string{"slow: failed", "slow: fast"}},
		{"nothing but what failed", []result.Row{none, failed}, nil},
		{"one row", []result.Row{fast}, nil},
		{"no row", nil, nil},
		{
			"a matrix", []result.Row{cell("a", "sleep"), cell("b", "sleep"), cell("a", "cpu"), cell("b", "cpu"), fast},
			[]string{"a × sleep: b × sleep", "a × cpu: b × cpu"},
		},
	} {
		var got []string
		for _, compared := range Compare(c.rows, margin) {
			got = append(got, compared.A+": "+compared.B)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestObviousWithoutTheory checks that an obvious difference must be larger if theory does not predict both rows.
func TestObviousWithoutTheory(t *testing.T) {
	for _, c := range []struct {
		rounds int
		ratio  float64
		want   string
	}{
		{1, 2.5, result.TooFew}, {1, 3.5, result.Different}, {1, 1 / 3.5, result.Different},
		{2, 1.5, result.TooFew}, {2, 2.5, result.Different},
	} {
		even := slices.Repeat([]float64{50}, c.rounds)
		unknown, slower := rowsOfRounds(even, times(c.ratio, even...)), rowsOfRounds(even, times(c.ratio, even...))
		unknown[1].Prediction = nil
		slower[0].Prediction = &result.Figures{PerSecond: result.Number(60.0)}
		for name, rows := range map[string][]result.Row{"no prediction": unknown, "not as predicted": slower} {
			if got := Compare(rows, margin)[0]; got.Verdict != c.want {
				t.Errorf("%s, %d rounds, ratio %.3g: %s, want %s", name, c.rounds, c.ratio, got.Verdict, c.want)
			}
		}
	}
}

// TestHolm checks that a pair that is claimed alone is not claimed among many, unless the others are clear.
func TestHolm(t *testing.T) {
	// At 95%, the interval of doubtful ends within the margin. At 98.75%, the level of the clearest of four pairs, it
	// does not.
	base := []float64{50, 50, 50, 50, 50, 50}
	doubtful := []float64{50.6, 49.4, 51.0, 49.1, 50.8, 49.3}
	alone := Compare(rowsOfRounds(base, doubtful), margin)[0]
	if alone.Verdict != result.Same {
		t.Fatalf("alone: %+v, want %s", alone, result.Same)
	}
	wild := func(seed uint64) (rounds []float64) {
		random := rand.New(rand.NewPCG(seed, 0))
		for range base {
			rounds = append(rounds, 50*math.Exp(0.1*random.NormFloat64()))
		}
		return rounds
	}
	among := Compare(rowsOfRounds(base, doubtful, wild(1), wild(2), wild(3)), margin)
	if among[0].Verdict != result.TooFew {
		t.Errorf("among four that cannot be told: %+v, want %s", among[0], result.TooFew)
	}
	clear := Compare(rowsOfRounds(base, doubtful, times(0.5, base...)), margin)
	for i, want := range []string{result.Same, result.Different} {
		if clear[i].Verdict != want {
			t.Errorf("among clear ones: %+v, want %s", clear[i], want)
		}
	}
	few := Compare(rowsOfRounds(base, doubtful, base[:2], base[:1]), margin)
	if few[0].Verdict != result.Same {
		t.Errorf("with pairs that have no interval: %+v, want %s", few[0], result.Same)
	}
}

// runs returns rows with these true rates. noise differs for each round of each row, and drift of the machine affects
// all rows of a round.
func runs(random *rand.Rand, rates []float64, rounds int, noise, drift float64) []result.Row {
	samples := make([][]float64, len(rates))
	for range rounds {
		machine := drift * random.NormFloat64()
		for i, rate := range rates {
			samples[i] = append(samples[i], rate*math.Exp(machine+noise*random.NormFloat64()))
		}
	}
	return rowsOfRounds(samples...)
}

// TestRates checks how often the verdict is right and how often wrong in 2,000 runs of 6 rounds, on a machine whose
// speed changes by 5% from round to round.
func TestRates(t *testing.T) {
	const times = 2000
	same, handicap := []float64{50, 50}, []float64{50, 50 * 0.95}
	cases := []struct {
		name   string
		rates  []float64
		noise  float64
		right  string
		at     float64 // minimum share of right verdicts
		wrong  string
		atMost float64 // maximum share of wrong verdicts
	}{
		{name: "the same twice, noise 0.5%", rates: same, noise: 0.005, right: result.Same, at: 0.95, wrong: result.Different, atMost: 0.05},
		{name: "the same twice, noise 0.65%", rates: same, noise: 0.0065, right: result.Same, at: 0.95, wrong: result.Different, atMost: 0.05},
		{name: "the same twice, noise 5%", rates: same, noise: 0.05, right: result.Same, at: 0, wrong: result.Different, atMost: 0.05},
		{name: "5% less, noise 0.5%", rates: handicap, noise: 0.005, right: result.Different, at: 0.95, wrong: result.Same, atMost: 0.05},
		{name: "5% less, noise 1%", rates: handicap, noise: 0.01, right: result.Different, at: 0.95, wrong: result.Same, atMost: 0.05},
		{name: "5% less, noise 5%", rates: handicap, noise: 0.05, right: result.Different, at: 0, wrong: result.Same, atMost: 0.05},
	}
	for _, c := range cases {
		random := rand.New(rand.NewPCG(1, 2))
		said := map[string]int{}
		for range times {
			said[Compare(runs(random, c.rates, 6, c.noise, 0.05), margin)[0].Verdict]++
		}
		right, wrong := float64(said[c.right])/times, float64(said[c.wrong])/times
		t.Logf("%s: %.1f%% %s, %.1f%% %s", c.name, 100*right, c.right, 100*wrong, c.wrong)
		if right < c.at || wrong > c.atMost {
			t.Errorf("%s: right in %.1f%%, want %.0f%%; wrong in %.1f%%, want at most %.0f%%", c.name, 100*right, 100*c.at,
				100*wrong, 100*c.atMost)
		}
	}
}

// TestFamily checks that at most 5% of the runs make any false claim, with five rows of which two differ from the
// others.
func TestFamily(t *testing.T) {
	const times = 1000
	for _, rates := range [][]float64{{50, 50, 50, 50 * 0.95, 50 * 0.95}, {50 * 0.95, 50, 50, 50 * 0.95, 50}} {
		for _, rounds := range []int{3, 6} {
			for _, noise := range []float64{0.003, 0.01, 0.03, 0.1} {
				random := rand.New(rand.NewPCG(3, 4))
				wrong := 0
				for range times {
					if falseClaim(rates, Compare(runs(random, rates, rounds, noise, 0.05), margin)) {
						wrong++
					}
				}
				share := float64(wrong) / times
				t.Logf("%d rounds, noise %.1f%%: a false claim in %.1f%% of the runs", rounds, 100*noise, 100*share)
				if share > alpha {
					t.Errorf("%d rounds, noise %.1f%%: a false claim in %.1f%% of the runs, want %.0f%% at most", rounds, 100*noise,
						100*share, 100*alpha)
				}
			}
		}
	}
}

// falseClaim reports whether a comparison with the first row contradicts the true rates.
func falseClaim(rates []float64, comparisons []result.Comparison) bool {
	for i, c := range comparisons {
		truth := result.Same
		if rates[i+1] != rates[0] {
			truth = result.Different
		}
		if c.Verdict != result.TooFew && c.Verdict != truth {
			return true
		}
	}
	return false
}

// TestObvious checks verdicts on one or two rounds. Rows that are equal within the margin are never claimed to differ
// at a noise of 5% per round. At 27% without a prediction, at most 5% of the runs claim that. No rows are claimed to
// be the same, and a row of half the rate is found.
func TestObvious(t *testing.T) {
	const times = 5000
	equal := []float64{50, 50, 50, 50 * 1.02, 50 / 1.02, 50}
	for _, c := range []struct {
		name   string
		rates  []float64
		noise  float64
		theory bool
		differ float64 // maximum share of runs in which a row differs
		found  float64 // minimum share of rows that differ
	}{
		{name: "equal, noise 1%", rates: equal, noise: 0.01, theory: true},
		{name: "equal, noise 5%", rates: equal, noise: 0.05, theory: true},
		{name: "equal, noise 27%, without theory", rates: equal, noise: 0.27, differ: alpha},
		{name: "half, noise 1%", rates: []float64{50, 25, 25}, noise: 0.01, theory: true, differ: 1, found: 1},
		{name: "half, noise 5%", rates: []float64{50, 25, 25}, noise: 0.05, theory: true, differ: 1, found: 0.99},
		{name: "a twentieth, noise 27%, without theory", rates: []float64{50, 2.5}, noise: 0.27, differ: 1, found: 0.99},
	} {
		for rounds := 1; rounds < minRounds; rounds++ {
			random := rand.New(rand.NewPCG(5, 6))
			runsThatDiffer, rowsThatDiffer := 0, 0
			for range times {
				rows := runs(random, c.rates, rounds, c.noise, 0.05)
				for i := range rows {
					rows[i].Prediction = nil
					if c.theory { // despite the noise: only the factors depend on it
						rows[i].Prediction = &result.Figures{PerSecond: rows[i].Total.PerSecond}
					}
				}
				n := 0
				for _, compared := range Compare(rows, margin) {
					switch compared.Verdict {
					case result.Same:
						t.Fatalf("%s, %d rounds: %+v", c.name, rounds, compared)
					case result.Different:
						n++
					}
				}
				rowsThatDiffer += n
				if n > 0 {
					runsThatDiffer++
				}
			}
			differ := float64(runsThatDiffer) / times
			found := float64(rowsThatDiffer) / times / float64(len(c.rates)-1)
			t.Logf("%s, %d rounds: a row differs in %.2f%% of the runs, and %.2f%% of the rows", c.name, rounds, 100*differ, 100*found)
			if differ > c.differ || found < c.found {
				t.Errorf("%s, %d rounds: a row differs in %.2f%% of the runs, want %.2f%% at most, and %.2f%% of the rows, want %.2f%%",
					c.name, rounds, 100*differ, 100*c.differ, 100*found, 100*c.found)
			}
		}
	}
}

func TestInterval(t *testing.T) {
	mean, low, high, ok := Interval([]float64{49, math.NaN(), 50, 51})
	// Student's t for 2 degrees of freedom at 95% is 4.303, and the standard error is 1/sqrt(3).
	if half := 4.3027 / math.Sqrt(3); !ok || math.Abs(mean-50) > 1e-9 || math.Abs(low-(50-half)) > 1e-3 || math.Abs(high-(50+half)) > 1e-3 {
		t.Errorf("%g from %g to %g, %t", mean, low, high, ok)
	}
	if _, _, _, ok := Interval([]float64{50, math.NaN()}); ok {
		t.Error("one round has an interval")
	}
}

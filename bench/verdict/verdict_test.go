package verdict

import (
	"math"
	"math/rand/v2"
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

// TestCompareExtremes: no ratio is beyond what JSON can hold, and none beyond its interval.
func TestCompareExtremes(t *testing.T) {
	for _, c := range []struct{ a, b []float64 }{
		{[]float64{1e-300}, []float64{1e300}},
		{[]float64{1e-300, 1e-300}, []float64{1e300, 1e300}},
		{[]float64{1e300, 1e300}, []float64{1e-300, 1e-300}},
		{[]float64{1e300, 1e-300}, []float64{1e-300, 1e300}},
		{[]float64{math.MaxFloat64, 5e-324}, []float64{1, 1}},
	} {
		got := Compare([]Sample{{"a", c.a}, {"b", c.b}}, margin)[0]
		if !(got.Ratio > 0) || math.IsInf(got.Ratio, 0) || got.Rounds > 1 && !(got.Low <= got.Ratio && got.Ratio <= got.High) {
			t.Errorf("%g and %g: %+v", c.a, c.b, got)
		}
	}
}

// TestCompare: samples with known answers.
func TestCompare(t *testing.T) {
	quiet := []float64{50.00, 50.05, 49.95, 50.02, 49.98, 50.01}
	other := []float64{50.03, 49.97, 50.01, 49.96, 50.05, 50.00}
	noisy := []float64{50, 44, 57, 49, 41, 60}
	drifting := []float64{50, 48, 46, 44, 42, 40} // the machine gets slower, under both
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
		{"two rounds that agree", quiet[:2], times(0.5, quiet[:2]...), result.Different},
		{"one round", quiet[:1], times(0.5, quiet[:1]...), result.TooFew},
		{"no round", nil, nil, result.TooFew},
		{"noise without end", []float64{1e-9, 1e9}, []float64{1e9, 1e-9}, result.TooFew},
		{"rounds that one has not", []float64{50, math.NaN(), 50.02}, []float64{50.01, 12, 50.02}, result.Same},
		{"a row that answered nothing in a round", []float64{50, 0}, []float64{50, 50}, result.TooFew},
	}
	for _, c := range cases {
		got := Compare([]Sample{{"a", c.a}, {"b", c.b}}, margin)[0]
		if got.Verdict != c.want || got.A != "a" || got.B != "b" {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
		if math.IsInf(got.High, 0) || got.Low > got.Ratio || got.High < got.Ratio && got.Rounds > 1 {
			t.Errorf("%s: ratio %g is not from %g to %g", c.name, got.Ratio, got.Low, got.High)
		}
	}
}

// TestHolm: a pair that would be claimed alone is not among many, unless the others are clear.
func TestHolm(t *testing.T) {
	// At 95% this one's interval ends within the margin; at 99.5%, which ten pairs need of the clearest, it does not.
	base := []float64{50, 50, 50, 50, 50, 50}
	doubtful := []float64{50.5, 49.5, 50.8, 49.3, 50.6, 49.4}
	alone := Compare([]Sample{{"a", base}, {"b", doubtful}}, margin)[0]
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
	among := Compare([]Sample{{"a", base}, {"b", doubtful}, {"c", wild(1)}, {"d", wild(2)}, {"e", wild(3)}}, margin)
	if among[0].Verdict != result.TooFew {
		t.Errorf("among nine that cannot be told: %+v, want %s", among[0], result.TooFew)
	}
	clear := Compare([]Sample{{"a", base}, {"b", doubtful}, {"c", times(0.5, base...)}}, margin)
	for i, want := range []string{result.Same, result.Different, result.Different} {
		if clear[i].Verdict != want {
			t.Errorf("among clear ones: %+v, want %s", clear[i], want)
		}
	}
}

// runs are rounds of rows with these true rates, under noise of its own for each, and of the machine for all.
func runs(random *rand.Rand, rates []float64, rounds int, noise, drift float64) []Sample {
	samples := make([]Sample, len(rates))
	for range rounds {
		machine := drift * random.NormFloat64()
		for i, rate := range rates {
			samples[i].Rounds = append(samples[i].Rounds, rate*math.Exp(machine+noise*random.NormFloat64()))
		}
	}
	return samples
}

// TestRates: how often the verdict is right, and how often wrong, in 2,000 runs of 6 rounds on a machine whose speed
// changes by 5% from round to round.
func TestRates(t *testing.T) {
	const times = 2000
	same, handicap := []float64{50, 50}, []float64{50, 50 * 0.95}
	cases := []struct {
		name   string
		rates  []float64
		noise  float64
		right  string
		at     float64 // least share of right verdicts
		wrong  string
		atMost float64 // largest share of wrong ones
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

// TestFamily: of five rows, two of which differ from the others, any false claim at all is made in 5% of the runs at most.
func TestFamily(t *testing.T) {
	const times = 1000
	rates := []float64{50, 50, 50, 50 * 0.95, 50 * 0.95}
	for _, noise := range []float64{0.003, 0.01, 0.03, 0.1} {
		random := rand.New(rand.NewPCG(3, 4))
		wrong := 0
		for range times {
			comparisons := Compare(runs(random, rates, 6, noise, 0.05), margin)
			for i, n := 0, 0; i < len(rates); i++ {
				for j := i + 1; j < len(rates); j, n = j+1, n+1 {
					truth := result.Same
					if rates[i] != rates[j] {
						truth = result.Different
					}
					if v := comparisons[n].Verdict; v != result.TooFew && v != truth {
						wrong++
						i, j = len(rates), len(rates)
					}
				}
			}
		}
		share := float64(wrong) / times
		t.Logf("noise %.1f%%: a false claim in %.1f%% of the runs", 100*noise, 100*share)
		if share > alpha {
			t.Errorf("noise %.1f%%: a false claim in %.1f%% of the runs, want %.0f%% at most", 100*noise, 100*share, 100*alpha)
		}
	}
}

func TestInterval(t *testing.T) {
	mean, low, high, ok := Interval([]float64{49, math.NaN(), 50, 51})
	// Student's t of 2 degrees of freedom at 95% is 4.303, the standard error 1/sqrt(3).
	if half := 4.3027 / math.Sqrt(3); !ok || math.Abs(mean-50) > 1e-9 || math.Abs(low-(50-half)) > 1e-3 || math.Abs(high-(50+half)) > 1e-3 {
		t.Errorf("%g from %g to %g, %t", mean, low, high, ok)
	}
	if _, _, _, ok := Interval([]float64{50, math.NaN()}); ok {
		t.Error("one round has an interval")
	}
}

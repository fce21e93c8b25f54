// Package verdict tells noise from difference: which rows of a bench serve differently, which serve the same, and which
// cannot be told apart by what was measured; and says it in plain sentences.
//
// The package must not know how anything was measured.
package verdict

import (
	"cmp"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"demo-server/bench/result"
)

// A Sample is the throughput of a row in each round, in the order of the rounds; NaN where a round has none.
type Sample struct {
	Name   string
	Rounds []float64
}

// A Pair is two samples to compare.
type Pair struct{ A, B Sample }

// alpha is the share of runs that may make any false claim at all.
const alpha = 0.05

// Compare compares every sample with every later one. margin is the relative difference that does not matter.
func Compare(samples []Sample, margin float64) []result.Comparison {
	var pairs []Pair
	for i, a := range samples {
		for _, b := range samples[i+1:] {
			pairs = append(pairs, Pair{a, b})
		}
	}
	return Pairs(pairs, margin)
}

// Runs compares the rows of two runs that have the same name, the later run with the earlier.
func Runs(before, after []result.Row, margin float64) []result.Comparison {
	later := map[string]result.Row{}
	for _, b := range after {
		later[b.Name] = b
	}
	var pairs []Pair
	for _, a := range before {
		if b, both := later[a.Name]; both {
			pairs = append(pairs, Pair{sampleOf(a), sampleOf(b)})
		}
	}
	return Pairs(pairs, margin)
}

func sampleOf(row result.Row) Sample {
	s := Sample{Name: row.Name}
	for _, repeat := range row.Repeats {
		rate := math.NaN()
		if repeat.PerSecond != nil {
			rate = *repeat.PerSecond
		}
		s.Rounds = append(s.Rounds, rate)
	}
	return s
}

// Pairs compares each pair, in the order given.
//
// The rounds of a pair are compared one by one, because what the machine did in a round fell on both. Of the logarithms
// of these ratios comes a confidence interval (Student's). A pair is different where the interval lies wholly beyond the
// margin, and the same where it lies wholly inside; both cannot be true of it, so that one claim a pair is all that can
// be wrong. Where many pairs are compared some would be claimed by chance: after Holm (1979) the clearest pair has to
// stand at the level alpha/m, the next at alpha/(m-1), and the first that does not ends all claims: those after it are
// shown at its level, at which they cannot be claimed either.
func Pairs(pairs []Pair, margin float64) []result.Comparison {
	out := make([]result.Comparison, len(pairs))
	ratios := make([]ratios, len(pairs))
	order := make([]int, len(pairs))
	for i, pair := range pairs {
		ratios[i], order[i] = ratiosOf(pair), i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(ratios[j].clearness(margin), ratios[i].clearness(margin))
	})
	claiming, confidence := true, 0.0
	for rank, i := range order {
		if claiming {
			confidence = 1 - alpha/float64(len(pairs)-rank)
		}
		c := ratios[i].compare(margin, confidence)
		if claiming = claiming && c.Verdict != result.TooFew; !claiming {
			c.Verdict = result.TooFew
		}
		c.A, c.B = pairs[i].A.Name, pairs[i].B.Name
		out[i] = c
	}
	return out
}

// ratios are the logarithms of B/A, of the rounds that have both.
type ratios []float64

func ratiosOf(pair Pair) (r ratios) {
	for i := range min(len(pair.A.Rounds), len(pair.B.Rounds)) {
		if a, b := pair.A.Rounds[i], pair.B.Rounds[i]; a > 0 && b > 0 {
			r = append(r, math.Log(b)-math.Log(a)) // the quotient itself may be infinite
		}
	}
	return r
}

// clearness is how many standard errors the mean is from the nearer edge of the margin: by it the pairs are claimed in
// the order of their p-values, where they have as many rounds.
func (r ratios) clearness(margin float64) float64 {
	if len(r) < 2 {
		return math.Inf(-1)
	}
	mean, deviation := moments(r)
	distance := math.Abs(math.Abs(mean) - math.Log1p(margin))
	if deviation == 0 {
		return math.Inf(1)
	}
	return distance / (deviation / math.Sqrt(float64(len(r))))
}

func moments(r []float64) (mean, deviation float64) {
	for _, x := range r {
		mean += x / float64(len(r))
	}
	for _, x := range r {
		deviation += (x - mean) * (x - mean) / float64(len(r)-1)
	}
	return mean, math.Sqrt(deviation)
}

func (r ratios) compare(margin, confidence float64) result.Comparison {
	c := result.Comparison{Confidence: confidence, Verdict: result.TooFew, Rounds: len(r)}
	if len(r) == 0 {
		return c
	}
	if len(r) == 1 {
		c.Ratio = told(r[0])
		return c
	}
	mean, low, high := interval(r, confidence)
	c.Ratio, c.Low, c.High = told(mean), told(low), told(high)
	edge := math.Log1p(margin)
	switch {
	case low > edge || high < -edge:
		c.Verdict = result.Different
	case low >= -edge && high <= edge:
		c.Verdict = result.Same
	}
	return c
}

// widest is as far as the logarithm of a ratio is told: beyond it means nothing, and JSON has no infinity.
const widest = 20

// told is the ratio of which this is the logarithm.
func told(logarithm float64) float64 { return math.Exp(max(-widest, min(logarithm, widest))) }

// interval is the mean and its confidence interval.
func interval(values []float64, confidence float64) (mean, low, high float64) {
	sample := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	s := benchmath.AssumeNormal.Summary(sample, confidence)
	return s.Center, s.Lo, s.Hi
}

// Interval is the mean of a row's rounds and its 95% confidence interval; ok where there are two rounds or more.
func Interval(rounds []float64) (mean, low, high float64, ok bool) {
	known := slices.DeleteFunc(slices.Clone(rounds), math.IsNaN)
	if len(known) < 2 {
		return 0, 0, 0, false
	}
	mean, low, high = interval(known, 1-alpha)
	return mean, low, high, true
}

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

// alpha is the share of runs that may make any false claim at all.
const alpha = 0.05

// Compare compares the throughput of the reference, which is the first row, with that of each other row. In a matrix,
// each kind of work has a reference of its own. margin is the relative difference that does not matter.
func Compare(rows []result.Row, margin float64) []result.Comparison {
	var pairs []pair
	for _, group := range kinds(rows) {
		first := reference(group)
		for _, row := range group {
			if row.Total.PerSecond != nil && row.Name != first.Name {
				pairs = append(pairs, pair{
					a: first.Name, b: row.Name, ratios: ratiosOf(rates(*first), rates(row)), margin: margin,
					obvious: rateFactors(*first, row),
				})
			}
		}
	}
	return compare(pairs)
}

// Runs compares the rows of two runs that have the same name, the later run with the earlier.
func Runs(before, after []result.Row, margin float64) []result.Comparison {
	later := map[string]result.Row{}
	for _, b := range after {
		later[b.Name] = b
	}
	var pairs []pair
	for _, a := range before {
		if b, both := later[a.Name]; both {
			pairs = append(pairs, pair{
				a: a.Name, b: b.Name, ratios: ratiosOf(rates(a), rates(b)), margin: margin, obvious: rateFactors(a, b),
			})
		}
	}
	return compare(pairs)
}

// kinds groups the rows that are compared with each other: all, or in a matrix those with the same kind of work.
func kinds(rows []result.Row) (groups [][]result.Row) {
	m := result.MatrixOf(rows)
	if m == nil {
		return [][]result.Row{rows}
	}
	for _, kind := range m.Kinds {
		var group []result.Row
		for _, server := range m.Servers {
			if row := m.At(server, kind); row != nil {
				group = append(group, *row)
			}
		}
		groups = append(groups, group)
	}
	return groups
}

// reference returns the first row that has a rate and did not fail, or else the first that has a rate. It returns nil
// if no row has one.
func reference(rows []result.Row) (first *result.Row) {
	for i := range rows {
		row := &rows[i]
		switch {
		case row.Total.PerSecond == nil:
		case row.Failure == "":
			return row
		case first == nil:
			first = row
		}
	}
	return first
}

// rates returns the throughput of each repeat, NaN if it has none. A row that failed is not tried again, so the index
// of a repeat is its round.
func rates(row result.Row) (values []float64) {
	for _, repeat := range row.Repeats {
		value := math.NaN()
		if repeat.PerSecond != nil {
			value = *repeat.PerSecond
		}
		values = append(values, value)
	}
	return values
}

// A pair is two samples of a figure to compare.
type pair struct {
	a, b    string // names of the rows
	ratios  ratios
	margin  float64 // relative difference that does not matter
	obvious factors
}

// minRounds is how many rounds a confidence interval needs. That of two is nearly always too wide to claim anything. If
// the two happen to agree, it is too narrow: figures that are counted in whole rounds of replies often agree by chance.
const minRounds = 3

// compare compares each pair, in the order given.
//
// The rounds of a pair are compared one by one, because the machine's speed in a round affects both. The logarithms of
// these ratios give a confidence interval (Student's). A pair is different if the interval lies wholly beyond the margin,
// and the same if it lies wholly inside. Only one of the two can be true, so only one claim per pair can be wrong. Of
// many pairs some would be claimed by chance: after Holm (1979) the clearest pair has to stand at the level alpha/m, the
// next at alpha/(m-1). The first pair that does not stand ends all claims. The pairs after it are shown at its level,
// at which they cannot be claimed either.
//
// A pair of fewer than minRounds has no interval and can only be different, if it is obvious.
func compare(pairs []pair) []result.Comparison {
	out := make([]result.Comparison, len(pairs))
	var family []int
	for i, p := range pairs {
		out[i] = result.Comparison{A: p.a, B: p.b, Rounds: len(p.ratios), Ratio: p.ratios.mean(), Verdict: result.TooFew}
		switch {
		case len(p.ratios) >= minRounds:
			family = append(family, i)
		case p.isObvious():
			out[i].Verdict = result.Different
		}
	}
	slices.SortStableFunc(family, func(i, j int) int { return cmp.Compare(pairs[j].clearness(), pairs[i].clearness()) })
	claiming, confidence := true, 0.0
	for rank, i := range family {
		if claiming {
			confidence = 1 - alpha/float64(len(family)-rank)
		}
		verdict := pairs[i].judge(&out[i], confidence)
		if claiming = claiming && verdict != result.TooFew; claiming {
			out[i].Verdict = verdict
		}
	}
	return out
}

// factors are, by the number of rounds, how far apart a figure has to be in each round, on the same side, to differ
// obviously. Without a factor, nothing is obvious.
type factors [minRounds]float64

var (
	// steady is for figures with a noise of 5% or less in each round. The ratio of two has a standard deviation of 7%
	// then: 1.5 is 5.7 of these, and 1.25 is 3.2 of them twice in a row. Equal rows are that far apart by chance in
	// about one of a million pairs. Rates that are counted in whole rounds of replies to a delay had a noise of 0.3% to
	// 2.3% on two busy cores.
	steady = factors{1: 1.5, 2: 1.25}

	// unsteady is for a noise of up to 27%, which rates at a delay of 0 had on the same two cores. Less than 1% of the
	// claims of a pair are false then.
	unsteady = factors{1: 3, 2: 2}
)

// rateFactors returns the factors for the throughput of two rows. It is steady if theory predicts both: a row that the
// machine slows down does not serve as predicted.
func rateFactors(a, b result.Row) factors {
	if asPredicted(a, noticeable) && asPredicted(b, noticeable) {
		return steady
	}
	return unsteady
}

// asPredicted reports whether theory predicts a row's throughput within a relative tolerance.
func asPredicted(row result.Row, tolerance float64) bool {
	rate := row.Total.PerSecond
	if rate == nil || row.Prediction == nil || row.Prediction.PerSecond == nil {
		return false
	}
	return math.Abs(*rate / *row.Prediction.PerSecond - 1) <= tolerance
}

// isObvious reports whether so few rounds show a difference that needs no statistics.
func (p pair) isObvious() bool {
	n := len(p.ratios)
	if n == 0 || p.obvious[n] == 0 {
		return false
	}
	// Like the noise, the factor comes on top of the difference that does not matter.
	edge := math.Log(p.obvious[n]) + math.Log1p(p.margin)
	return slices.Min(p.ratios) > edge || slices.Max(p.ratios) < -edge
}

// ratios are the logarithms of B/A, of the rounds that have both.
type ratios []float64

func ratiosOf(a, b []float64) (r ratios) {
	for i := range min(len(a), len(b)) {
		if a, b := a[i], b[i]; a > 0 && b > 0 {
			r = append(r, math.Log(b)-math.Log(a)) // the quotient itself may be infinite
		}
	}
	return r
}

// mean returns the geometric mean of the ratios, or 0 if there are none.
func (r ratios) mean() float64 {
	if len(r) == 0 {
		return 0
	}
	mean, _ := moments(r)
	return ratioOf(mean)
}

// clearness returns how many standard errors the mean is from the nearer edge of the margin. If the pairs have equally
// many rounds, this orders them by their p-values.
func (p pair) clearness() float64 {
	mean, deviation := moments(p.ratios)
	distance := math.Abs(math.Abs(mean) - math.Log1p(p.margin))
	if deviation == 0 {
		return math.Inf(1)
	}
	return distance / (deviation / math.Sqrt(float64(len(p.ratios))))
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

// judge sets the interval of a pair's comparison, and returns the verdict that follows from it.
func (p pair) judge(c *result.Comparison, confidence float64) string {
	mean, low, high := interval(p.ratios, confidence)
	c.Ratio, c.Low, c.High, c.Confidence = ratioOf(mean), ratioOf(low), ratioOf(high), confidence
	edge := math.Log1p(p.margin)
	switch {
	case low > edge || high < -edge:
		return result.Different
	case low >= -edge && high <= edge:
		return result.Same
	}
	return result.TooFew
}

// widest is the largest logarithm of a ratio that is kept: beyond it means nothing, and JSON has no infinity.
const widest = 20

// ratioOf returns the ratio that has this logarithm.
func ratioOf(logarithm float64) float64 { return math.Exp(max(-widest, min(logarithm, widest))) }

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

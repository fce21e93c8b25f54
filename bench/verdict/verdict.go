// Package verdict separates differences from noise: it decides which rows of a bench differ, which are the same, and
// which need more rounds. It says so in plain sentences.
//
// The package must not know how anything was measured.
package verdict

import (
	"cmp"
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"

	"demo-server/bench/result"
)

// alpha is the maximum share of runs with any false claim.
const alpha = 0.05

// Compare compares the throughput of each row with that of the reference, normally the first row (see reference). In
// a matrix, each kind of work has its own reference. margin is the relative difference that does not matter, such as
// 0.02.
func Compare(rows []result.Row, margin float64) []result.Comparison {
	var pairs []pair
	for _, group := range kinds(rows) {
		first := reference(group)
		for _, row := range group {
			if row.Total.PerSecond != nil && row.Name != first.Name {
				pairs = append(pairs, pair{
					a: first.Name, b: row.Name, estimate: paired(rates(*first), rates(row)), margin: margin,
					obvious: throughput.obvious(*first, row),
				})
			}
		}
	}
	return compare(pairs)
}

// kinds groups the rows to compare: all rows, or the rows of each kind of work in a matrix.
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

// reference returns the first row that has a rate and did not fail. If all failed, it returns the first that has a
// rate, or nil if no row has one.
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

// rates returns the throughput of each repeat in requests/s, NaN if unknown. The index of a repeat is its round,
// because a row that failed is not tried again.
func rates(row result.Row) []float64 { return throughput.sample(row).values }

// A pair holds the estimated ratio of two samples of a figure.
type pair struct {
	a, b string // names of the rows
	estimate
	margin  float64 // relative difference that does not matter
	obvious factors
}

// minRounds is the number of rounds that a confidence interval needs. The interval of two is nearly always too wide
// to claim anything. If the two rounds happen to agree, it is too narrow: figures counted in whole rounds of replies
// often agree by chance.
const minRounds = 3

// compare compares each pair, in the order given.
//
// Each pair has a confidence interval for the logarithm of its ratio. A pair is different if the interval lies wholly
// beyond the margin, and the same if it lies wholly inside. Only one of the two can be true, so only one claim per
// pair can be wrong. Among many pairs, chance alone would lead to some claims. Therefore the clearest pair is tested
// at the level alpha/m, the next at alpha/(m-1), and so on (Holm 1979). The first pair that fails its test ends all
// claims. The pairs after it show their interval at its level, at which they cannot be claimed either.
//
// A pair with fewer than minRounds rounds has no interval. It is different if the difference is obvious, and
// undecided otherwise.
func compare(pairs []pair) []result.Comparison {
	out := make([]result.Comparison, len(pairs))
	var family []int
	for i, p := range pairs {
		out[i] = result.Comparison{A: p.a, B: p.b, Rounds: p.rounds, Verdict: result.TooFew}
		if p.rounds > 0 {
			out[i].Ratio = ratioOf(p.mean)
		}
		switch {
		case p.rounds >= minRounds:
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

// factors holds, by the number of rounds, the ratio above which a difference is obvious. Each round must exceed it,
// in the same direction. If a factor is 0, nothing is obvious.
type factors [minRounds]float64

var (
	// steady is for figures with a noise of at most 5% per round. The ratio of two then has a standard deviation of
	// 7%: 1.5 is 5.7 of these, and 1.25 is 3.2 of them twice in a row. Equal rows differ that much by chance in about
	// one of a million pairs. Rates counted in whole rounds of replies to a delay had a noise of 0.3% to 2.3% on two
	// busy cores.
	steady = factors{1: 1.5, 2: 1.25}

	// unsteady is for a noise of up to 27%, which rates at a delay of 0 had on the same two cores. Less than 1% of a
	// pair's claims are then false.
	unsteady = factors{1: 3, 2: 2}
)

// rateFactors returns the factors for the throughput of two rows: steady if theory predicts both, because a row that
// the machine slows down misses its prediction.
func rateFactors(a, b result.Row) factors {
	if asPredicted(a, noticeable) && asPredicted(b, noticeable) {
		return steady
	}
	return unsteady
}

// asPredicted reports whether a row's throughput is within a relative tolerance of its prediction.
func asPredicted(row result.Row, tolerance float64) bool {
	rate := row.Total.PerSecond
	if rate == nil || row.Prediction == nil || row.Prediction.PerSecond == nil {
		return false
	}
	return math.Abs(*rate / *row.Prediction.PerSecond - 1) <= tolerance
}

// isObvious reports whether fewer than minRounds rounds show a difference that needs no statistics.
func (p pair) isObvious() bool {
	if p.rounds == 0 || p.obvious[p.rounds] == 0 {
		return false
	}
	// The factor covers the noise only, so the margin is added.
	edge := math.Log(p.obvious[p.rounds]) + math.Log1p(p.margin)
	return p.lowest > edge || p.highest < -edge
}

// clearness returns the confidence at which the pair can still be claimed. It is the probability, by Student's
// distribution, that belongs to the distance of the mean from the nearer edge of the margin in standard errors. It
// returns infinity without noise.
func (p pair) clearness() float64 {
	distance := math.Abs(math.Abs(p.mean) - math.Log1p(p.margin))
	if p.err == 0 {
		return math.Inf(1)
	}
	return stats.TDist{V: p.freedom}.CDF(distance / p.err)
}

// judge sets the interval of the pair's comparison and returns the verdict for it.
func (p pair) judge(c *result.Comparison, confidence float64) string {
	low, high := p.interval(confidence)
	c.Low, c.High, c.Confidence = ratioOf(low), ratioOf(high), confidence
	edge := math.Log1p(p.margin)
	switch {
	case low > edge || high < -edge:
		return result.Different
	case low >= -edge && high <= edge:
		return result.Same
	}
	return result.TooFew
}

// maxLog is the maximum logarithm of a ratio. Larger ones mean nothing, and JSON cannot hold infinity.
const maxLog = 20

// ratioOf returns the ratio for a logarithm, with its size limited by maxLog.
func ratioOf(logarithm float64) float64 { return math.Exp(max(-maxLog, min(logarithm, maxLog))) }

// Interval returns the mean of a row's rounds and its 95% confidence interval. It ignores NaN; ok is false for fewer
// than two rounds.
func Interval(rounds []float64) (mean, low, high float64, ok bool) {
	known := slices.DeleteFunc(slices.Clone(rounds), math.IsNaN)
	if len(known) < 2 {
		return 0, 0, 0, false
	}
	e := estimateOf(known)
	low, high = e.interval(1 - alpha)
	return e.mean, low, high, true
}

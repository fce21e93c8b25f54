package verdict

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// An estimate holds the mean of values and its uncertainty.
type estimate struct {
	rounds          int // number of values; if 0, the other fields mean nothing
	mean            float64
	err             float64 // standard error of the mean
	freedom         float64 // degrees of freedom of Student's distribution
	lowest, highest float64 // values of single rounds
}

// estimateOf returns the estimate of normally distributed values.
func estimateOf(values []float64) (e estimate) {
	if len(values) == 0 {
		return e
	}
	n := float64(len(values))
	e = estimate{rounds: len(values), freedom: n - 1, lowest: slices.Min(values), highest: slices.Max(values)}
	for _, x := range values {
		e.mean += x / n
	}
	if e.freedom == 0 {
		return e
	}
	variance := 0.0
	for _, x := range values {
		variance += (x - e.mean) * (x - e.mean) / e.freedom
	}
	e.err = math.Sqrt(variance / n)
	return e
}

// interval returns the confidence interval of the mean. confidence is from 0 to 1.
func (e estimate) interval(confidence float64) (low, high float64) {
	if e.err == 0 {
		return e.mean, e.mean
	}
	half := e.err * stats.InvCDF(stats.TDist{V: e.freedom})((1+confidence)/2)
	return e.mean - half, e.mean + half
}

// paired returns the estimate of the logarithm of B/A in one run. It pairs the rounds, because the machine's speed in
// a round affects both.
func paired(a, b []float64) estimate { return estimateOf(ratios(a, b)) }

// ratios returns the logarithm of B/A for each round that both have.
func ratios(a, b []float64) (logarithms []float64) {
	for i := range min(len(a), len(b)) {
		if a, b := a[i], b[i]; a > 0 && b > 0 {
			logarithms = append(logarithms, math.Log(b)-math.Log(a)) // a quotient could be infinite
		}
	}
	return logarithms
}

// separate returns the estimate of the logarithm of B/A for two runs with independent rounds (Welch 1947).
func separate(a, b estimate) estimate {
	if a.rounds == 0 || b.rounds == 0 {
		return estimate{}
	}
	e := estimate{
		rounds: min(a.rounds, b.rounds), mean: b.mean - a.mean, err: math.Hypot(a.err, b.err),
		lowest: b.lowest - a.highest, highest: b.highest - a.lowest,
	}
	if e.err > 0 && e.rounds > 1 {
		shareA, shareB := a.err*a.err/(e.err*e.err), b.err*b.err/(e.err*e.err)
		e.freedom = 1 / (shareA*shareA/a.freedom + shareB*shareB/b.freedom)
	}
	return e
}

package verdict

import (
	"math"

	"demo-server/bench/result"
)

// A Unit is the unit of a figure.
type Unit int

// The units of the figures that runs are compared by.
const (
	PerSecond Unit = iota
	Seconds
	Bytes
)

// A Figure is a quantity by which runs are compared.
type Figure struct {
	Name string // such as p99
	Unit Unit

	// minMargin replaces smaller margins. At a delay of 50 or 200 ms, equal runs of 2 to 4 rounds on two busy cores
	// had standard deviations of up to 5% in p99, 21% in CPU, and 1% in memory.
	minMargin float64
	obvious   func(a, b result.Row) factors
	of        func(*result.Figures) (value *float64, beyond bool)
}

// throughput is the figure by which rows of one run are compared.
var throughput = Figure{
	Name: "requests/s", Unit: PerSecond, obvious: rateFactors, of: exactly(func(f *result.Figures) *float64 { return f.PerSecond }),
}

// figures lists the figures by which runs are compared. Memory is that of the process, because a repeat's bytes per
// request in flight varied by half of their value.
var figures = []Figure{
	throughput,
	{
		Name: "p50", Unit: Seconds, obvious: rateFactors,
		of: latency(func(f *result.Figures) *result.Latency { return f.P50 }),
	},
	{
		Name: "p99", Unit: Seconds, minMargin: 0.05, obvious: always(factors{2: 2}), // one pause can double it
		of: latency(func(f *result.Figures) *result.Latency { return f.P99 }),
	},
	{
		Name: "CPU per request", Unit: Seconds, minMargin: 0.2, obvious: always(factors{}),
		of: exactly(func(f *result.Figures) *float64 { return f.CPUPerRequest }),
	},
	{
		Name: "peak memory", Unit: Bytes, minMargin: 0.05, obvious: always(steady),
		of: exactly(func(f *result.Figures) *float64 {
			if f.Peak == nil {
				return nil
			}
			return f.Peak.Resident
		}),
	},
}

func exactly(of func(*result.Figures) *float64) func(*result.Figures) (*float64, bool) {
	return func(f *result.Figures) (*float64, bool) { return of(f), false }
}

func latency(of func(*result.Figures) *result.Latency) func(*result.Figures) (*float64, bool) {
	return func(f *result.Figures) (*float64, bool) {
		l := of(f)
		if l == nil {
			return nil, false
		}
		return &l.Seconds, l.Beyond
	}
}

func always(f factors) func(a, b result.Row) factors {
	return func(a, b result.Row) factors { return f }
}

// A Change compares a figure of a row in the new run with the row of the same name in the old run.
type Change struct {
	result.Comparison // A is the old run's row, B the new run's
	Figure            Figure
	Margin            float64 // relative difference of the figure that does not matter, such as 0.02
	Old, New          Value
}

// NotCompared is the verdict if one of the runs lacks an exact figure.
const NotCompared = "not compared"

// Changed reports whether the figure differs, or exactly one of the runs has a throughput.
func (c Change) Changed() bool {
	lost := c.Figure.Name == throughput.Name && c.Old.Known() != c.New.Known()
	return c.Verdict == result.Different || lost
}

// A Value is a figure of a row in one run: the geometric mean of its repeats.
type Value struct {
	Mean   float64 // NaN if unknown
	Beyond bool    // only a lower bound is known, because a repeat has only a lower bound
}

// Known reports whether there is a value, exact or not.
func (v Value) Known() bool { return !math.IsNaN(v.Mean) }

func (v Value) exact() bool { return v.Known() && !v.Beyond }

// Runs compares the figures of rows with the same name in two runs, in the order of the old run. margin is the
// relative difference that does not matter; some figures have a larger one. All figures form one family (see
// compare).
func Runs(older, newer []result.Row, margin float64) (changes []Change) {
	rows := map[string]result.Row{}
	for _, row := range newer {
		rows[row.Name] = row
	}
	var pairs []pair
	var at []int // index in changes of each pair
	for _, a := range older {
		b, both := rows[a.Name]
		if !both {
			continue
		}
		for _, f := range figures {
			c, p := f.change(a, b, margin)
			if c.Verdict != NotCompared {
				pairs, at = append(pairs, p), append(at, len(changes))
			}
			changes = append(changes, c)
		}
	}
	for i, compared := range compare(pairs) {
		changes[at[i]].Comparison = compared
	}
	return changes
}

// change returns the values of the figure in two rows. The pair is to be compared unless the verdict is NotCompared.
func (f Figure) change(a, b result.Row, margin float64) (Change, pair) {
	older, newer := f.sample(a), f.sample(b)
	c := Change{
		Comparison: result.Comparison{A: a.Name, B: b.Name}, Figure: f, Margin: max(margin, f.minMargin),
		Old: older.value(), New: newer.value(),
	}
	if !c.Old.exact() || !c.New.exact() {
		c.Verdict = NotCompared
	}
	e := separate(older.logarithms(), newer.logarithms())
	return c, pair{a: a.Name, b: b.Name, estimate: e, margin: c.Margin, obvious: f.obvious(a, b)}
}

// A sample holds a figure of a row in each repeat, NaN if unknown.
type sample struct {
	values []float64
	beyond bool // a repeat has only a lower bound
}

func (f Figure) sample(row result.Row) (s sample) {
	for i := range row.Repeats {
		value, beyond := f.of(&row.Repeats[i].Figures)
		if value == nil {
			value = result.Number(math.NaN())
		}
		s.values, s.beyond = append(s.values, *value), s.beyond || beyond
	}
	return s
}

// logarithms returns the estimate of the figure's logarithm.
func (s sample) logarithms() estimate {
	var logarithms []float64
	for _, value := range s.values {
		if value > 0 {
			logarithms = append(logarithms, math.Log(value))
		}
	}
	return estimateOf(logarithms)
}

func (s sample) value() Value {
	e := s.logarithms()
	if e.rounds == 0 {
		return Value{Mean: math.NaN()}
	}
	return Value{Mean: math.Exp(e.mean), Beyond: s.beyond}
}

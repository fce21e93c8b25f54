package bench

import (
	"slices"
	"sort"
	"time"

	"demo-server/bench/load"
)

// An Uncountable is a row that would end without a rate, because too few replies come in time. The fields below Name
// hold the smallest round values that give it one. 0 means that the present value can stay; if all are 0, no value
// helps.
type Uncountable struct {
	Name     string        // of the row
	Duration time.Duration // of a repeat
	Requests int           // of a repeat
	Budget   time.Duration // of a repeat
	Timeout  time.Duration // of a request
}

// Uncountable returns the rows that would end without a rate. It omits external servers and rows without a delay, which
// have no prediction.
func (p *Plan) Uncountable() (rows []Uncountable) {
	for _, planned := range p.Planned {
		if row := planned.Row; row.Known && row.Delay > 0 && !p.countable(row, p.probes) {
			rows = append(rows, p.remedy(row, p.probes))
		}
	}
	return rows
}

// remedy returns the values that make a row countable. It first looks for enough replies, then for a budget and a
// timeout that let them arrive.
func (c Config) remedy(row Row, probes bool) Uncountable {
	works := func() bool { return c.countable(row, probes) }
	budget, timeout := c.Budget, c.Timeout
	c.Timeout = 0
	out := Uncountable{Name: row.Name}
	if c.Requests > 0 {
		c.Budget = 0
		out.Requests = raise(&c.Requests, typedCounts, works)
		c.Budget = budget
		out.Budget = raise(&c.Budget, typedTimes, works)
	} else {
		out.Duration = raise(&c.Duration, typedTimes, works)
	}
	c.Timeout = timeout
	out.Timeout = raise(&c.Timeout, typedTimes, works)
	if !works() {
		return Uncountable{Name: row.Name}
	}
	return out
}

// A scale holds the values that people type.
type scale[T int | time.Duration] struct {
	units []T // ascending; a value is a multiple of the largest unit that fits into it twice
	limit T
}

var (
	typedCounts = scale[int]{[]int{1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000, 100_000}, 10_000_000}
	typedTimes  = scale[time.Duration]{[]time.Duration{
		time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
		500 * time.Millisecond, time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute,
		10 * time.Minute,
	}, 24 * time.Hour}
)

// up returns the smallest value of the scale that is not below value.
func (s scale[T]) up(value T) T {
	unit := s.units[0]
	for _, u := range s.units {
		if value > 2*u {
			unit = u
		}
	}
	return (value + unit - 1) / unit * unit
}

// between returns the values of the scale above low, up to high.
func (s scale[T]) between(low, high T) (values []T) {
	for v := s.up(low + 1); v <= high; v = s.up(v + 1) {
		values = append(values, v)
	}
	return values
}

// raise sets value to the smallest one on the scale for which works returns true, and returns it. It returns 0 and
// leaves value alone if it works already or never does.
func raise[T int | time.Duration](value *T, s scale[T], works func() bool) T {
	was := *value
	fails := was
	for !works() {
		if *value >= s.limit {
			*value = was
			return 0
		}
		fails, *value = *value, s.up(2**value)
	}
	if *value == was {
		return 0
	}
	values := s.between(fails, *value)
	first := sort.Search(len(values)-1, func(i int) bool {
		*value = values[i]
		return works()
	})
	*value = values[first]
	return *value
}

// countable reports whether a repeat of the row gets enough replies for a rate, even from a server that is a tenth
// slower than predicted, because no reply is exactly in time.
func (c Config) countable(row Row, probes bool) bool {
	p := c.outline(row)
	p.Delay += p.Delay / 10
	if c.Generator == AB && probes && p.cut > 0 {
		if p.cut -= p.Delay; p.cut <= 0 { // ab sends the others only after the first reply
			return false
		}
	}
	requests := c.requests(p)
	inTime := slices.ContainsFunc(requests, func(r load.Request) bool {
		return r.Class == load.Answered && (c.Timeout == 0 || r.Latency() < c.Timeout)
	})
	if c.Generator != Builtin && (c.Requests > 0 || p.wholeRounds > 0) { // a tool's rate needs no second round
		return inTime
	}
	return inTime && load.Summarise(requests, c.Warmup, p.round).PerSecond > 0
}

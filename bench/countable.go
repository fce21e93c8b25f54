package bench

import (
	"slices"
	"sort"
	"time"

	"demo-server/bench/load"
)

// An Uncountable row would end without a rate, because too few replies come in time. The other fields are the smallest
// round values that give it one. A field that is 0 can stay as it is; if all are 0, no value helps.
type Uncountable struct {
	Name     string        // of the row
	Duration time.Duration // of a repeat
	Requests int           // of a repeat
	Budget   time.Duration // of a repeat
	Timeout  time.Duration // of a request
}

// Uncountable returns the rows that would end without a rate. Servers that ran already and rows without a delay are
// never among them, because nothing is predicted for them.
func (p *Plan) Uncountable() (rows []Uncountable) {
	for _, planned := range p.Planned {
		if row := planned.Row; row.Known && row.Delay > 0 && !p.countable(row, p.probes) {
			rows = append(rows, p.remedy(row, p.probes))
		}
	}
	return rows
}

// remedy finds the values that make a row countable. It looks for enough replies first, and then for a budget and a
// timeout that let them come.
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
	units []T // ascending; a value is a multiple of the largest one that fits into it twice
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

// raise sets value to the smallest one of the scale with which it works, and returns that. It returns 0 and leaves value
// alone if it works already or never does.
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

// countable reports whether a repeat of the row gets enough replies for a rate, even from a server that is a tenth slower
// than predicted: no reply is exactly in time.
func (c Config) countable(row Row, probes bool) bool {
	p := c.outline(row)
	p.Delay += p.Delay / 10
	if c.Generator == AB && probes && p.cut > 0 {
		if p.cut -= p.Delay; p.cut <= 0 { // the others are sent only after the first reply
			return false
		}
	}
	requests := c.requests(p)
	inTime := slices.ContainsFunc(requests, func(r load.Request) bool {
		return r.Class == load.Answered && (c.Timeout == 0 || r.Latency() < c.Timeout)
	})
	if c.Generator != Builtin && (c.Requests > 0 || p.wholeRounds > 0) { // its rate needs no second round
		return inTime
	}
	return inTime && load.Summarise(requests, c.Warmup, p.round).PerSecond > 0
}

package bench

import (
	"fmt"
	"slices"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/predict"
	"demo-server/bench/result"
)

// A Plan holds the rows to measure and their predictions.
type Plan struct {
	Config
	Planned []Planned
	Left    []result.Left
	Took    time.Duration // of all rows and rounds as predicted; rows without a prediction count with their budget

	probes bool // ab sends one request alone before the others
}

// A Planned is a row with its prediction.
type Planned struct {
	Row
	Prediction *result.Figures // nil if there is none
	Why        string          // the reason for no prediction
	Took       time.Duration   // of one repeat
	Cut        bool            // the budget ends the measurement early

	round       int           // number of replies that come together
	wholeRounds int           // rounds that ab or wrk run for; 0 if something else ends the run
	duration    time.Duration // how long requests are sent; 0 if their number is the end
	cut         time.Duration // time when unfinished requests are given up
	timeout     time.Duration // of a request
}

// betweenRows is about how long it takes to start a server, sample it idle, and stop it.
const betweenRows = idleSamples*sampleEvery + 300*time.Millisecond

// NewPlan predicts all rows. probes reports that ab sends one request alone before the others (load.ABProbes).
func NewPlan(c Config, probes bool) *Plan {
	plan := &Plan{Config: c, probes: probes}
	for _, row := range c.Rows {
		p := c.plan(row, probes)
		if full := c.full(row, probes); c.Reasonable > 0 && full > c.Reasonable {
			plan.leave(row, full)
			continue
		}
		plan.Planned = append(plan.Planned, p)
		plan.Took += time.Duration(c.Repeat) * (p.Took + betweenRows)
	}
	return plan
}

func (p *Plan) leave(row Row, full time.Duration) {
	why := fmt.Sprintf("it would take %s", full.Round(time.Second))
	if row.Bound != "" {
		why += " (" + row.Bound + ")"
	}
	p.Left = append(p.Left, result.Left{Name: row.Name, Why: why})
}

// plan predicts one row.
func (c Config) plan(row Row, probes bool) Planned {
	p := c.outline(row)
	p.Took = p.cut
	switch full := c.full(row, probes); {
	case !row.Known:
		p.Why = "nothing is known of this server"
	case row.Delay == 0:
		p.Why = "without a delay the CPU is the bound, and theory says nothing of it"
	default:
		if c.Requests > 0 {
			p.Cut = full > p.cut
			p.Took = min(full, p.cut)
		}
		c.predict(&p, probes)
	}
	p.timeout = c.Timeout
	if p.timeout == 0 {
		p.timeout = c.derivedTimeout(p)
	}
	return p
}

// outline returns how a repeat of the row is measured, without a prediction.
func (c Config) outline(row Row) Planned {
	p := Planned{Row: row, round: c.round(row), cut: c.Budget}
	if c.Requests > 0 {
		return p
	}
	p.duration = c.duration(row)
	p.cut = p.duration + row.Delay/2 // keeps a last round that is slightly late
	if c.Generator != Builtin {
		p.cut, p.wholeRounds = load.WholeRounds(p.duration, row.Delay)
	}
	return p
}

// sharedRounds is the min number of rounds if the replies of a round come together only roughly.
const sharedRounds = 4

// duration returns how long requests are sent to a row. Requests that share cores all end when the time for all has
// passed, and a measurement that covers less than several such rounds means nothing. A duration that is far too short
// is kept.
func (c Config) duration(row Row) time.Duration {
	if row.Cores == 0 || c.Rate > 0 {
		return c.Duration
	}
	needed := sharedRounds * row.Delay * time.Duration(c.round(row)) / time.Duration(row.Cores)
	if needed > c.Budget {
		return c.Duration
	}
	return max(c.Duration, needed)
}

// round returns how many replies come together: as many as are worked on at a time, and all that share cores.
func (c Config) round(row Row) int {
	places := row.room()
	if row.inside() && row.Cores > 0 {
		places = row.Places
	}
	switch {
	case c.Rate > 0:
		return max(1, places)
	case places > 0:
		return min(places, c.Concurrency)
	}
	return c.Concurrency
}

// full returns how long a repeat of the row takes if nothing cuts it off, or 0 if theory does not know.
func (c Config) full(row Row, probes bool) time.Duration {
	switch {
	case !row.Known || row.Delay == 0:
		return 0
	case c.Requests == 0:
		return c.duration(row)
	case c.Generator == AB && probes:
		return time.Duration(float64(c.Requests) / predict.ABIdeal(c.Requests, c.reach(row), row.Delay) * float64(time.Second))
	}
	return predict.Took(row.model(), predict.Load{Clients: c.Concurrency, Requests: c.Requests, Rate: c.Rate})
}

// reach returns how many of the clients a row serves at a time.
func (c Config) reach(row Row) int {
	if room := row.room(); room > 0 {
		return min(c.Concurrency, room)
	}
	return c.Concurrency
}

// model returns the row as a server of the queueing model. Theory does not know the time of a refused try; model uses
// one that does not change the predictions for the other requests.
func (r Row) model() predict.Server {
	return predict.Server{
		Places: r.Places, Queue: r.Queue, QueueTimeout: r.QueueTimeout, Slots: r.Slots, Cores: r.Cores, Delay: r.Delay,
		Refusal: min(max(r.Delay/100, 100*time.Microsecond), 10*time.Millisecond),
	}
}

func (c Config) predict(p *Planned, probes bool) {
	requests := c.requests(*p)
	if c.Requests == 0 && p.wholeRounds == 0 {
		p.Took = lastEnd(requests)
	}
	summary := load.Summarise(requests, c.Warmup, p.round)
	figures := summarised(summary)
	figures.Ceiling = c.ceiling(*p, probes)
	switch {
	case c.Generator == AB && probes:
		figures.PerSecond = c.abRate(*p, c.reach(p.Row))
	case figures.Answered == 0:
	case p.wholeRounds > 0:
		figures.PerSecond = p.toolRate(figures.Answered)
	case c.Generator == AB && c.Requests > 0: // it counts from the start
		figures.PerSecond = ratio(float64(figures.Answered), lastEnd(requests).Seconds())
	}
	if c.Rate == 0 && p.Places > 0 && p.Queue >= 0 && c.Concurrency > p.Places+p.Queue {
		figures.RefusedShare = nil // refused clients try again at once; how often depends on the CPU
	}
	if figures.PerSecond == nil {
		p.Why = fmt.Sprintf("%s is less than two rounds of replies: nothing can be counted", p.cut)
		return
	}
	p.Prediction = &figures
}

// requests predicts the result of each request of a repeat.
func (c Config) requests(p Planned) []load.Request {
	requests := predict.Requests(p.model(), predict.Load{
		Clients: c.Concurrency, Requests: c.Requests, Duration: p.cut, Rate: c.Rate,
	})
	if c.Requests == 0 {
		requests = slices.DeleteFunc(requests, func(r load.Request) bool { return r.Sent >= p.duration })
	}
	return requests
}

// toolRate returns the rate from the number of replies that ab or wrk counted in whole rounds.
func (p Planned) toolRate(answered int) *float64 {
	return ratio(float64(answered), float64(p.wholeRounds)*p.Delay.Seconds())
}

func lastEnd(requests []load.Request) (end time.Duration) {
	for _, r := range requests {
		end = max(end, r.Ended)
	}
	return end
}

// ceiling returns the max rate that the load allows, whatever the server does.
func (c Config) ceiling(p Planned, probes bool) *float64 {
	switch {
	case c.Rate > 0:
		return result.Number(c.Rate)
	case !p.Known || p.Delay == 0:
		return nil
	case c.Generator == AB && probes:
		return c.abRate(p, c.Concurrency)
	}
	return result.Number(float64(c.Concurrency) / p.Delay.Seconds())
}

// abRate returns the rate that ab counts for a server that works on atATime of its requests. ab sends the first one
// alone.
func (c Config) abRate(p Planned, atATime int) *float64 {
	switch {
	case c.Requests > 0:
		return result.Number(predict.ABIdeal(c.Requests, atATime, p.Delay))
	case p.wholeRounds > 0:
		return result.Number(float64(1+(p.wholeRounds-1)*atATime) / (float64(p.wholeRounds) * p.Delay.Seconds()))
	}
	return result.Number(float64(atATime) / p.Delay.Seconds())
}

// leastTimeout is long enough for any server that is not stuck.
const leastTimeout = 30 * time.Second

// derivedTimeout returns a timeout that no predicted request reaches, because a client that disconnects would change
// the measurement.
func (c Config) derivedTimeout(p Planned) time.Duration {
	if p.Prediction == nil || p.Prediction.Longest.Beyond {
		return max(leastTimeout, p.cut)
	}
	return max(leastTimeout, 4*time.Duration(p.Prediction.Longest.Seconds*float64(time.Second)))
}

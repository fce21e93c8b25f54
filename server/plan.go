package server

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"demo-server/server/fault"
	"demo-server/work"
)

// Faults are what may become of requests other than the usual.
type Faults struct {
	Overrides bool       // requests may ask for it themselves, by their query and by httpbin's paths
	Lenient   bool       // what a query asks for and is not understood is ignored
	Setting   fault.Spec // what becomes of them where they do not ask
	Caps      fault.Caps // its Kinds are those of Config.Kinds
	Seed      uint64     // of what is drawn: the nth request that something is drawn for gets the same in every run
}

// A planner decides what each request gets.
type planner struct {
	faults   Faults
	defaults fault.Plan
	body     int  // length of the usual one
	noFaults bool // the setting asks for nothing
	drawn    atomic.Uint64
}

func newPlanner(config *Config) *planner {
	p := &planner{
		faults: config.Faults, defaults: fault.Plan{Delay: config.Delay, Size: -1}, body: len(config.Body),
	}
	p.noFaults = p.faults.Setting.IsZero()
	p.faults.Caps.Kinds = slices.Sorted(maps.Keys(config.Requestable))
	return p
}

// plan decides for a request. Nil is the usual: the App's work, delay and body. An error is the request's fault.
func (p *planner) plan(method, path, query string) (*fault.Plan, error) {
	asks := p.faults.Overrides && (query != "" || path != "/")
	if p.noFaults && !asks {
		return nil, nil // nearly every request
	}
	return p.decide(method, path, query, asks)
}

// decide is apart from plan because of what it puts on the stack, which would be twice as large for every request that
// blocks.
//
//go:noinline
func (p *planner) decide(method, path, query string, asks bool) (*fault.Plan, error) {
	spec := p.faults.Setting
	if asks {
		asked, err := p.requested(path, query)
		if err != nil {
			return nil, &RequestError{err}
		}
		spec = asked.Over(spec)
	}
	if spec.IsZero() {
		return nil, nil
	}
	plan := p.draw(spec)
	if method == http.MethodHead {
		plan.Cut = false // there is no body to cut off
	}
	if method == http.MethodHead || plan.Size == 0 || plan.Size < 0 && p.body == 0 {
		plan.Drip, plan.DripAfter = 0, 0 // there is nothing to drip
	}
	return &plan, nil
}

func (p *planner) requested(path, query string) (fault.Spec, error) {
	if spec, ok, err := fault.FromPath(path, query, p.faults.Caps); ok {
		return spec, err
	}
	if p.faults.Lenient {
		return fault.ParseLenient(query, p.faults.Caps), nil
	}
	return fault.ParseQuery(query, p.faults.Caps)
}

// draw takes its numbers from a generator of the request's own: what a request gets then hangs on how many came before
// it, and not on what they have drawn, nor on who is faster.
func (p *planner) draw(spec fault.Spec) fault.Plan {
	n := p.drawn.Add(1)
	return spec.Draw(rand.New(rand.NewPCG(p.faults.Seed, splitmix64(n))), p.defaults)
}

// splitmix64 spreads numbers that follow each other over all 64 bits, because generators whose seeds are alike begin alike.
// It is the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
func splitmix64(n uint64) uint64 {
	n *= 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// A RequestError says what a request asks for that it cannot have. It becomes a 400 with this text.
type RequestError struct{ err error }

// Error is the text, with a line for each mistake.
func (e *RequestError) Error() string { return e.err.Error() }

// Delay is how long the job's work takes when nothing is in its way. Where the reply drips, most of it is the reply's.
func (j *Job) Delay() time.Duration {
	switch {
	case j.plan == nil:
		return j.app.config.Delay
	case j.plan.Drip > 0:
		return j.plan.DripAfter
	}
	return j.plan.Delay
}

// kind is the work that the job does.
func (j *Job) kind() work.Work {
	if j.plan == nil || j.plan.Work == "" {
		return j.app.config.Work
	}
	return j.app.config.Requestable[j.plan.Work]
}

// Holds is what the job's work holds while it waits.
func (j *Job) Holds() work.Resource { return j.kind().Holds() }

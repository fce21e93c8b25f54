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

// Faults configure fault injection.
type Faults struct {
	Overrides bool       // requests may override the settings, by their query and by httpbin's paths
	Lenient   bool       // parts of a query that cannot be parsed are ignored
	Setting   fault.Spec // the faults of requests without overrides
	Caps      fault.Caps // its Kinds come from Config.Requestable
	Seed      uint64     // of the random numbers: the nth request that draws gets the same numbers in every run
}

// A planner decides which work, delay and faults each request gets.
type planner struct {
	faults   Faults
	defaults fault.Plan
	body     int  // length of the default body
	noFaults bool // the setting injects nothing
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

// plan returns a request's plan. Nil means the App's default work, delay and body. An error means that the request is
// at fault.
func (p *planner) plan(method, path, query string) (*fault.Plan, error) {
	asks := p.faults.Overrides && (query != "" || path != "/")
	if p.noFaults && !asks {
		return nil, nil // nearly every request
	}
	return p.decide(method, path, query, asks)
}

// decide is separate from plan because it needs a large stack frame. Inlined, it would double the stack of every
// blocked request.
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

// draw uses a generator of the request's own. A request's numbers therefore depend on how many requests drew before it,
// and not on how many numbers they drew or in which order they finished.
func (p *planner) draw(spec fault.Spec) fault.Plan {
	n := p.drawn.Add(1)
	return spec.Draw(rand.New(rand.NewPCG(p.faults.Seed, splitmix64(n))), p.defaults)
}

// splitmix64 spreads consecutive numbers over all 64 bits, because generators with similar seeds begin with similar
// numbers. It is the finalizer of SplitMix64 (Steele, Lea and Flood 2014).
func splitmix64(n uint64) uint64 {
	n *= 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// A RequestError describes a request's invalid overrides. It becomes a 400 with this text.
type RequestError struct{ err error }

// Error returns the text, with one line for each mistake.
func (e *RequestError) Error() string { return e.err.Error() }

// Delay returns how long the job's work takes if it never has to wait. If the reply drips, most of the requested delay
// belongs to the reply.
func (j *Job) Delay() time.Duration {
	switch {
	case j.plan == nil:
		return j.app.config.Delay
	case j.plan.Drip > 0:
		return j.plan.DripAfter
	}
	return j.plan.Delay
}

// kind returns the job's work.
func (j *Job) kind() work.Work {
	if j.plan == nil || j.plan.Work == "" {
		return j.app.config.Work
	}
	return j.app.config.Requestable[j.plan.Work]
}

// Holds returns the resource that the job's work holds while it waits.
func (j *Job) Holds() work.Resource { return j.kind().Holds() }

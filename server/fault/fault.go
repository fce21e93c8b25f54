// Package fault parses and draws faults: another delay, status or body for a request than the server's defaults, or a
// broken connection. A request asks for faults in its query, and the operator in a setting, in the same grammar:
//
//	delay=300ms                            a duration; also uniform(1s,3s), exp(2s) and lognormal(2s,0.3)
//	work=cpu                               a kind of work
//	status=503                             200 to 599
//	size=64KiB                             a body of exactly that many bytes
//	drip=5                                 the body in that many pieces over the delay
//	abort=reset                            or close, hang, none
//	size=64KiB&abort=reset&after=10KiB     a reply that is cut off in its body, or that is closed there
//	retry_after=3                          seconds, 0 for none
//
// Parameters are separated by &, in a setting too, because a comma separates weighted values:
//
//	status=503:10,429:5&delay=100ms:90,exp(2s):10
//
// A weight is a percentage with at most six decimals. The server's own setting applies to the rest of the 100 percent.
// A value that cannot be parsed, or is above the Caps, is an error and never clamped.
//
// The package must not know requests, connections, or how a plan is carried out.
package fault

import (
	"math/rand/v2"
	"strconv"
	"time"

	"demo-server/units"
)

// Caps limit the faults.
type Caps struct {
	MaxDelay time.Duration // the maximum delay, also of random ones
	MaxSize  int64         // the maximum length of a body in bytes
	Kinds    []string      // the kinds of work
}

// A Plan holds the faults of one request.
type Plan struct {
	Delay      time.Duration
	Work       string        // a kind of work; "" for the server's own
	Status     int           // 0 for the default
	Size       int64         // of the body in bytes; -1 for the default body
	Drip       int           // the body goes out in so many non-empty pieces over the delay; 0 for one piece
	DripAfter  time.Duration // the part of the delay before the first piece
	Abort      Abort         // instead of the reply, after the delay
	Cut        bool          // Reset or Close happens in the reply's body
	After      int64         // after so many bytes of it
	RetryAfter int           // seconds; 0 for none
}

// An Abort is a way to end a connection instead of a reply.
type Abort uint8

// The kinds of abort.
const (
	None  Abort = iota // the reply is sent
	Reset              // the connection is reset (RST)
	Close              // the connection is closed (FIN)
	Hang               // nothing is sent until the client disconnects
)

var aborts = [...]string{None: "none", Reset: "reset", Close: "close", Hang: "hang"}

// String returns the abort's name, as in abort=reset.
func (a Abort) String() string { return aborts[a] }

// A Spec holds the parameters of a request or a setting. The zero Spec has none. It shares no memory with the parsed
// text, and is safe for concurrent use.
type Spec struct {
	delay      weighted[delay]
	work       weighted[string]
	status     weighted[int]
	size       weighted[int64]
	drip       weighted[int]
	abort      weighted[Abort]
	after      weighted[int64]
	retryAfter weighted[int]

	dripAfter time.Duration // only set by /drip; the grammar cannot express it
}

// IsZero reports whether s has no parameters.
func (s Spec) IsZero() bool {
	return s.delay == nil && s.work == nil && s.status == nil && s.size == nil &&
		s.drip == nil && s.abort == nil && s.after == nil && s.retryAfter == nil
}

// Over returns s, completed from base, the server's own setting: with the parameters that s does not have, and with
// base's alternatives for the rest of the weights.
func (s Spec) Over(base Spec) Spec {
	if s.IsZero() {
		return base
	}
	return Spec{
		delay:      s.delay.over(base.delay),
		work:       s.work.over(base.work),
		status:     s.status.over(base.status),
		size:       s.size.over(base.size),
		drip:       s.drip.over(base.drip),
		abort:      s.abort.over(base.abort),
		after:      s.after.over(base.after),
		retryAfter: s.retryAfter.over(base.retryAfter),
		dripAfter:  s.dripAfter,
	}
}

// Draw returns a plan from s, and from defaults for the parameters that s does not have. The same state of r gives the
// same plan. If nothing in s is random, r is not used and may be nil.
func (s Spec) Draw(r *rand.Rand, defaults Plan) Plan {
	if s.IsZero() {
		return defaults // nearly every request
	}
	plan := Plan{
		Delay:      s.delay.draw(r, fixed(defaults.Delay)).draw(r),
		Work:       s.work.draw(r, defaults.Work),
		Status:     s.status.draw(r, defaults.Status),
		Size:       s.size.draw(r, defaults.Size),
		Drip:       s.drip.draw(r, defaults.Drip),
		DripAfter:  s.dripAfter,
		Abort:      s.abort.draw(r, defaults.Abort),
		RetryAfter: s.retryAfter.draw(r, defaults.RetryAfter),
	}
	if plan.Abort != None {
		plan.Drip, plan.DripAfter = 0, 0 // and the delay belongs to the work
	}
	if after := s.after.draw(r, -1); after >= 0 && (plan.Abort == Reset || plan.Abort == Close) {
		plan.Cut, plan.After = true, after
	}
	if bodiless(plan.Status) {
		plan.Size, plan.Drip, plan.DripAfter = 0, 0, 0
		plan.Cut, plan.After = false, 0 // there is no body to cut off
	}
	return plan
}

// bodiless reports whether replies with this status never have a body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5).
func bodiless(status int) bool { return status == 204 || status == 205 || status == 304 }

// String returns s in the grammar, such as "delay=300ms&status=503:10". Parsing it, as a query or a setting, gives an
// equal Spec.
func (s Spec) String() string {
	var b []byte
	b = s.delay.appendTo(b, "delay", delay.String)
	b = s.work.appendTo(b, "work", func(kind string) string { return kind })
	b = s.status.appendTo(b, "status", strconv.Itoa)
	b = s.size.appendTo(b, "size", units.FormatSize)
	b = s.drip.appendTo(b, "drip", strconv.Itoa)
	b = s.abort.appendTo(b, "abort", Abort.String)
	b = s.after.appendTo(b, "after", units.FormatSize)
	b = s.retryAfter.appendTo(b, "retry_after", strconv.Itoa)
	return string(b)
}

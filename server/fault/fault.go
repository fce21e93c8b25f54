// Package fault decides what one request gets other than what the server usually does: another delay, another status or
// body, a broken connection. A request asks for it in its query, the server's owner in a setting, both in one grammar:
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
// A weight is a percentage with at most six decimals. What is left of the 100 takes the server's own setting. A value
// that is not understood, or is above what Caps allow, is an error and never clamped.
//
// Package fault reads and draws, and no more: it must not know a request, a connection, or how a plan is carried out.
package fault

import (
	"math/rand/v2"
	"strconv"
	"time"

	"demo-server/units"
)

// Caps bound what may be asked for.
type Caps struct {
	MaxDelay time.Duration // the longest delay, drawn ones too
	MaxSize  int64         // the longest body, in bytes
	Kinds    []string      // the names of work
}

// A Plan is what one request gets.
type Plan struct {
	Delay      time.Duration
	Work       string        // a kind of work, "" for the server's own
	Status     int           // 0 for the usual
	Size       int64         // of the body in bytes, -1 for the usual body
	Drip       int           // the body goes out in so many pieces over the delay, none of them empty; 0 for whole
	DripAfter  time.Duration // the part of the delay before the first piece
	Abort      Abort         // instead of the reply, after the delay
	Cut        bool          // Reset or Close cuts the reply off in its body
	After      int64         // where: bytes of the body that are sent before it
	RetryAfter int           // seconds, 0 for none
}

// An Abort is how a connection ends instead of a reply.
type Abort uint8

// What may become of a reply.
const (
	None  Abort = iota // it is sent
	Reset              // the connection is reset (RST)
	Close              // the connection is closed (FIN)
	Hang               // nothing is sent until the client leaves
)

var aborts = [...]string{None: "none", Reset: "reset", Close: "close", Hang: "hang"}

// String is the abort's name, as in abort=reset.
func (a Abort) String() string { return aborts[a] }

// A Spec is what a request, or a setting, asks for. The zero Spec asks for nothing. It shares no memory with the text
// that it was read from, and may be drawn from by many goroutines at the same time.
type Spec struct {
	delay      weighted[delay]
	work       weighted[string]
	status     weighted[int]
	size       weighted[int64]
	drip       weighted[int]
	abort      weighted[Abort]
	after      weighted[int64]
	retryAfter weighted[int]

	dripAfter time.Duration // only /drip asks for it: the grammar has no word for it
}

// IsZero reports whether s asks for nothing.
func (s Spec) IsZero() bool {
	return s.delay == nil && s.work == nil && s.status == nil && s.size == nil &&
		s.drip == nil && s.abort == nil && s.after == nil && s.retryAfter == nil
}

// Over returns s with what it leaves open taken from base, which is the server's own setting: parameters that s does
// not have, and what is left of the weights of those that it has.
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

// Draw decides what one request gets: what s asks for, and usual where it asks for nothing. The same state of r gives
// the same plan; r is not used, and may be nil, where s leaves nothing to chance.
func (s Spec) Draw(r *rand.Rand, usual Plan) Plan {
	if s.IsZero() {
		return usual // nearly every request
	}
	plan := Plan{
		Delay:      s.delay.draw(r, fixed(usual.Delay)).draw(r),
		Work:       s.work.draw(r, usual.Work),
		Status:     s.status.draw(r, usual.Status),
		Size:       s.size.draw(r, usual.Size),
		Drip:       s.drip.draw(r, usual.Drip),
		DripAfter:  s.dripAfter,
		Abort:      s.abort.draw(r, usual.Abort),
		RetryAfter: s.retryAfter.draw(r, usual.RetryAfter),
	}
	if plan.Abort != None {
		plan.Drip, plan.DripAfter = 0, 0 // and the delay is the work's
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

// bodiless reports whether a reply of this status has no body, whatever else is asked for (RFC 9110, sections 15.3.5,
// 15.3.6 and 15.4.5).
func bodiless(status int) bool { return status == 204 || status == 205 || status == 304 }

// String is s in the grammar, such as "delay=300ms&status=503:10". It reads back as the same Spec, as a query and as a
// setting.
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

// Package work holds what blocks: one file for each kind of work that a request can wait for.
//
// A kind says what it holds while it waits, and how to do that for a given time; it must not know which mode runs it,
// nor anything of HTTP.
package work

import (
	"context"
	"time"
)

// A Resource is what a piece of work holds while it waits. A mode reads it to decide where the work may run.
type Resource string

// What work may hold.
const (
	// Nothing is held: the work is a timer, and whoever runs it may wait in a way of its own for the delay instead of
	// calling Work.Do.
	Nothing Resource = "nothing"
	Socket  Resource = "socket" // it waits for an answer, and a goroutine that waits with it costs no thread
	Slot    Resource = "slot"   // it waits for others, or has one of few places: a goroutine waits, as with a socket
	Thread  Resource = "thread" // it sits in the kernel, with the thread that it came on
	Core    Resource = "core"   // it computes
)

// Work is what a request blocks on.
type Work interface {
	// Do blocks for delay, which is how long the work takes when nothing is in its way, and returns nil; or until ctx is
	// done, and returns ctx.Err() at once. A delay of 0 is no work at all. It may be called from many goroutines at the
	// same time. It must not keep ctx after it returned: ctx is used again.
	Do(ctx context.Context, delay time.Duration) error
	// Holds is what Do holds while it waits.
	Holds() Resource
}

// A Dependent is work that something else has to answer.
type Dependent interface {
	Work
	// Check asks what the work depends on whether it would answer. The error is one line for a person, which says what
	// did not answer and where. ctx has a deadline.
	Check(ctx context.Context) error
}

// Pooled is work that shares something of which there is only so much.
type Pooled interface {
	Work
	Pool() PoolStats
}

// A PoolStats is the state of what there is only so much of.
type PoolStats struct {
	Name                 string // of the kind of work, as in --work
	Size, InUse, Waiting int
}

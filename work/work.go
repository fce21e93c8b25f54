// Package work holds the kinds of blocking work, one file each.
//
// A kind knows which resource it holds while it waits, and how to wait for a given time. It must not know which mode
// runs it, or HTTP.
package work

import (
	"context"
	"time"
)

// A Resource is a thing that work holds while it waits. A mode reads it to decide where the work may run.
type Resource string

// The resources.
const (
	// Nothing is held: the work is a timer. Instead of calling Work.Do, a mode may wait for the delay in its own way.
	Nothing Resource = "nothing"
	Socket  Resource = "socket" // it waits for an answer; a waiting goroutine holds no thread
	Slot    Resource = "slot"   // it waits for a place; a goroutine waits as with a socket
	Thread  Resource = "thread" // it sits in the kernel and keeps its thread
	Core    Resource = "core"   // it computes
)

// Work is the blocking part of a request.
type Work interface {
	// Do blocks for delay and returns nil, or until ctx is done and returns ctx.Err(). It may take longer than delay if
	// it has to wait for a resource. With a delay of 0 it does nothing. It is safe for concurrent use. It must not keep
	// ctx after it has returned, because ctx is reused.
	Do(ctx context.Context, delay time.Duration) error
	// Holds returns the resource that Do holds while it waits.
	Holds() Resource
}

// A Dependent is work that needs an answer from something else.
type Dependent interface {
	Work
	// Check asks the dependency whether it would answer. The error is one line for people, with the dependency's
	// address and the problem. ctx has a deadline.
	Check(ctx context.Context) error
}

// A Pooled is work that shares a limited resource.
type Pooled interface {
	Work
	Pool() PoolStats
}

// A PoolStats is the state of a limited resource.
type PoolStats struct {
	Name                 string // of the kind of work, as in --work
	Size, InUse, Waiting int
}

package prefork

import "time"

// An Event is something that happened.
type Event struct {
	What   What
	Worker Worker        // of all but Settled
	Err    error         // of Died, Lost and Rejected: why
	Pause  time.Duration // of Died: until it is replaced
}

// A What is the kind of an Event.
type What int

// What happens.
const (
	Started  What = iota // a worker, which is not ready yet
	Served               // a worker is ready
	Retired              // a worker was told to drain
	Drained              // a worker has drained, and answers on its admin socket until Observe returns
	Ended                // a worker, as it was told to
	Died                 // a worker that nobody told to end; another takes its place
	Lost                 // a worker that had not drained yet
	Rejected             // a plan: its first worker could not live, and the plan before it is in force again
	Settled              // everything is as planned again
)

package prefork

import "time"

// An Event is something that happened.
type Event struct {
	Type   EventType
	Worker Worker        // of all but Settled
	Err    error         // of Died, Lost and Rejected: why
	Pause  time.Duration // of Died: until it is replaced
}

// A EventType is the kind of an Event.
type EventType int

// What happens.
const (
	Started        EventType = iota // a worker, which is not ready yet
	WorkerReady                     // a worker is ready
	WorkerDraining                  // a worker was told to drain
	WorkerDrained                   // a worker has drained, and answers on its admin socket until Observe returns
	Exited                          // a worker, as it was told to
	Crashed                         // a worker that nobody told to end; another takes its place
	DiedDraining                    // a worker that had not drained yet
	ReloadRejected                  // a plan: its first worker could not live, and the plan before it is in force again
	ReloadDone                      // everything is as planned again
)

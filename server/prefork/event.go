package prefork

import "time"

// An Event reports a change.
type Event struct {
	Type   EventType
	Worker Worker        // for all types but ReloadDone
	Err    error         // of Crashed, DiedDraining and ReloadRejected: the reason
	Pause  time.Duration // of Crashed: until the worker is replaced
}

// An EventType is the type of an Event.
type EventType int

// The types of events.
const (
	Started        EventType = iota // a worker was started, and is not ready yet
	WorkerReady                     // a worker is ready
	WorkerDraining                  // a worker was told to drain
	WorkerDrained                   // a worker has drained, and answers on its admin socket until Observe returns
	Exited                          // a worker exited as it was told to
	Crashed                         // a worker died while it was to serve; another one replaces it
	DiedDraining                    // a worker died before it had drained
	ReloadRejected                  // the first worker of a new plan failed, and the previous plan is in force again
	ReloadDone                      // everything is as planned again
)

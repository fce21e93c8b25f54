// Package http1 implements HTTP/1.x without a server library: connection states and timeouts, heads, bodies and
// replies.
//
// It must not know how connections are read, written or scheduled: package transport does so on goroutines, package
// eventloop on event loops.
package http1

import "time"

// A ConnState is the state of a connection.
//
//	New ──► Head ──► Body ──► Handling ──► Writing ──► Idle ──► Lingering
//	         ▲                 │  ▲           │         │
//	         │      abort=hang │  └───────────┘         │
//	         │                 ▼    pause of a drip     │
//	         │              Hanging                     │
//	         └──────────────────────────────────────────┘ next request
//
// A connection may close in any state. On event loops a request without a body skips Body, and a reply that the socket
// takes at once skips Writing. After a 100 Continue, Writing returns to the state before it. Timeouts.Expired judges by
// the state and its Stamp.
type ConnState int64

const (
	StateNew       ConnState = iota // accepted, no byte read; since the accept
	StateHead                       // reading a head; since its first byte
	StateBody                       // reading a body; since the last progress
	StateHandling                   // the job has the request; nothing times out
	StateWriting                    // writing the reply; since the last progress
	StateIdle                       // between requests; since the last reply
	StateLingering                  // event loops only: the reply is out, the client may still send; since the reply
	StateHanging                    // the reply never comes: input is dropped, and nothing times out
)

// A Stamp holds a ConnState and its time in one word, to store both at once.
type Stamp int64

const stateBits = 3

// NewStamp returns the stamp of a connection that is in a state since a time of its App.
func NewStamp(state ConnState, since time.Duration) Stamp {
	return Stamp(int64(since)<<stateBits | int64(state))
}

// State returns the state.
func (s Stamp) State() ConnState { return ConnState(s & (1<<stateBits - 1)) }

// Since returns the App's time of the state's beginning, or of its last progress.
func (s Stamp) Since() time.Duration { return time.Duration(s >> stateBits) }

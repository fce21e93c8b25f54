// Package http1 is HTTP/1.x without a server library: connection states and timeouts, heads, bodies and replies.
package http1

import "time"

// A ConnState is what a connection is at. The sweeper reads it with the stamp of when it began, or last made progress.
type ConnState int64

const (
	StateNew       ConnState = iota // accepted, no byte read; the stamp is the accept
	StateHead                       // reading a request's headers; the stamp is its first byte
	StateBody                       // reading a body; the stamp is the last progress
	StateHandling                   // the request is the job's; nothing times out; the stamp is when that began
	StateWriting                    // writing the reply; the stamp is the last progress
	StateIdle                       // between requests; the stamp is the last reply
	StateLingering                  // of an event loop: the reply is out and the client may still be sending; the stamp is the reply
	StateHanging                    // the reply never comes: what the client sends is dropped, and nothing times out
)

// A Stamp is a ConnState, and the time since when a connection is in it, in one word: a single store sets both.
type Stamp int64

const stateBits = 3

// NewStamp returns the stamp of a connection that is in a state since that time of its App.
func NewStamp(state ConnState, since time.Duration) Stamp {
	return Stamp(int64(since)<<stateBits | int64(state))
}

// State returns the state.
func (s Stamp) State() ConnState { return ConnState(s & (1<<stateBits - 1)) }

// Since returns the time.
func (s Stamp) Since() time.Duration { return time.Duration(s >> stateBits) }

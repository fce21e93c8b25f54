package transport

import "time"

// A phase is what a connection is at. The sweeper reads it with the stamp of when it began, or last made progress.
type phase int64

const (
	phaseFresh     phase = iota // accepted, no byte read; the stamp is the accept
	phaseHeader                 // reading a request's headers; the stamp is its first byte
	phaseBody                   // reading a body; the stamp is the last progress
	phaseWorking                // the request is the job's; nothing times out; the stamp is when that began
	phaseWriting                // writing the reply; the stamp is the last progress
	phaseIdle                   // between requests; the stamp is the last reply
	phaseLingering              // of an event loop: the reply is out and the client may still be sending; the stamp is the reply
	phaseHanging                // the reply never comes: what the client sends is dropped, and nothing times out
)

const (
	phaseBits = 3
	phaseMask = 1<<phaseBits - 1
)

func stampOf(p phase, since time.Duration) int64 { return int64(since)<<phaseBits | int64(p) }

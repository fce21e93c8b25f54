package load

import "time"

// A Class is what became of a request.
type Class uint8

// The classes.
const (
	Answered   Class = iota // 2xx with the right body
	Refused                 // 503 or 429: the server's word that it is too much
	Connect                 // failed: no connection
	Timeout                 // failed: no reply in time
	Broken                  // failed: the connection ended before the reply did, it was no HTTP, or its body was longer than maxReply
	Status                  // failed: another status
	Body                    // failed: 2xx with another body
	Unfinished              // still waiting when the measuring ended
)

// A Request is what a client saw of one request. Its times are since the load began.
type Request struct {
	Sent   time.Duration // before the client connected; in the open loop when it was due, so that no delay is left out
	Late   time.Duration // how long after Sent it was really sent, which is 0 or more
	Ended  time.Duration // when the reply was complete, the request failed, or the measuring ended
	Queued int32         // microseconds in the server's queue, by its Server-Timing; -1 where it does not say
	Worked int32         // the same, at work
	Class  Class
}

// Latency is how long the client waited.
func (r Request) Latency() time.Duration { return r.Ended - r.Sent }

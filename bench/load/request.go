package load

import "time"

// A Class is the result of a request.
type Class uint8

// The classes of requests.
const (
	Answered   Class = iota // 2xx with the right body
	Refused                 // 503 or 429: overload
	Connect                 // failed: no connection
	Timeout                 // failed: no reply in time
	Broken                  // failed: the connection ended before the reply, or the reply was not HTTP or above maxReply
	Status                  // failed: another status
	Body                    // failed: 2xx with another body
	Unfinished              // still waiting at the end of the measurement
)

// A Request is a client's record of one request. Times count from the beginning of the load.
type Request struct {
	Sent   time.Duration // before connecting; in the open loop when it was due, which includes all delay
	Late   time.Duration // delay of sending after Sent, 0 or more
	Ended  time.Duration // end of the reply, of a failed request, or of the measurement
	Queued int32         // microseconds in the server's queue, from Server-Timing; -1 if unknown
	Worked int32         // microseconds at work, likewise
	Class  Class
}

// Latency returns how long the client waited.
func (r Request) Latency() time.Duration { return r.Ended - r.Sent }

package modes

import (
	"time"

	"demo-server/server/admission"
)

// A Limit is the number of requests that a mode has at work at a time, and the treatment of further ones.
type Limit struct {
	N        int    // 0 for no limit
	Unit     string // such as "worker"; "" if the mode serves one request at a time by nature
	Setting  string // the setting that N comes from; "" for none
	Overflow Overflow
}

// An Overflow is what happens to requests beyond a Limit.
type Overflow string

// The kinds of overflow.
const (
	Admit       Overflow = "none"         // there is no limit
	Queue       Overflow = "queue"        // they wait in the App's queue for one of the N places
	Refuse      Overflow = "refuse"       // the App answers 503
	AcceptQueue Overflow = "accept-queue" // they wait in the kernel, not read or not accepted
)

// Queue returns the configuration of the limit's admission queue, with room for length waiting requests, each for at
// most timeout. ok is false if the limit needs no queue.
func (l Limit) Queue(length int, timeout time.Duration) (queue admission.Limits, ok bool) {
	switch l.Overflow {
	case Queue:
		return admission.Limits{Places: l.N, Length: length, Timeout: timeout}, true
	case Refuse:
		return admission.Limits{Places: l.N}, true
	}
	return admission.Limits{}, false
}

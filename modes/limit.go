package modes

import (
	"time"

	"demo-server/server/admission"
)

// A Limit is how many requests a mode has at work at a time, and what happens to the others.
type Limit struct {
	N        int    // 0 for no limit
	Unit     string // of which there are N, such as "worker"; "" if the mode serves one request at a time by nature
	Setting  string // the setting that N comes from; "" for none
	Overflow Overflow
}

// An Overflow is what happens to requests beyond a Limit.
type Overflow string

// The kinds of overflow.
const (
	Admit       Overflow = "none"    // there is no limit
	Queue       Overflow = "queued"  // they wait in the App's queue for one of the N places
	Refuse      Overflow = "refused" // the App answers 503
	AcceptQueue Overflow = "unread"  // they wait in the kernel: the mode does not read them, or not accept their connections
)

// Queue returns the admission queue that the limit asks for, with room for length waiting requests, each for at most
// timeout. ok is false if the limit needs no queue.
func (l Limit) Queue(length int, timeout time.Duration) (queue admission.Limits, ok bool) {
	switch l.Overflow {
	case Queue:
		return admission.Limits{Places: l.N, Length: length, Timeout: timeout}, true
	case Refuse:
		return admission.Limits{Places: l.N}, true
	}
	return admission.Limits{}, false
}

// Package admission decides who may work now, who waits, and who is refused: one queue in front of a limited number of
// places.
//
// It needs no goroutine to wait: a ticket's owner is called when its turn comes, so that an event loop can queue as
// well as a goroutine can. It must not know what a job or a request is.
package admission

import (
	"errors"
	"sync"
	"time"
)

// ErrFull is returned by Enter when every place is taken and the queue is as long as it may be.
var ErrFull = errors.New("queue full")

// An Owner is told what became of its ticket: exactly one of the two is called, once, and never under the queue's lock.
type Owner interface {
	// Start is called when the ticket has a place, in Enter or in another ticket's Release. It must not block.
	Start()
	// TimedOut is called when the ticket waited longer than Limits.Timeout.
	TimedOut()
}

// Limits bound a Queue.
type Limits struct {
	Places  int           // how many may work at the same time, at least 1
	Length  int           // how many may wait, 0 for none
	Timeout time.Duration // how long one may wait, 0 for ever
}

// A Ticket is one owner's place in line. Embed it in what waits: a queue allocates nothing per ticket. It may be used
// again once its owner was told, or Remove took it out, and its place was released.
type Ticket struct {
	Owner      Owner
	next, prev *Ticket
	deadline   time.Duration // since the queue was made
	waiting    bool
}

// A Queue is a first-in, first-out line in front of a number of places. Create it with New.
type Queue struct {
	limits Limits
	start  time.Time

	mu    sync.Mutex
	taken int    // places in use
	head  Ticket // sentinel of a ring: head.next waits longest
	len   int
	timer *time.Timer
	armed bool // the timer is set
	done  bool // Close was called
}

// New returns an empty queue. It starts no goroutine; Close ends its timer.
func New(limits Limits) *Queue {
	q := &Queue{limits: limits, start: time.Now()}
	q.head.next, q.head.prev = &q.head, &q.head
	return q
}

// Limits returns what New was given.
func (q *Queue) Limits() Limits { return q.limits }

// Len is the queue depth: how many tickets wait now.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.len
}

// Enter gives t a place at once, and calls its owner's Start before it returns; or puts t at the end of the line; or
// returns ErrFull, and the owner is not called.
func (q *Queue) Enter(t *Ticket) error {
	q.mu.Lock()
	if q.taken < q.limits.Places {
		q.taken++
		q.mu.Unlock()
		t.Owner.Start()
		return nil
	}
	defer q.mu.Unlock()
	if q.len >= q.limits.Length {
		return ErrFull
	}
	q.push(t)
	if !q.armed {
		q.arm()
	}
	return nil
}

// Remove takes a waiting ticket out of the line and reports whether it did: false means that the owner was told
// otherwise, or is being told.
func (q *Queue) Remove(t *Ticket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !t.waiting {
		return false
	}
	q.unlink(t)
	return true
}

// Release gives a place back, and with it starts the ticket that waits longest. It is called once for each Start.
func (q *Queue) Release() {
	q.mu.Lock()
	if q.len == 0 {
		q.taken--
		q.mu.Unlock()
		return
	}
	t := q.head.next
	q.unlink(t)
	q.mu.Unlock()
	t.Owner.Start()
}

// Close stops the timer. Tickets that wait still start as places become free, but no longer time out.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.timer != nil {
		q.timer.Stop()
	}
	q.done = true
}

func (q *Queue) push(t *Ticket) {
	if q.limits.Timeout > 0 {
		t.deadline = time.Since(q.start) + q.limits.Timeout
	}
	last := q.head.prev
	t.prev, t.next = last, &q.head
	last.next, q.head.prev = t, t
	t.waiting = true
	q.len++
}

func (q *Queue) unlink(t *Ticket) {
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev, t.waiting = nil, nil, false
	q.len--
}

// arm sets the timer for the ticket that waits longest. One timer is enough, because all wait equally long at most:
// the head is always the next to time out.
func (q *Queue) arm() {
	q.armed = q.limits.Timeout > 0 && q.len > 0 && !q.done
	if !q.armed {
		return
	}
	wait := q.head.next.deadline - time.Since(q.start)
	if q.timer == nil {
		q.timer = time.AfterFunc(wait, q.expire)
		return
	}
	q.timer.Reset(wait)
}

func (q *Queue) expire() {
	var late []*Ticket
	q.mu.Lock()
	now := time.Since(q.start)
	for q.len > 0 && q.head.next.deadline <= now {
		late = append(late, q.head.next)
		q.unlink(q.head.next)
	}
	q.arm()
	q.mu.Unlock()
	for _, t := range late {
		t.Owner.TimedOut()
	}
}

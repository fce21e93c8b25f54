// Package admission limits concurrent work: one queue in front of a number of places decides who starts, waits, or is
// refused.
//
// Waiting needs no goroutine: the queue calls a ticket's owner when its turn comes, and event loops can use it too. It
// must not know jobs or requests.
package admission

import (
	"errors"
	"sync"
	"time"
)

// ErrFull means that all places are taken and the queue is full.
var ErrFull = errors.New("queue full")

// An Owner learns the result for its ticket. The queue calls exactly one of the methods, once, without holding its
// lock.
type Owner interface {
	// Start is called when the ticket gets a place, during Enter or another ticket's Release. It must not block.
	Start()
	// TimedOut is called when the ticket has waited for Limits.Timeout.
	TimedOut()
}

// Limits configure a Queue.
type Limits struct {
	Places  int           // how many owners may work at the same time, at least 1
	Length  int           // how many tickets may wait; 0 for none
	Timeout time.Duration // how long a ticket may wait; 0 for ever
}

// A Ticket is an owner's position in the queue. Embed it in the owner: then a queue allocates nothing. It may be used
// again after its owner was called or Remove has removed it, and its place was released.
type Ticket struct {
	Owner      Owner
	next, prev *Ticket
	deadline   time.Duration // since the queue was made
	waiting    bool
}

// A Queue is a FIFO queue in front of a number of places. Create it with New. Its methods may be called from any
// goroutine.
type Queue struct {
	limits Limits
	start  time.Time

	mu    sync.Mutex
	taken int    // places in use
	head  Ticket // sentinel of a ring; head.next has waited longest
	len   int
	timer *time.Timer
	armed bool // the timer is set
	done  bool // Close was called
}

// New returns an empty queue. It starts no goroutine. Close stops its timer.
func New(limits Limits) *Queue {
	q := &Queue{limits: limits, start: time.Now()}
	q.head.next, q.head.prev = &q.head, &q.head
	return q
}

// Limits returns the argument of New.
func (q *Queue) Limits() Limits { return q.limits }

// Len returns the number of waiting tickets.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.len
}

// Enter gives t a place and calls its owner's Start, or puts t at the end of the queue. If it returns ErrFull, the
// owner is not called.
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

// Remove removes a waiting ticket. It returns false if the owner was already called, or is being called.
func (q *Queue) Remove(t *Ticket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !t.waiting {
		return false
	}
	q.unlink(t)
	return true
}

// Release frees a place, and starts the ticket that has waited longest. Call it once for each Start.
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

// Close stops the timer. Waiting tickets still start as places become free, but no longer time out.
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

// arm sets the timer for the first ticket. One timer is enough, because the timeout is the same for all.
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

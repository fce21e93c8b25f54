package eventloop

import (
	"container/heap"
	"time"
)

// timers are what an event loop's sessions wait for. Requests that wait equally long fall due in the order in which they
// came, so that most entries just join the end of a line; only one that is due before the last in line goes to a heap.
//
// An entry is the session itself: to wait costs no memory beside it. A timers belongs to its loop's goroutine.
type timers struct {
	first, last *conn   // the line, by session.next and session.prev
	early       dueHeap // those that were due before the last in line when they came
}

// add makes s due at that stamp. It must not be waiting.
func (t *timers) add(c *conn, due time.Duration) {
	c.due = due
	if t.last != nil && due < t.last.due {
		heap.Push(&t.early, c)
		return
	}
	c.place, c.prev = inLine, t.last
	if t.last == nil {
		t.first = c
	} else {
		t.last.next = c
	}
	t.last = c
}

// next is the one that is due first, or nil when none waits.
func (t *timers) next() *conn {
	switch {
	case len(t.early) == 0:
		return t.first
	case t.first == nil || t.early[0].due < t.first.due:
		return t.early[0]
	}
	return t.first
}

// remove takes s out and reports whether it was waiting.
func (t *timers) remove(c *conn) bool {
	switch c.place {
	case notWaiting:
		return false
	case inLine:
		t.unlink(c)
	default:
		heap.Remove(&t.early, int(c.place))
	}
	c.place = notWaiting
	return true
}

func (t *timers) unlink(c *conn) {
	if c.prev == nil {
		t.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		t.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.next, c.prev = nil, nil
}

// Where a session waits, unless that is its index in the heap.
const (
	notWaiting int32 = -2
	inLine     int32 = -1
)

// dueHeap is a heap by session.due that lets each session know its index.
type dueHeap []*conn

func (e dueHeap) Len() int           { return len(e) }
func (e dueHeap) Less(i, j int) bool { return e[i].due < e[j].due }

func (e dueHeap) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].place, e[j].place = int32(i), int32(j)
}

func (e *dueHeap) Push(s any) {
	s.(*conn).place = int32(len(*e))
	*e = append(*e, s.(*conn))
}

func (e *dueHeap) Pop() any {
	last := len(*e) - 1
	c := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return c
}

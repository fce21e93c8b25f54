package eventloop

import (
	"container/heap"
	"time"
)

// A timers holds the conns that wait for a time. Requests with equal delays are due in the order in which they came, so
// most conns join the end of a list. A conn that is due before the last one in the list goes to a heap.
//
// Entries are the conns themselves and cost no extra memory. The loop's goroutine owns it.
type timers struct {
	first, last *conn   // the list, linked by conn.next and conn.prev
	early       dueHeap // the heap
}

// add makes c due at a stamp. It must not be waiting.
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

// next returns the conn that is due first, or nil.
func (t *timers) next() *conn {
	switch {
	case len(t.early) == 0:
		return t.first
	case t.first == nil || t.early[0].due < t.first.due:
		return t.early[0]
	}
	return t.first
}

// remove removes c, and reports whether it was waiting.
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

// Values of conn.place other than an index in the heap.
const (
	notWaiting int32 = -2
	inLine     int32 = -1
)

// A dueHeap is a heap by conn.due that stores each conn's index in conn.place.
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

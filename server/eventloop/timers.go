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
	first, last *session // the line, by session.next and session.prev
	early       earlier  // those that were due before the last in line when they came
}

// add makes s due at that stamp. It must not be waiting.
func (t *timers) add(s *session, due time.Duration) {
	s.due = due
	if t.last != nil && due < t.last.due {
		heap.Push(&t.early, s)
		return
	}
	s.place, s.prev = inLine, t.last
	if t.last == nil {
		t.first = s
	} else {
		t.last.next = s
	}
	t.last = s
}

// next is the one that is due first, or nil when none waits.
func (t *timers) next() *session {
	switch {
	case len(t.early) == 0:
		return t.first
	case t.first == nil || t.early[0].due < t.first.due:
		return t.early[0]
	}
	return t.first
}

// remove takes s out and reports whether it was waiting.
func (t *timers) remove(s *session) bool {
	switch s.place {
	case notWaiting:
		return false
	case inLine:
		t.unlink(s)
	default:
		heap.Remove(&t.early, int(s.place))
	}
	s.place = notWaiting
	return true
}

func (t *timers) unlink(s *session) {
	if s.prev == nil {
		t.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		t.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.next, s.prev = nil, nil
}

// Where a session waits, unless that is its index in the heap.
const (
	notWaiting int32 = -2
	inLine     int32 = -1
)

// earlier is a heap by session.due that lets each session know its index.
type earlier []*session

func (e earlier) Len() int           { return len(e) }
func (e earlier) Less(i, j int) bool { return e[i].due < e[j].due }

func (e earlier) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].place, e[j].place = int32(i), int32(j)
}

func (e *earlier) Push(s any) {
	s.(*session).place = int32(len(*e))
	*e = append(*e, s.(*session))
}

func (e *earlier) Pop() any {
	last := len(*e) - 1
	s := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return s
}

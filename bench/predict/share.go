package predict

import (
	"container/heap"
	"math"
	"time"

	"demo-server/bench/load"
)

// share passes the fate of each request to yield if requests share the server's cores, and then the unfinished
// requests. It simulates the processor sharing of Kleinrock (1967), from one event to the next.
//
// Throughput is the same as with a queue in front of the cores, which are as busy: cores / delay requests end in a
// second. Latency differs. If 100 requests share 2 cores, none ends after one delay, but all end after 50. A server
// that lets many requests work may not have answered any when a server with a queue has answered half.
func share(s Server, l Load, yield func(load.Request)) {
	w := sharing{Server: s, load: l, yield: yield, clients: make(times, l.Clients)}
	for {
		at, happen := w.next()
		if happen == nil || l.Duration > 0 && at > l.Duration {
			break
		}
		w.now = at
		happen()
	}
	for _, job := range append(w.running, w.waiting...) {
		yield(load.Request{Sent: job.due, Ended: l.Duration, Queued: -1, Worked: -1, Class: load.Unfinished})
	}
}

// A sharing is a server with shared cores and its clients at a point in time.
type sharing struct {
	Server
	load    Load
	yield   func(load.Request)
	clients times // when each client that does not wait for a reply is free

	now     time.Duration
	sent    int
	running []job // in order of start and end: all are equally long and equally fast
	waiting []job // for a place, in order

	changed time.Duration // when the number of requests at work last changed
	served  time.Duration // CPU time, until changed, of a request at work since the beginning
}

// A job is a request that has not ended.
type job struct {
	due, sent, start time.Duration
	end              time.Duration // the value of served at its end
}

// never is later than any event.
const never = time.Duration(math.MaxInt64)

// next returns the next event and its time, or nil if there is none. At the same time an end comes first, because it
// frees a place.
func (s *sharing) next() (at time.Duration, happen func()) {
	at = never
	for _, event := range []struct {
		at     time.Duration
		happen func()
	}{{s.nextEnd(), s.end}, {s.nextExpiry(), s.expire}, {s.nextArrival(), s.arrive}} {
		if event.at < at {
			at, happen = event.at, event.happen
		}
	}
	return at, happen
}

// crowd returns the number of requests at work and of the cores that they share. It returns at least as many requests
// as cores, because a request cannot use two.
func (s *sharing) crowd() (requests, cores time.Duration) {
	return time.Duration(max(len(s.running), s.Cores)), time.Duration(s.Cores)
}

// settle updates served before the number of requests at work changes.
func (s *sharing) settle() {
	requests, cores := s.crowd()
	s.served += (s.now - s.changed) * cores / requests
	s.changed = s.now
}

func (s *sharing) nextEnd() time.Duration {
	if len(s.running) == 0 {
		return never
	}
	requests, cores := s.crowd()
	left := s.running[0].end - s.served
	return max(s.now, s.changed+(left*requests+cores-1)/cores) // rounded up, to give the request all of its time
}

func (s *sharing) end() {
	s.settle()
	job := s.running[0]
	s.running = s.running[1:]
	s.leave(load.Request{
		Sent: job.due, Ended: s.now, Queued: micros(job.start - job.sent), Worked: micros(s.now - job.start),
	})
	if len(s.waiting) > 0 {
		s.start(s.waiting[0])
		s.waiting = s.waiting[1:]
	}
}

func (s *sharing) start(j job) {
	s.settle()
	j.start, j.end = s.now, s.served+s.Delay
	s.running = append(s.running, j)
}

// leave records the fate of a request and frees its client.
func (s *sharing) leave(r load.Request) {
	if s.load.Duration > 0 && r.Ended > s.load.Duration {
		r.Class, r.Ended, r.Queued, r.Worked = load.Unfinished, s.load.Duration, -1, -1
	}
	heap.Push(&s.clients, r.Ended)
	s.yield(r)
}

func (s *sharing) nextExpiry() time.Duration {
	if s.QueueTimeout == 0 || len(s.waiting) == 0 {
		return never
	}
	return s.waiting[0].sent + s.QueueTimeout
}

func (s *sharing) expire() {
	job := s.waiting[0]
	s.waiting = s.waiting[1:]
	s.leave(load.Request{Sent: job.due, Ended: s.now, Queued: micros(s.QueueTimeout), Class: load.Refused})
}

func (s *sharing) nextArrival() time.Duration {
	if len(s.clients) == 0 || s.sent >= most || s.load.Requests > 0 && s.sent >= s.load.Requests {
		return never
	}
	sent := max(s.load.due(s.sent, s.clients[0]), s.clients[0])
	if s.load.Duration > 0 && sent >= s.load.Duration {
		return never
	}
	return sent
}

func (s *sharing) arrive() {
	job := job{due: s.load.due(s.sent, s.clients[0]), sent: s.now}
	s.sent++
	heap.Pop(&s.clients)
	switch {
	case s.Places == 0 || len(s.running) < s.Places:
		s.start(job)
	case s.Queue < 0 || len(s.waiting) < s.Queue:
		s.waiting = append(s.waiting, job)
	default:
		s.leave(load.Request{Sent: job.due, Ended: s.now + s.Refusal, Class: load.Refused})
	}
}

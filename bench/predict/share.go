package predict

import (
	"container/heap"
	"math"
	"time"

	"demo-server/bench/load"
)

// share yields what becomes of each request of a server whose requests share its cores, and then what is given up: the
// processor sharing of Kleinrock (1967), from one event to the next.
//
// For throughput that is no different from a queue in front of the cores, which are as busy: cores / delay end in a
// second. For latency it is. Of 100 requests that share 2 cores none is done after one delay, but all are after 50, so
// that a server that lets many work may not have answered anybody yet when one that lets them queue has answered half.
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

// sharing is a server with shared cores at some moment, and its clients.
type sharing struct {
	Server
	load    Load
	yield   func(load.Request)
	clients times // when each will be free that waits for no reply

	now     time.Duration
	sent    int
	running []job // in the order in which they began, and will end: all are equally long, and equally fast
	waiting []job // for a place, the first one first

	changed time.Duration // when the number of those at work did last
	served  time.Duration // CPU time that a request had until then which was at work from the beginning
}

// A job is a request that has not ended.
type job struct {
	due, sent, start time.Duration
	end              time.Duration // what served will be when it ends
}

// never is later than all that happens.
const never = time.Duration(math.MaxInt64)

// next is what happens next, and when; nil where nothing will. Of what happens at the same moment an end comes first,
// since it makes room.
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

// crowd is how many requests share how many cores: no fewer than that, since a request has no use for two.
func (s *sharing) crowd() (requests, cores time.Duration) {
	return time.Duration(max(len(s.running), s.Cores)), time.Duration(s.Cores)
}

// settle brings served up to date, before the number of requests at work changes.
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
	return max(s.now, s.changed+(left*requests+cores-1)/cores) // rounded up: not before it has had all
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

// leave has a client read its reply.
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

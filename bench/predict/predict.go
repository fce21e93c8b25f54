// Package predict computes from queueing theory how many requests a server under load answers, how long they take, and
// which it refuses.
//
// The package must not know how anything is measured. It returns requests in the form that a generator records, and the
// same code sums up predicted and measured ones.
package predict

import (
	"container/heap"
	"math"
	"time"

	"demo-server/bench/load"
)

// A Server works on each request for the same time.
//
// Two limits apply, one after the other: the server's own places, and the slots or cores of the work. If the work has
// fewer, requests keep their place while they wait inside the work, and that wait counts as work.
type Server struct {
	Places       int           // requests at work at a time; 0 for no limit
	Queue        int           // requests that may wait for a place; -1 for no limit
	QueueTimeout time.Duration // time after which a waiting request is refused; 0 for no limit
	Slots        int           // requests that the work lets in at a time, while others wait inside it; 0 for no limit
	Cores        int           // shared by all requests at work, none of which waits; 0 if the work computes nothing
	Delay        time.Duration // time to work on a request that has a slot or a core to itself
	Refusal      time.Duration // time that an immediate refusal takes, above 0
}

// A Load describes the clients.
type Load struct {
	Clients  int           // in the open loop the max requests that wait at a time
	Requests int           // number to send; 0 sends until Duration
	Duration time.Duration // time when unfinished requests are given up; 0 for no end
	Rate     float64       // requests per second of the open loop; 0 for the closed loop
}

// most is the max number of predicted requests: clients that are refused and try again at once have no end.
const most = 2_000_000

// Requests returns the fate of each request, in order of arrival.
//
// It uses the recursion of Lindley (1952), for several servers that of Kiefer and Wolfowitz (1955), with a limited
// queue and requests that may give up. All work takes the same time and the queue is first in, first out, so the
// arrival of a request determines when it starts, or that it does not. The result is exact from the first request on,
// also for short tests that begin with an empty server.
//
// If requests share cores, their fate depends on later arrivals too: see share.
func Requests(s Server, l Load) (requests []load.Request) {
	run(s, l, func(r load.Request) { requests = append(requests, r) })
	return requests
}

// run passes each request to yield, and keeps none.
func run(s Server, l Load, yield func(load.Request)) {
	if s.Cores > 0 {
		share(s, l, yield)
		return
	}
	clients := make(times, l.Clients) // when each is free
	server := state{Server: s, places: make(times, s.Places), slots: make(times, s.Slots)}
	for i := 0; i < most && (l.Requests == 0 || i < l.Requests); i++ {
		due := l.due(i, clients[0])
		sent := max(due, clients[0])
		if l.Duration > 0 && sent >= l.Duration {
			break
		}
		r := server.arrive(sent)
		r.Sent = due
		clients.replace(r.Ended)
		if l.Duration > 0 && r.Ended > l.Duration {
			r.Class, r.Ended, r.Queued, r.Worked = load.Unfinished, l.Duration, -1, -1
		}
		yield(r)
	}
}

// due returns when request i is due if the first client is free at the given time.
func (l Load) due(i int, free time.Duration) time.Duration {
	if l.Rate == 0 {
		return free
	}
	return time.Duration(math.Round(float64(i) / l.Rate * float64(time.Second)))
}

// A state is a server at a point in time.
type state struct {
	Server
	places times           // when each is free
	slots  times           // when each is free
	queue  []time.Duration // when each waiting request leaves it, in order
}

// arrive returns the fate of a request that arrives at that time, after all earlier ones.
func (s *state) arrive(at time.Duration) load.Request {
	for len(s.queue) > 0 && s.queue[0] <= at {
		s.queue = s.queue[1:]
	}
	start := at
	if s.Places > 0 {
		start = max(at, s.places[0])
	}
	waits := start > at
	switch {
	case waits && s.Queue >= 0 && len(s.queue) >= s.Queue:
		return load.Request{Ended: at + s.Refusal, Class: load.Refused}
	case s.QueueTimeout > 0 && start-at > s.QueueTimeout:
		s.queue = append(s.queue, at+s.QueueTimeout)
		return load.Request{Ended: at + s.QueueTimeout, Class: load.Refused, Queued: micros(s.QueueTimeout)}
	case waits:
		s.queue = append(s.queue, start)
	}
	end := s.work(start)
	if s.Places > 0 {
		s.places.replace(end)
	}
	return load.Request{Ended: end, Queued: micros(start - at), Worked: micros(end - start)}
}

// work returns when the work of a request ends that gets its place at start. Calls come in order of start.
func (s *state) work(start time.Duration) (end time.Duration) {
	if s.Slots == 0 {
		return start + s.Delay
	}
	end = max(start, s.slots[0]) + s.Delay
	s.slots.replace(end)
	return end
}

func micros(d time.Duration) int32 { return int32(min(d.Microseconds(), math.MaxInt32)) }

// times is a heap of points in time, the earliest first.
type times []time.Duration

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }

// Push and Pop implement heap.Interface.
func (t *times) Push(at any) { *t = append(*t, at.(time.Duration)) }
func (t *times) Pop() any {
	last := len(*t) - 1
	at := (*t)[last]
	*t = (*t)[:last]
	return at
}

// replace replaces the earliest time with a later one.
func (t times) replace(later time.Duration) {
	t[0] = later
	heap.Fix(&t, 0)
}

// Took returns when the last of l.Requests ends if nothing cuts them off. If there are more requests than the
// prediction's maximum, it assumes that the rest goes on at the same rate.
func Took(s Server, l Load) (took time.Duration) {
	l.Duration = 0
	run(s, l, func(r load.Request) { took = max(took, r.Ended) })
	if l.Requests > most {
		took = time.Duration(float64(took) * float64(l.Requests) / most)
	}
	return took
}

// ABIdeal returns the max requests per second that ab can count for n requests by c clients, if it sends the others
// only after the reply to its first request.
func ABIdeal(n, c int, delay time.Duration) float64 {
	rounds := 1 + (n-1+c-1)/c
	return float64(n) / (float64(rounds) * delay.Seconds())
}

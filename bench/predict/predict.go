// Package predict says what queueing theory expects of a server under load: how many requests it answers, how long they
// take, and which it refuses.
//
// The package must not know how anything is measured. What it returns are requests as a generator records them, so that
// what was predicted and what was measured are summed up by the same code.
package predict

import (
	"container/heap"
	"math"
	"time"

	"demo-server/bench/load"
)

// A Server works on each request for the same time.
//
// Two things can bound it, one behind the other: the places that it has for requests, and what their work has. Where the
// work has less, requests hold a place while they wait inside the work: that wait counts as work.
type Server struct {
	Places       int           // requests that it has at work at a time; 0 for no bound
	Queue        int           // requests that may wait for a place; -1 for no end
	QueueTimeout time.Duration // how long one may wait for a place, and is refused then; 0 for no end
	Slots        int           // requests that the work lets in at a time, the others wait inside it; 0 for no bound
	Cores        int           // that all requests at work share, and none waits for; 0 where the work computes nothing
	Delay        time.Duration // how long it works on a request that has what it needs
	Refusal      time.Duration // how long a try takes that is refused at once, above 0
}

// A Load is what clients do.
type Load struct {
	Clients  int           // in the open loop the most requests that wait at a time
	Requests int           // how many are sent; 0 sends until Duration
	Duration time.Duration // when all that is unfinished is given up; 0 for no end
	Rate     float64       // requests per second of the open loop; 0 for the closed loop
}

// most is how many requests are predicted at most: where clients are refused and try again at once, there is no end.
const most = 2_000_000

// Requests returns what becomes of each request, in the order in which they arrive.
//
// It is the recursion of Lindley (1952), for many servers that of Kiefer and Wolfowitz (1955), with a queue that may be
// full and requests that may give up: because all work takes the same time and the queue is first in, first out, it is
// known of a request when it arrives when it starts, or that it does not. It is exact from the first request on, so
// that it is right for short tests, too, which begin with an empty server.
//
// Where requests share cores, nothing of that is known of a request before the next ones have come: see share.
func Requests(s Server, l Load) (requests []load.Request) {
	run(s, l, func(r load.Request) { requests = append(requests, r) })
	return requests
}

// run yields each of them, and keeps none.
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

// due is when request i is due, where the first client is free at some moment.
func (l Load) due(i int, free time.Duration) time.Duration {
	if l.Rate == 0 {
		return free
	}
	return time.Duration(math.Round(float64(i) / l.Rate * float64(time.Second)))
}

// A state is a server at some moment.
type state struct {
	Server
	places times           // when each is free
	slots  times           // when each is free
	queue  []time.Duration // when each of the waiting requests leaves it, the first one first
}

// arrive returns what becomes of a request that arrives at a moment, later than all before.
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

// work returns when the work of a request ends that gets its place at a moment, later than all before.
func (s *state) work(start time.Duration) (end time.Duration) {
	if s.Slots == 0 {
		return start + s.Delay
	}
	end = max(start, s.slots[0]) + s.Delay
	s.slots.replace(end)
	return end
}

func micros(d time.Duration) int32 { return int32(min(d.Microseconds(), math.MaxInt32)) }

// times is a heap, the earliest first.
type times []time.Duration

func (t times) Len() int           { return len(t) }
func (t times) Less(i, j int) bool { return t[i] < t[j] }
func (t times) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }

// Push and Pop are for heap.Interface.
func (t *times) Push(at any) { *t = append(*t, at.(time.Duration)) }
func (t *times) Pop() any {
	last := len(*t) - 1
	at := (*t)[last]
	*t = (*t)[:last]
	return at
}

// replace puts a later time in the place of the earliest.
func (t times) replace(later time.Duration) {
	t[0] = later
	heap.Fix(&t, 0)
}

// Took is how long it takes until the last of l.Requests has ended, where nothing cuts them off. Of more than can be
// predicted it takes it that the others go on at the same rate.
func Took(s Server, l Load) (took time.Duration) {
	l.Duration = 0
	run(s, l, func(r load.Request) { took = max(took, r.Ended) })
	if l.Requests > most {
		took = time.Duration(float64(took) * float64(l.Requests) / most)
	}
	return took
}

// ABIdeal is the most requests per second that ab counts of n requests by c clients, where it sends one request first and
// the others only after its reply.
func ABIdeal(n, c int, delay time.Duration) float64 {
	rounds := 1 + (n-1+c-1)/c
	return float64(n) / (float64(rounds) * delay.Seconds())
}

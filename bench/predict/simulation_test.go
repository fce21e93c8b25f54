package predict

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/bench/load"
)

// simulate runs server and load with goroutines, a mutex and timers, in virtual time. It has nothing in common with the
// recursion.
func simulate(t *testing.T, s Server, l Load) (requests []load.Request) {
	synctest.Test(t, func(*testing.T) {
		w := &world{Server: s, start: time.Now(), load: l, another: make(chan struct{})}
		var clients sync.WaitGroup
		if l.Rate > 0 {
			w.openLoop(&clients)
		} else {
			for range l.Clients {
				clients.Go(w.closedLoop)
				synctest.Wait() // clients arrive in order
			}
		}
		clients.Wait()
		requests = w.requests
	})
	return requests
}

type world struct {
	Server
	load  Load
	start time.Time

	mu       sync.Mutex
	issued   int
	running  int
	waiting  []*ticket
	requests []load.Request

	inside    int             // requests that have a slot
	inLine    []chan struct{} // each is closed when its request gets a slot
	computing int             // requests that share the cores
	another   chan struct{}   // closed when computing changes
}

// A ticket belongs to a request. Each channel is closed when the request gets its place or slot.
type ticket struct{ place, slot chan struct{} }

func newTicket() *ticket { return &ticket{make(chan struct{}), make(chan struct{})} }

func (w *world) now() time.Duration { return time.Since(w.start) }

func (w *world) more() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.load.Duration > 0 && w.now() >= w.load.Duration || w.load.Requests > 0 && w.issued >= w.load.Requests {
		return false
	}
	w.issued++
	return true
}

func (w *world) closedLoop() {
	for w.more() {
		w.request(w.now())
	}
}

func (w *world) openLoop(clients *sync.WaitGroup) {
	free := make(chan struct{}, w.load.Clients)
	for i := 0; ; i++ {
		due := time.Duration(math.Round(float64(i) / w.load.Rate * float64(time.Second)))
		time.Sleep(due - w.now())
		free <- struct{}{}
		if !w.more() {
			return
		}
		clients.Go(func() {
			w.request(due)
			<-free
		})
	}
}

// request makes one request as a client.
func (w *world) request(sent time.Duration) {
	class := w.serve()
	r := load.Request{Sent: sent, Ended: w.now(), Class: class}
	if w.load.Duration > 0 && r.Ended > w.load.Duration {
		r.Ended, r.Class = w.load.Duration, load.Unfinished
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, r)
}

func (w *world) serve() load.Class {
	mine := newTicket()
	w.mu.Lock()
	if w.Places > 0 && w.running == w.Places {
		if w.Queue >= 0 && len(w.waiting) == w.Queue {
			w.mu.Unlock()
			time.Sleep(w.Refusal)
			return load.Refused
		}
		w.waiting = append(w.waiting, mine)
		w.mu.Unlock()
		if !w.wait(mine) {
			return load.Refused
		}
	} else {
		w.running++
		w.enter(mine)
		w.mu.Unlock()
	}
	w.work(mine)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) > 0 {
		next := w.waiting[0]
		w.waiting = w.waiting[1:]
		w.enter(next) // now: of two goroutines that wake at the same time, either may run first
		close(next.place)
	} else {
		w.running--
	}
	return load.Answered
}

// work does the work of a request that has a place.
func (w *world) work(mine *ticket) {
	switch {
	case w.Cores > 0:
		w.compute()
	case w.Slots > 0:
		<-mine.slot
		time.Sleep(w.Delay)
		w.exit()
	default:
		time.Sleep(w.Delay)
	}
}

// enter gives the request a slot, or puts it in line for one. The caller holds the lock.
func (w *world) enter(t *ticket) {
	if w.inside < w.Slots {
		w.inside++
		close(t.slot)
		return
	}
	w.inLine = append(w.inLine, t.slot)
}

func (w *world) exit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.inLine) > 0 {
		close(w.inLine[0])
		w.inLine = w.inLine[1:]
		return
	}
	w.inside--
}

// compute uses Delay of CPU time. All computing requests change their pace when one comes or goes.
func (w *world) compute() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.crowd(+1)
	for left := float64(w.Delay); left >= 1; { // nanoseconds
		pace := min(1, float64(w.Cores)/float64(w.computing))
		another, began := w.another, time.Now()
		w.mu.Unlock()
		timer := time.NewTimer(time.Duration(math.Ceil(left / pace)))
		select {
		case <-timer.C:
		case <-another:
		}
		timer.Stop()
		w.mu.Lock()
		left -= pace * float64(time.Since(began))
	}
	w.crowd(-1)
}

func (w *world) crowd(by int) {
	w.computing += by
	close(w.another)
	w.another = make(chan struct{})
}

// wait reports whether the request gets a place before the queue timeout.
func (w *world) wait(mine *ticket) bool {
	if w.QueueTimeout == 0 {
		<-mine.place
		return true
	}
	timer := time.NewTimer(w.QueueTimeout)
	defer timer.Stop()
	select {
	case <-mine.place:
		return true
	case <-timer.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.waiting, mine)
	if i < 0 {
		return true // the place came at the same time
	}
	w.waiting = slices.Delete(w.waiting, i, i+1)
	return false
}

// near reports whether two requests differ only by the rounding of shared cores.
func near(a, b load.Request) bool {
	const rounding = 10 * time.Microsecond
	return a.Class == b.Class && (a.Sent-b.Sent).Abs() < rounding && (a.Ended-b.Ended).Abs() < rounding
}

// fates returns the requests without their clients, in a fixed order: requests at the same time may come in any order.
func fates(requests []load.Request) (fates []load.Request) {
	for _, r := range requests {
		fates = append(fates, load.Request{Sent: r.Sent, Ended: r.Ended, Class: r.Class})
	}
	slices.SortFunc(fates, func(a, b load.Request) int {
		return cmp.Or(cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Ended, b.Ended), cmp.Compare(a.Class, b.Class))
	})
	return fates
}

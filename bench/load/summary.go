package load

import (
	"cmp"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Summary holds the figures of many requests.
type Summary struct {
	Count     [Unfinished + 1]int // by class
	PerSecond float64             // right replies per second from From to To; 0 for fewer than two
	From, To  time.Duration       // the steady window, from the start of a round of replies to the start of a later one
	Drift     float64             // change of the rate from the first half of the window to the second: 0.01 is 1% more
	Waits     *Waits
}

// Summarise returns the summary of the requests sent after warmup. round is the number of replies in a round: the
// clients of a closed loop, or the places of a server that limits it; 1 if there are no rounds.
func Summarise(requests []Request, warmup time.Duration, round int) Summary {
	s := Summary{Waits: newWaits()}
	var replies []Request
	for _, r := range requests {
		if r.Sent < warmup {
			continue
		}
		s.Count[r.Class]++
		s.Waits.add(r)
		if r.Class == Answered {
			replies = append(replies, r)
		}
	}
	slices.SortStableFunc(replies, func(a, b Request) int { return cmp.Compare(a.Ended, b.Ended) })
	if spread(replies, round) {
		round = 1
	}
	s.PerSecond = steady(replies, round)
	s.window(replies, round)
	return s
}

// spread reports whether replies, no more than a round of them, are too far apart to be one: replies of a round come
// together.
func spread(replies []Request, round int) bool {
	if len(replies) == 0 || len(replies) > round {
		return false
	}
	return replies[len(replies)-1].Ended-replies[0].Ended > replies[0].Latency()
}

// steady returns replies per second in whole rounds.
//
// If every request takes the same time, replies come in lockstep: 100 clients at 2 s get 100 replies after 2 s, 100
// after 4 s, and none between. A count from the start to any end is anything from 0 to 50 a second. Therefore each
// reply of the first round (the ramp-up) begins a window of its own, which ends after as many whole rounds as possible.
// Later replies (the cut-off round) are left out. Such a window begins and ends at the same point of the lockstep, and
// its replies divided by its length are the rate. steady combines all windows. If replies come at irregular times, the
// result is the plain rate, measured from many starting points.
//
// replies are in the order of their ends.
func steady(replies []Request, round int) (perSecond float64) {
	counted, length := 0, time.Duration(0)
	for i := 0; i < round && i+round < len(replies); i++ {
		j := len(replies) - 1
		j -= (j - i) % round
		counted += j - i
		length += replies[j].Ended - replies[i].Ended
	}
	return perSecondOf(counted, length)
}

// window finds the steady window and the drift of its rate.
func (s *Summary) window(replies []Request, round int) {
	rounds := (len(replies) - 1) / round
	if rounds < 1 {
		return
	}
	at := func(n int) time.Duration { return replies[n*round].Ended }
	s.From, s.To = at(0), at(rounds)
	middle := rounds / 2
	before := perSecondOf(middle*round, at(middle)-s.From)
	after := perSecondOf((rounds-middle)*round, s.To-at(middle))
	if before > 0 && after > 0 {
		s.Drift = after/before - 1
	}
}

func perSecondOf(counted int, length time.Duration) float64 {
	if length == 0 {
		return 0
	}
	return float64(counted) / length.Seconds()
}

// Waits holds latencies, some of which are censored: only known to exceed the time that the client waited.
type Waits struct {
	ended, given *hdrhistogram.Histogram // in microseconds; given holds the requests that were given up

	longestEnded, longestGiven time.Duration // exact
}

// newWaits returns empty Waits. Two hours are more than any budget; three digits are 0.1%.
func newWaits() *Waits {
	histogram := func() *hdrhistogram.Histogram {
		return hdrhistogram.New(1, int64(2*time.Hour/time.Microsecond), 3)
	}
	return &Waits{ended: histogram(), given: histogram()}
}

func (w *Waits) add(r Request) {
	micros := max(1, r.Latency().Microseconds())
	switch r.Class {
	case Answered:
		w.ended.RecordValue(micros)
		w.longestEnded = max(w.longestEnded, r.Latency())
	case Unfinished, Timeout:
		w.given.RecordValue(micros)
		w.longestGiven = max(w.longestGiven, r.Latency())
	}
}

// Empty reports whether there was no request.
func (w *Waits) Empty() bool { return w.ended.TotalCount()+w.given.TotalCount() == 0 }

// Merge adds the requests of other.
func (w *Waits) Merge(other *Waits) {
	w.ended.Merge(other.ended)
	w.given.Merge(other.given)
	w.longestEnded = max(w.longestEnded, other.longestEnded)
	w.longestGiven = max(w.longestGiven, other.longestGiven)
}

// A Wait is a duration, or a lower bound of one if Beyond is true.
type Wait struct {
	Duration time.Duration
	Beyond   bool
}

// At returns the max latency of each of the percents of requests, in the same order, the lowest percent first.
//
// Requests that were given up count: they would have taken at least as long as the client waited, and leaving them out
// would make a slow server look fast. The method is the product-limit estimate of Kaplan and Meier (1958): at each
// latency that was seen, the share of the requests still waited for that ended then. Beyond the last of these, only a
// lower bound is known.
func (w *Waits) At(percents ...float64) []Wait {
	steps := w.steps()
	waits := make([]Wait, 0, len(percents))
	for _, percent := range percents {
		waits = append(waits, w.at(steps, percent))
	}
	return waits
}

func (w *Waits) at(steps []step, percent float64) Wait {
	for _, s := range steps {
		if 100*(1-s.left) >= percent-1e-9 {
			return Wait{Duration: s.at}
		}
	}
	return Wait{w.longest(), true}
}

// Mean returns the mean of all requests, or the min possible mean if the longest requests were given up.
func (w *Waits) Mean() Wait {
	mean, left, at := 0.0, 1.0, time.Duration(0)
	for _, s := range w.steps() {
		mean += left * (s.at - at).Seconds()
		left, at = s.left, s.at
	}
	beyond := left > 1e-9
	if beyond {
		mean += left * (w.longest() - at).Seconds()
	}
	return Wait{time.Duration(mean * float64(time.Second)), beyond}
}

// Longest returns the longest latency, also of a request that was given up.
func (w *Waits) Longest() Wait {
	return Wait{w.longest(), w.longestGiven > 0 && w.longestGiven >= w.longestEnded}
}

func (w *Waits) longest() time.Duration { return max(w.longestEnded, w.longestGiven) }

// A step is a latency and the share of all requests that take longer.
type step struct {
	at   time.Duration
	left float64
}

func (w *Waits) steps() (steps []step) {
	given := w.given.Distribution()
	waiting, left := w.ended.TotalCount()+w.given.TotalCount(), 1.0
	for _, ended := range w.ended.Distribution() {
		if ended.Count == 0 {
			continue
		}
		for len(given) > 0 && given[0].To < ended.From {
			waiting -= given[0].Count
			given = given[1:]
		}
		left *= 1 - float64(ended.Count)/float64(waiting)
		waiting -= ended.Count
		at := time.Duration(ended.To) * time.Microsecond
		steps = append(steps, step{min(at, w.longestEnded), left})
	}
	return steps
}

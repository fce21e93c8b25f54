package prefork

import "time"

const (
	// firstPause doubles up to longestPause while workers keep failing in one place.
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// minServing is how long a worker has to be ready to have served. One that dies before has failed: if it dies as soon as it
// is ready, and so does the next, they must not be started as fast as they die.
var minServing = 500 * time.Millisecond

// A place is what a worker has in the plan, and hands on to the one that replaces it. Each place backs off by itself: a
// worker that cannot live does not eat the machine, and does not keep others from being replaced.
type place struct {
	failures int       // workers in a row that did not serve
	next     time.Time // no worker is started before
}

// vacate makes the place free at the death of its worker, and returns the pause before the next one: none after a
// worker that has served, else a longer one each time.
func (p *place) vacate(served bool, now time.Time) (pause time.Duration) {
	if served {
		p.failures = 0
	} else {
		p.failures++
		pause = maxPause
		if doublings := p.failures - 1; doublings < 10 {
			pause = min(firstPause<<doublings, maxPause)
		}
	}
	p.next = now.Add(pause)
	return pause
}

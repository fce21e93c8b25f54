package prefork

import "time"

const (
	// firstPause doubles up to maxPause while workers keep failing in one place.
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// minServing is how long a worker has to be ready to count as having served. A worker that dies before that has failed.
// If workers die as soon as they are ready, they must not be restarted as fast as they die.
var minServing = 500 * time.Millisecond

// A place is one worker's position in the plan, which its replacement takes over. Each place backs off on its own:
// failing workers use little CPU time, and do not delay the replacement of others.
type place struct {
	failures int       // workers in a row that did not serve
	next     time.Time // earliest start of the next worker
}

// vacate frees the place after its worker has died, and returns the pause before the next start: none after a worker
// that has served, otherwise longer each time.
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

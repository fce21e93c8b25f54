package prefork

import "time"

const (
	// firstPause doubles up to longestPause while workers keep dying.
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
	// steady is how long a worker has to live for its death not to count as one more in a row.
	steady = 10 * time.Second
)

// A backoff says when to replace a worker that died: the first one at once, those that follow after longer and longer
// pauses, so that a worker that cannot live does not eat the machine.
type backoff struct{ deaths int }

// died returns the pause before the replacement of a worker that lived for so long.
func (b *backoff) died(lived time.Duration) time.Duration {
	if lived >= steady {
		b.deaths = 0
	}
	b.deaths++
	if b.deaths == 1 {
		return 0
	}
	pause := firstPause
	for range b.deaths - 2 {
		pause = min(2*pause, longestPause)
	}
	return pause
}

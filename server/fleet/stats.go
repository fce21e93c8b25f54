package fleet

import (
	"slices"
	"strings"
	"time"

	"demo-server/server/metrics"
)

// total returns the sum over all workers, including the counts of ended ones, with the supervisor's own numbers.
func (f *Fleet) total() *metrics.Snapshot {
	// Without the lock, because Mode may wait for a goroutine that wants it.
	total := &metrics.Snapshot{Mode: f.config.Mode(), AcceptQueue: metrics.ReadAcceptQueue(f.config.Source), LogDropped: f.config.LogDropped()}
	f.mu.Lock()
	defer f.mu.Unlock()
	total.Add(&f.kept)
	for _, w := range f.workers {
		total.Add(w.snapshot)
	}
	slices.SortFunc(total.Modes, func(a, b metrics.ModeSnapshot) int { return strings.Compare(a.Mode, b.Mode) })
	return total
}

// stats is the body of a Fleet's /stats.
type stats struct {
	metrics.Stats
	Restarts int           `json:"restarts"` // workers that died and were replaced
	Workers  []workerStats `json:"workers"`
}

type workerStats struct {
	PID         int        `json:"pid"`
	State       string     `json:"state"`
	Started     time.Time  `json:"started"`
	Answers     bool       `json:"answers"`      // whether it answered just now; if not, its numbers are older
	SilentSince *time.Time `json:"silent_since"` // since when it has not answered; null if it does
	Goroutines  int        `json:"goroutines"`
	metrics.ModeStats
}

// Stats asks all workers, and returns the body of /stats.
func (f *Fleet) Stats(ready bool, reason string) any { return f.stats(ready, reason) }

func (f *Fleet) stats(ready bool, reason string) stats {
	f.ask()
	body := stats{Stats: f.total().Stats(ready, reason, time.Since(f.start)), Workers: []workerStats{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	body.Restarts = f.restarts
	for _, w := range f.workers {
		body.Workers = append(body.Workers, w.stats())
	}
	return body
}

func (w *worker) stats() workerStats {
	s := workerStats{
		PID: w.PID, State: w.State, Started: w.Started, Answers: w.answers, Goroutines: w.snapshot.Goroutines,
		ModeStats: w.snapshot.CurrentMode(),
	}
	if !w.silent.IsZero() {
		s.SilentSince = new(w.silent)
	}
	return s
}

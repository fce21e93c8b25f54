package admin

import (
	"slices"
	"strings"
	"time"
)

// total adds up what workers count, have counted, and hold, and what this process knows itself.
func (f *Fleet) total() *Snapshot {
	// Without the lock, which whoever tells the mode may wait for.
	total := &Snapshot{Mode: f.config.Mode(), AcceptQueue: ReadAcceptQueue(f.config.Source), LogDropped: f.config.LogDropped()}
	f.mu.Lock()
	defer f.mu.Unlock()
	total.Add(&f.kept)
	for _, w := range f.workers {
		total.Add(w.snapshot)
	}
	slices.SortFunc(total.Modes, func(a, b ModeSnapshot) int { return strings.Compare(a.Mode, b.Mode) })
	return total
}

// fleetStats is the body of /stats of a Fleet.
type fleetStats struct {
	Stats
	Restarts int           `json:"restarts"` // workers that died and were replaced
	Workers  []workerStats `json:"workers"`
}

type workerStats struct {
	PID         int        `json:"pid"`
	State       string     `json:"state"`
	Started     time.Time  `json:"started"`
	Answers     bool       `json:"answers"`      // whether it did now: if not, its figures are older
	SilentSince *time.Time `json:"silent_since"` // since when it has not, null if it does
	Goroutines  int        `json:"goroutines"`
	ModeStats
}

// Stats asks all workers, and returns the body of /stats.
func (f *Fleet) Stats(ready bool, reason string) any { return f.stats(ready, reason) }

func (f *Fleet) stats(ready bool, reason string) fleetStats {
	f.ask()
	body := fleetStats{Stats: f.total().Stats(ready, reason, time.Since(f.start)), Workers: []workerStats{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	body.Restarts = f.restarts
	for _, w := range f.workers {
		body.Workers = append(body.Workers, w.stats())
	}
	return body
}

func (w *worker) stats() workerStats {
	stats := workerStats{
		PID: w.PID, State: w.State, Started: w.Started, Answers: w.answers, Goroutines: w.snapshot.Goroutines,
		ModeStats: w.snapshot.CurrentMode(),
	}
	if !w.silent.IsZero() {
		stats.SilentSince = new(w.silent)
	}
	return stats
}

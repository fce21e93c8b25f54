package admin

import (
	"os"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// This file adds up what worker processes say.

// ours reports whether a worker's metrics of that name add up to those of the whole. The accept queue is one, and each
// worker sees all of it; what is known of the process is its own.
func ours(family *dto.MetricFamily) bool {
	name := family.GetName()
	return strings.HasPrefix(name, namePrefix) && !strings.HasPrefix(name, namePrefix+"accept_queue")
}

// Gather asks all workers, and adds up what they say. What each process has of its own is told apart by labels.
func (f *Fleet) Gather() ([]*dto.MetricFamily, error) {
	f.ask()
	own, err := f.registry.Gather()
	f.mu.Lock()
	defer f.mu.Unlock()
	total := f.total()
	for _, m := range f.workers {
		total.addOwn(m.families, "worker", m.PID)
	}
	total.addOwn(own, "supervisor", os.Getpid())
	for _, family := range own {
		if strings.HasPrefix(family.GetName(), namePrefix) {
			total.add(family)
		}
	}
	return total.families(), err
}

// total adds up what workers count, have counted, and hold. The caller holds the lock.
func (f *Fleet) total() tally {
	total := tally{}
	for _, family := range f.kept.families() {
		total.add(family)
	}
	for _, m := range f.workers {
		for _, family := range m.families {
			if ours(family) {
				total.add(family)
			}
		}
	}
	return total
}

// addOwn adds what a process says of itself alone.
func (t tally) addOwn(families []*dto.MetricFamily, process string, pid int) {
	labels := []*dto.LabelPair{
		{Name: new("process"), Value: &process}, {Name: new("pid"), Value: new(strconv.Itoa(pid))},
	}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), namePrefix) {
			t.add(family, labels...)
		}
	}
}

// fleetStats is what /stats says more of a Fleet.
type fleetStats struct {
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

func (f *Fleet) stats() Stats {
	f.ask()
	now := f.snapshot()
	f.mu.Lock()
	defer f.mu.Unlock()
	families := f.total().families()
	now.modes = figuresOf(families)
	now.logDropped += logDroppedIn(families)
	body := now.stats()
	body.UptimeSeconds = time.Since(f.start).Seconds()
	body.fleetStats = &fleetStats{Restarts: f.restarts, Workers: []workerStats{}}
	for _, m := range f.workers {
		w := m.stats()
		body.Goroutines += w.Goroutines
		body.Workers = append(body.Workers, w)
	}
	return body
}

// logDroppedIn is how many lines of log the workers say they have dropped.
func logDroppedIn(families []*dto.MetricFamily) uint64 {
	for _, family := range families {
		if family.GetName() == namePrefix+"log_lines_dropped_total" {
			return uint64(family.Metric[0].GetCounter().GetValue())
		}
	}
	return 0
}

func (w *worker) stats() workerStats {
	stats := workerStats{
		PID: w.PID, State: w.State, Started: w.Started, Answers: w.answers, ModeStats: newSeries("").read(),
	}
	if !w.silent.IsZero() {
		stats.SilentSince = new(w.silent)
	}
	if all := figuresOf(w.families); len(all) > 0 {
		stats.ModeStats = all[0] // it has one mode
	}
	for _, family := range w.families {
		if family.GetName() == "go_goroutines" {
			stats.Goroutines = int(family.Metric[0].GetGauge().GetValue())
		}
	}
	return stats
}

// snapshot is what this process knows itself. Its caller does not hold the lock, which whoever tells the mode may wait
// for.
func (f *Fleet) snapshot() (now Snapshot) {
	now.current, now.logDropped = f.config.Mode(), f.config.LogDropped()
	if queue, ok := f.config.Source.AcceptQueue(); ok {
		now.acceptQueue = &queue
	}
	return now
}

package prefork

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestVacate checks that the death of a worker that has served costs no pause, and that the pauses after other deaths
// grow.
func TestVacate(t *testing.T) {
	const ms = time.Millisecond
	var p place
	var got []time.Duration
	for _, served := range []bool{true, true, false, false, false, false, false, false, false, false, true, false} {
		now := time.Now()
		pause := p.vacate(served, now)
		if p.next != now.Add(pause) {
			t.Errorf("the next one comes after %v, want %v", p.next.Sub(now), pause)
		}
		got = append(got, pause)
	}
	want := []time.Duration{0, 0, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5000 * ms, 5000 * ms, 0, 100 * ms}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	p.failures = 1 << 40
	if pause := p.vacate(false, time.Now()); pause != maxPause {
		t.Errorf("after many failures: %v, want %v", pause, maxPause)
	}
}

// TestDue checks that a pause delays its own place and no other.
func TestDue(t *testing.T) {
	current := &generation{Plan{Processes: 3}}
	paused, over := &place{failures: 3, next: time.Now().Add(time.Hour)}, &place{failures: 2}
	workers := func(n int) (all []*worker) {
		for range n {
			all = append(all, &worker{Worker: Worker{State: Ready}, generation: current})
		}
		return all
	}
	for _, row := range []struct {
		name   string
		ready  int
		vacant []*place
		want   []int // the failures in the places that are due
		left   int
	}{
		{"at the start", 0, nil, []int{0, 0, 0}, 0},
		{"as planned", 3, nil, nil, 0},
		{"one pauses", 2, []*place{paused}, nil, 1},
		{"one pauses, and one is missing", 1, []*place{paused}, []int{0}, 1},
		{"one pauses, and one is over", 1, []*place{paused, over}, []int{2}, 1},
		{"all pause", 0, []*place{paused, paused, paused}, nil, 3},
		{"the plan has become smaller", 3, []*place{paused}, nil, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &Supervisor{current: current, phase: serving, workers: workers(row.ready), vacant: row.vacant}
			var got []int
			for p := s.due(); p != nil; p = s.due() {
				got = append(got, p.failures)
				s.workers = append(s.workers, workers(1)...)
			}
			if diff := cmp.Diff(row.want, got); diff != "" || len(s.vacant) != row.left {
				t.Errorf("%d are left vacant, want %d; due (-want +got):\n%s", len(s.vacant), row.left, diff)
			}
		})
	}
}

package work_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"demo-server/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSleep(t *testing.T) {
	for _, row := range []struct {
		name   string
		delay  time.Duration
		cancel time.Duration // when ctx ends; negative for never
		took   time.Duration
		err    error
	}{
		{"to the end", 2 * time.Second, -1, 2 * time.Second, nil},
		{"cancelled in the middle", 2 * time.Second, time.Second, time.Second, context.Canceled},
		{"cancelled before", 2 * time.Second, 0, 0, context.Canceled},
		{"cancelled after", 2 * time.Second, 3 * time.Second, 2 * time.Second, nil},
		{"no delay", 0, -1, 0, nil},
		{"no delay, cancelled before", 0, 0, 0, context.Canceled},
		{"a negative delay is none", -1, -1, 0, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sleep := work.NewSleep()
				for range 2 { // the second time with the first one's timer
					ctx, cancel := context.WithCancel(t.Context())
					switch {
					case row.cancel == 0:
						cancel()
					case row.cancel > 0:
						defer time.AfterFunc(row.cancel, cancel).Stop()
					}
					before := time.Now()
					err := sleep.Do(ctx, row.delay)
					if took := time.Since(before); took != row.took || !errors.Is(err, row.err) {
						t.Errorf("%v after %v, want %v after %v", err, took, row.err, row.took)
					}
					cancel()
				}
			})
		})
	}
}

func TestSleepHoldsNothing(t *testing.T) {
	if holds := work.NewSleep().Holds(); holds != work.Nothing {
		t.Errorf("holds %s, want nothing", holds)
	}
}

// TestSleepConcurrently checks that concurrent sleeps do not wake early on each other's timers.
func TestSleepConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleep := work.NewSleep()
		var sleepers sync.WaitGroup
		for i := range 50 {
			sleepers.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
				defer cancel()
				time.Sleep(time.Duration(i) * 7 * time.Millisecond)
				for round, want := range []time.Duration{time.Second, 500*time.Millisecond - time.Duration(i)*7*time.Millisecond} {
					before := time.Now()
					sleep.Do(ctx, time.Second)
					if took := time.Since(before); took != want {
						t.Errorf("round %d: slept %v, want %v", round, took, want)
					}
				}
			})
		}
		sleepers.Wait()
	})
}

func TestSleepAllocatesNothing(t *testing.T) {
	sleep := work.NewSleep()
	ctx := t.Context()
	sleep.Do(ctx, time.Microsecond) // makes the timer
	// Under the race detector, sync.Pool drops some values: the smallest number of allocations counts.
	smallest := math.Inf(1)
	for range 20 {
		smallest = min(smallest, testing.AllocsPerRun(1, func() { sleep.Do(ctx, time.Microsecond) }))
	}
	if smallest > 0 {
		t.Errorf("%v allocations at least, want none", smallest)
	}
}

package work_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/work"
)

// TestPlaces checks the number of places, their order, and that a cancelled wait ends.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := work.NewSemaphore("test", 2)
		want := func(inUse, waiting int) {
			t.Helper()
			synctest.Wait()
			if got, want := places.Pool(), (work.PoolStats{Name: "test", Size: 2, InUse: inUse, Waiting: waiting}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
		for range 2 {
			if err := places.Acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want(2, 0)
		order := make(chan int, 3)
		leaving, leave := context.WithCancel(t.Context())
		for i, ctx := range []context.Context{t.Context(), leaving, t.Context()} {
			go func() {
				if err := places.Acquire(ctx); err != nil {
					i = -1
				}
				order <- i
			}()
			want(2, i+1)
		}
		leave()
		if got := <-order; got != -1 {
			t.Errorf("the one that left got a place before %d", got)
		}
		want(2, 2)
		for _, next := range []int{0, 2} {
			places.Release()
			if got := <-order; got != next {
				t.Errorf("%d got the place, want %d", got, next)
			}
		}
		places.Release()
		places.Release()
		want(0, 0)
	})
}

// TestMutex checks that five concurrent requests work one after the other with one slot, and two at a time with two.
func TestMutex(t *testing.T) {
	for slots, want := range map[int]time.Duration{1: 10 * time.Second, 2: 6 * time.Second, 5: 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			mutex := work.NewMutex(slots)
			began, done := time.Now(), make(chan error, 5)
			for range 5 {
				go func() { done <- mutex.Do(t.Context(), 2*time.Second) }()
			}
			synctest.Wait()
			if pool := mutex.Pool(); pool.InUse != slots || pool.Waiting != 5-slots {
				t.Errorf("%+v, want %d in use and %d waiting", pool, slots, 5-slots)
			}
			for range 5 {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			if took := time.Since(began); took != want {
				t.Errorf("%d slots: took %s, want %s", slots, took, want)
			}
		})
	}
}

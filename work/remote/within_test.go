package remote

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A lent context belongs to its owner again after the work has returned, like a server.Job.
type lent struct {
	context.Context
	uses atomic.Int64
}

func (l *lent) Done() <-chan struct{}       { l.uses.Add(1); return l.Context.Done() }
func (l *lent) Err() error                  { l.uses.Add(1); return l.Context.Err() }
func (l *lent) Value(key any) any           { l.uses.Add(1); return l.Context.Value(key) }
func (l *lent) Deadline() (time.Time, bool) { l.uses.Add(1); return l.Context.Deadline() }

// TestWithinHoldsNothing checks that the rest of a call, such as a dial in the background, does not use the lent
// context afterwards, even when it ends.
func TestWithinHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		borrowed := &lent{Context: ctx}
		call, cancel := within(borrowed, time.Minute)
		borrowed.uses.Store(0)
		rest := context.WithoutCancel(call)
		rest.Value("trace")
		call.Deadline()
		leave()
		<-call.Done()
		context.Cause(call)
		cancel()
		synctest.Wait()
		if uses := borrowed.uses.Load(); uses > 0 {
			t.Errorf("the context was used %d times more", uses)
		}
	})
}

func TestWithin(t *testing.T) {
	for _, row := range []struct {
		name         string
		limit, leave time.Duration // leave is negative for never
		took         time.Duration
		err          error
	}{
		{"the limit comes first", time.Second, 2 * time.Second, time.Second, context.DeadlineExceeded},
		{"nobody leaves", time.Second, -1, time.Second, context.DeadlineExceeded},
		{"the caller leaves first", 2 * time.Second, time.Second, time.Second, context.Canceled},
		{"the caller has left before", 2 * time.Second, 0, 0, context.Canceled},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				if row.leave >= 0 {
					defer time.AfterFunc(row.leave, leave).Stop()
				}
				before := time.Now()
				call, cancel := within(ctx, row.limit)
				defer cancel()
				<-call.Done()
				if took := time.Since(before); took != row.took || call.Err() != row.err {
					t.Errorf("%v after %v, want %v after %v", call.Err(), took, row.err, row.took)
				}
			})
		})
	}
}

package work

import (
	"context"
	"sync"
	"time"
)

// SleepKind describes Sleep.
var SleepKind = Kind{
	Name:    "sleep",
	Summary: "wait for a timer, which holds nothing",
	Holds:   Nothing,
	Limit:   Unlimited,
	Files:   NoFiles,
	Open:    opens(func(Options) Work { return NewSleep() }),
}

// Sleep is work that waits for a timer and holds nothing: what the article's sleep(2) does once gevent has patched it.
type Sleep struct {
	// timers are used again, because a timer is the one thing that a sleep would allocate. They belong to this Sleep
	// and not to the package, so that one made under synctest's virtual time never reaches real time.
	timers sync.Pool
}

// NewSleep returns work that waits.
func NewSleep() *Sleep { return &Sleep{} }

// Holds is Nothing.
func (s *Sleep) Holds() Resource { return Nothing }

// Do waits for the delay, or until ctx is done, and then returns ctx.Err().
func (s *Sleep) Do(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	timer, _ := s.timers.Get().(*time.Timer)
	if timer == nil {
		timer = time.NewTimer(delay)
	} else {
		timer.Reset(delay)
	}
	// Since Go 1.23 a stopped timer's channel holds no stale value, so that it needs no draining.
	defer s.timers.Put(timer)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		timer.Stop()
		return ctx.Err()
	}
}

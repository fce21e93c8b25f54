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

// A Sleep waits for a timer and holds nothing, like the article's sleep(2) after gevent has patched it.
type Sleep struct {
	// timers are reused, because a sleep allocates nothing else. They belong to this Sleep and not to the package: a
	// timer made under synctest's virtual time must not be used in real time.
	timers sync.Pool
}

// NewSleep returns work that sleeps.
func NewSleep() *Sleep { return &Sleep{} }

// Holds returns Nothing.
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
	// Since Go 1.23 a stopped timer's channel holds no stale value, and needs no draining.
	defer s.timers.Put(timer)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		timer.Stop()
		return ctx.Err()
	}
}

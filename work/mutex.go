package work

import (
	"context"
	"time"
)

// MutexKind describes Mutex.
var MutexKind = Kind{
	Name:     "mutex",
	Summary:  "sleep with one of a few slots, as with a lock",
	Holds:    Slot,
	Settings: []string{"slots"},
	Limit:    func(o Options) Limit { return Limit{N: o.Slots, Unit: "slot"} },
	Files:    NoFiles,
	Open:     opens(func(o Options) Work { return NewMutex(o.Slots) }),
}

// A Mutex sleeps while it holds one of a few slots, like a handler that sleeps with a lock. The slots limit the
// requests at work in every mode. The wait for a slot is not part of the delay.
type Mutex struct {
	slots *Semaphore
	sleep *Sleep
}

// NewMutex returns work that shares a number of slots.
func NewMutex(slots int) *Mutex { return &Mutex{NewSemaphore("mutex", slots), NewSleep()} }

// Holds returns Slot.
func (m *Mutex) Holds() Resource { return Slot }

// Pool returns the state of the slots.
func (m *Mutex) Pool() PoolStats { return m.slots.Pool() }

// Do waits for a slot and then for the delay, or until ctx is done, and then returns ctx.Err().
func (m *Mutex) Do(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	if err := m.slots.Acquire(ctx); err != nil {
		return err
	}
	defer m.slots.Release()
	return m.sleep.Do(ctx, delay)
}

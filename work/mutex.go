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

// Mutex is work that sleeps while it holds one of a few slots, as a handler does that sleeps with a lock: a mode may let
// as many requests work as it likes, the slots are the bound. The wait for a slot is not part of the delay.
type Mutex struct {
	slots *Semaphore
	sleep *Sleep
}

// NewMutex returns work that shares that many slots.
func NewMutex(slots int) *Mutex { return &Mutex{NewSemaphore("mutex", slots), NewSleep()} }

// Holds is Slot.
func (m *Mutex) Holds() Resource { return Slot }

// Pool is the slots.
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

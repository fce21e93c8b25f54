package work

import (
	"context"
	"sync/atomic"
)

// Semaphore are what there is only so much of, such as connections or threads. Whoever finds none waits in line, first in,
// first out, on a goroutine that holds no thread.
type Semaphore struct {
	name    string
	taken   chan struct{} // a channel hands a place that is given back to whoever has waited longest
	waiting atomic.Int64
}

// NewSemaphore returns that many places, all free. name is the kind of work that shares them.
func NewSemaphore(name string, size int) *Semaphore {
	return &Semaphore{name: name, taken: make(chan struct{}, size)}
}

// Acquire waits for a place, or until ctx is done, and then returns ctx.Err().
func (p *Semaphore) Acquire(ctx context.Context) error {
	select {
	case p.taken <- struct{}{}:
		return nil
	default:
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	select {
	case p.taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release gives a place back.
func (p *Semaphore) Release() { <-p.taken }

// Pool is how many there are, are taken and are waited for.
func (p *Semaphore) Pool() PoolStats {
	return PoolStats{Name: p.name, Size: cap(p.taken), InUse: len(p.taken), Waiting: int(p.waiting.Load())}
}

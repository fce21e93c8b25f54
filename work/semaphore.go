package work

import (
	"context"
	"sync/atomic"
)

// A Semaphore limits the use of a resource, such as connections or threads. Waiting is FIFO, on a goroutine that holds
// no thread. It is safe for concurrent use.
type Semaphore struct {
	name    string
	taken   chan struct{} // a channel passes a place to the goroutine that has waited longest
	waiting atomic.Int64
}

// NewSemaphore returns a Semaphore with size free places. name is the kind of work that shares them.
func NewSemaphore(name string, size int) *Semaphore {
	return &Semaphore{name: name, taken: make(chan struct{}, size)}
}

// Acquire waits for a place. If ctx is done first, it returns ctx.Err().
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

// Release frees a place.
func (p *Semaphore) Release() { <-p.taken }

// Pool returns the state of the places.
func (p *Semaphore) Pool() PoolStats {
	return PoolStats{Name: p.name, Size: cap(p.taken), InUse: len(p.taken), Waiting: int(p.waiting.Load())}
}

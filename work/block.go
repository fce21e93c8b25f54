package work

import (
	"context"
	"runtime"
	"time"
)

// BlockKind describes Block.
var BlockKind = Kind{
	Name:     "block",
	Summary:  "sit in a system call, which holds a thread",
	Holds:    Thread,
	Settings: []string{"max-threads"},
	Limit:    threadLimit,
	Files:    NoFiles,
	Open:     opens(func(o Options) Work { return NewBlock(o.MaxThreads) }),
}

// A Block sits in a system call and keeps its thread, like a call that is not patched, or that no runtime knows how to
// wait for. The Go runtime needs another thread for each such call, and keeps it.
type Block struct {
	threads *Semaphore
}

// NewBlock returns work that blocks at most maxThreads threads at a time, because the runtime ends a program with
// 10,000 threads. Further requests wait for one of them. That wait is not part of the delay.
func NewBlock(maxThreads int) *Block { return &Block{NewSemaphore("block", maxThreads)} }

// Holds returns Thread.
func (b *Block) Holds() Resource { return Thread }

// Pool returns the state of the threads.
func (b *Block) Pool() PoolStats { return b.threads.Pool() }

// Do blocks a thread for the delay, or until ctx is done, and then returns ctx.Err().
func (b *Block) Do(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	if err := b.threads.Acquire(ctx); err != nil {
		return err
	}
	defer b.threads.Release()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return blockThread(ctx, delay)
}

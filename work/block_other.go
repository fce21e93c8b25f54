//go:build !linux

package work

import (
	"context"
	"time"
)

// blockThread keeps the thread to which the calling goroutine is locked, by a timer: this system has no call that blocks
// for a time and that one thread can end for another.
func blockThread(ctx context.Context, delay time.Duration) error {
	return NewSleep().Do(ctx, delay)
}

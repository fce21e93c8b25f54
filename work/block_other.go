//go:build !linux

package work

import (
	"context"
	"time"
)

// blockThread keeps the thread of the calling goroutine, which is locked to it, and waits for a timer. This system has
// no blocking call that another thread can end.
func blockThread(ctx context.Context, delay time.Duration) error {
	return NewSleep().Do(ctx, delay)
}

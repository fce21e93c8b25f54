package work

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// blockThread blocks the calling thread, to which its goroutine is locked, in clock_nanosleep. Only a signal to that
// thread ends the call early. After a signal of the runtime's own, the call starts again with the rest of the delay.
func blockThread(ctx context.Context, delay time.Duration) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	until := unix.NsecToTimespec(now.Nano() + int64(delay))
	defer interruptWith(ctx)()
	for ctx.Err() == nil {
		if err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &until, nil); err != unix.EINTR {
			return err
		}
	}
	return ctx.Err()
}

// interruptEvery is how often a thread is signalled until it has left the call. One signal is not enough: it may arrive
// just before the call.
const interruptEvery = time.Millisecond

// interruptWith interrupts the calling thread's call once ctx is done, until the caller calls end.
func interruptWith(ctx context.Context) (end func()) {
	thread, done := unix.Gettid(), ctx.Done()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-over:
			return
		case <-done:
		}
		for {
			// The runtime uses SIGURG to stop its threads, and ignores it otherwise.
			unix.Tgkill(os.Getpid(), thread, unix.SIGURG)
			select {
			case <-over:
				return
			case <-time.After(interruptEvery):
			}
		}
	}()
	return func() {
		close(over)
		<-ended // the thread may run another job afterwards
	}
}

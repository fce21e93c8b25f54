package work

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// blockThread blocks the calling thread, to which its goroutine is locked, in clock_nanosleep. Nothing but a signal to
// that thread ends the call early: those that the runtime sends for its own ends make it begin again, with what is left.
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

// interruptEvery is how often a thread is signalled until it says that it has left the call. One signal is not enough: it
// may come just before the call, which then does not know of it.
const interruptEvery = time.Millisecond

// interruptWith has the calling thread's call interrupted once ctx is done, and until the returned function is called.
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
			// SIGURG is what the runtime itself stops its threads with, and ignores otherwise.
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
		<-ended // the thread may be another job's from now on
	}
}

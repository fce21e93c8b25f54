package work_test

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// threadTimeOf returns the CPU time that do takes on one thread.
func threadTimeOf(do func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &before)
	do()
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &after)
	return time.Duration(after.Nano() - before.Nano())
}

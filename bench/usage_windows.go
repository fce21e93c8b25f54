package bench

import (
	"syscall"
	"time"
)

// ownCPU is what the bench has used itself, user and system.
func ownCPU() time.Duration {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	var created, exited, kernel, user syscall.Filetime
	if syscall.GetProcessTimes(process, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	return fileTime(kernel) + fileTime(user)
}

// fileTime is a duration in units of 100 ns.
func fileTime(t syscall.Filetime) time.Duration {
	return 100 * time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime))
}

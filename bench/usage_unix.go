//go:build unix

package bench

import (
	"syscall"
	"time"
)

// ownCPU returns the CPU that the bench itself has used, user and system.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

//go:build unix

package result

import (
	"math"

	"golang.org/x/sys/unix"
)

// openFiles returns how many files this process may have open, or 0 if that is unknown.
func openFiles() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) // RLIM_INFINITY may exceed an int
}

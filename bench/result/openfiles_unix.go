//go:build unix

package result

import (
	"math"

	"golang.org/x/sys/unix"
)

// openFiles is how many files this process may have open, 0 for unknown.
func openFiles() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) // infinity is a number that int may not hold
}

//go:build unix

package catalog

import "golang.org/x/sys/unix"

// OpenFileLimit returns how many files this process may have open. Go raises the soft limit to the hard one when it
// starts.
func OpenFileLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // the customary limit of POSIX systems
	}
	return int(min(uint64(limit.Cur), 1<<20)) // "infinity" is more than any machine can open
}

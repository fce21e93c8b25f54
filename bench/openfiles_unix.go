//go:build unix

package bench

import "syscall"

// shareOpenFiles lets the children that are started from now on have as many open files as the bench. Go raises the
// soft limit for its own process alone, and most shells set it to 1024: nginx and Python would hold that many
// connections, and leave the others to the kernel.
func shareOpenFiles() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // no change; but only what was set here is inherited
	}
}

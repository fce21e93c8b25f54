//go:build unix

package bench

import "syscall"

// shareOpenFiles gives later children the open-file limit of the bench. Go raises the soft limit only for its own
// process, and most shells set it to 1024: nginx and Python would hold that many connections and leave the others to
// the kernel.
func shareOpenFiles() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // sets no new value: children inherit only a limit that was set here
	}
}

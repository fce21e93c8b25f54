//go:build !unix

package catalog

// OpenFileLimit returns a number of sockets that this system can handle. The system itself does not set a limit.
func OpenFileLimit() int { return 10_000 }

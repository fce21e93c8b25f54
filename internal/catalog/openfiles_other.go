//go:build !unix

package catalog

// OpenFileLimit returns a number that the sockets of this system can bear, which sets no limit of its own.
func OpenFileLimit() int { return 10_000 }

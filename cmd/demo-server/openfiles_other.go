//go:build !unix

package main

// openFileLimit is a number that this system's sockets can bear: it sets no limit of its own.
func openFileLimit() int { return 10_000 }

//go:build !unix

package main

// serveInBackground does nothing: this system suspends no server.
func serveInBackground() {}

//go:build !unix

package service

// ServeInBackground does nothing: this system suspends no server.
func ServeInBackground() {}

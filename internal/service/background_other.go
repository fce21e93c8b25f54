//go:build !unix

package service

// ServeInBackground does nothing, because this system does not suspend servers.
func ServeInBackground() {}

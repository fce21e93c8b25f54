//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// serveInBackground keeps the terminal from suspending a server in the background that logs to it (stty tostop).
func serveInBackground() { signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU) }

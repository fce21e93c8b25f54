//go:build unix

package service

import (
	"os/signal"
	"syscall"
)

// ServeInBackground keeps the terminal from suspending a server in the background that logs to it (stty tostop).
func ServeInBackground() { signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU) }

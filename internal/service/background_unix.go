//go:build unix

package service

import (
	"os/signal"
	"syscall"
)

// ServeInBackground prevents the terminal from suspending a background server that logs to it (stty tostop).
func ServeInBackground() { signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU) }

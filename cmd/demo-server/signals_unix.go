//go:build unix

package main

import (
	"os"
	"syscall"
)

// supervisorSignals are what a supervisor does at a signal, beside stopping: gunicorn's and unicorn's.
var supervisorSignals = map[os.Signal]func(*supervision){
	syscall.SIGHUP:  (*supervision).reload,
	syscall.SIGTTIN: func(s *supervision) { s.resize(+1) },
	syscall.SIGTTOU: func(s *supervision) { s.resize(-1) },
}

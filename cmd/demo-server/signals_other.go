//go:build !unix

package main

import "os"

// supervisorSignals is empty: this system has no such signals, and no supervisor.
var supervisorSignals map[os.Signal]func(*supervision)

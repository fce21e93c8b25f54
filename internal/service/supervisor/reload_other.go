//go:build !unix

package supervisor

import "os"

// actions is empty: this system has no such signals, and no supervisor.
var actions map[os.Signal]func(*supervisor)

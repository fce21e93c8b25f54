//go:build !unix

package supervisor

import "os"

// actions is empty, because this system does not have these signals, nor a supervisor.
var actions map[os.Signal]func(*supervisor)

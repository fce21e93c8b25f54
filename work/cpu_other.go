//go:build !linux

package work

import "time"

var processStart = time.Now()

// threadTime is the time on the clock. This system's CPU time of a thread is not read: work that has to share its core
// does less of it here.
func threadTime() time.Duration { return time.Since(processStart) }

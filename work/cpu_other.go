//go:build !linux

package work

import "time"

var processStart = time.Now()

// threadTime returns the time on the clock. The CPU time of a thread is not read on this system: work that shares its
// core does less here.
func threadTime() time.Duration { return time.Since(processStart) }

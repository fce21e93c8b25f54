package result

import (
	"math"
	"runtime"
)

// Cores returns how many cores the processes of a run may use together: those of this machine, or the fraction that a CPU
// quota leaves of them.
func Cores() float64 { return min(float64(runtime.NumCPU()), quota()) }

// WholeCores returns Cores rounded up, as the Go runtime does, but a quota of one core or less is 1 here: the runtime's
// least of 2 is not for what the quota allows.
func WholeCores() int { return int(math.Ceil(Cores())) }

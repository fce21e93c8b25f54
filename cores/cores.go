// Package cores returns how many CPU cores the processes of this program may use.
package cores

import (
	"math"
	"runtime"
)

// Allowed returns how many cores all processes of a run may use together: all cores of this machine, or the possibly
// fractional share that a CPU quota allows.
func Allowed() float64 { return min(float64(runtime.NumCPU()), quota()) }

// Whole returns Allowed rounded up.
func Whole() int { return int(math.Ceil(Allowed())) }

// Usable returns the maximum number of cores that this process uses. In GOMAXPROCS, the Go runtime rounds a CPU quota
// up to at least 2, but a quota of 1 allows only 1.
func Usable() int { return min(runtime.GOMAXPROCS(0), Whole()) }

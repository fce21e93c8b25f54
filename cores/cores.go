// Package cores says how many cores the processes of this program may use.
package cores

import (
	"math"
	"runtime"
)

// Allowed returns how many cores all processes of a run may use together: those of this machine, or the fraction that a CPU
// quota leaves of them.
func Allowed() float64 { return min(float64(runtime.NumCPU()), quota()) }

// Whole returns Allowed rounded up.
func Whole() int { return int(math.Ceil(Allowed())) }

// Usable returns how many cores this process uses at most. The Go runtime rounds a CPU quota up to at least 2 in GOMAXPROCS,
// but a quota of 1 allows no more than 1.
func Usable() int { return min(runtime.GOMAXPROCS(0), Whole()) }

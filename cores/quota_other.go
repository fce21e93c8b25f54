//go:build !linux

package cores

import "math"

// quota returns infinity: this system has no CPU quota.
func quota() float64 { return math.Inf(1) }

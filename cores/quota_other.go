//go:build !linux

package cores

import "math"

// quota returns infinity, because this system has no CPU quotas.
func quota() float64 { return math.Inf(1) }

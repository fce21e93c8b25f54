//go:build !linux

package bench

// machineCPU returns nil, because this system does not report it.
func machineCPU() *float64 { return nil }

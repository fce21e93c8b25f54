//go:build !linux

package bench

// machineCPU is not known on this system.
func machineCPU() *float64 { return nil }

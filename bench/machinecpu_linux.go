package bench

import (
	"github.com/prometheus/procfs"

	"demo-server/bench/result"
)

// machineCPU returns the seconds of CPU that all processes used since the machine started, and that a hypervisor took from
// it. Interrupts are left out: with a load on loopback, most of them are its own packets.
func machineCPU() *float64 {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil
	}
	stat, err := proc.Stat()
	if err != nil {
		return nil
	}
	all := stat.CPUTotal
	used := all.User + all.Nice + all.System + all.Steal
	if used == 0 { // some sandboxes have the file, and nothing in it
		return nil
	}
	return result.Number(used)
}

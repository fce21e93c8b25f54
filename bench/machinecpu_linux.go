package bench

import (
	"github.com/prometheus/procfs"

	"demo-server/bench/result"
)

// machineCPU returns the seconds of CPU since the machine started that all processes used or a hypervisor took. It
// excludes interrupts: under a load on loopback, most come from the load's own packets.
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
	if used == 0 { // some sandboxes have the file without values
		return nil
	}
	return result.Number(used)
}

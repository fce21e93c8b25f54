package bench

import (
	"fmt"
	"time"

	"demo-server/bench/result"
	"demo-server/cores"
)

// A span holds the CPU used during a load, in seconds.
type span struct {
	took    float64
	own     float64  // by this process
	machine *float64 // by all processes; nil if the system does not report it
}

// beginSpan returns a function that ends the span.
func beginSpan() (end func() span) {
	began, own, machine := time.Now(), ownCPU(), machineCPU()
	return func() span {
		return span{time.Since(began).Seconds(), (ownCPU() - own).Seconds(), difference(machine, machineCPU())}
	}
}

// others returns the cores used by all processes except the server, this process and the tool of the load. It returns
// nil if they are unknown, as for an external server, whose CPU is unknown.
func (s span) others(samples []result.Sample, tool time.Duration) *float64 {
	if s.machine == nil || len(samples) == 0 || s.took < minSpan {
		return nil
	}
	server := difference(samples[0].CPU, samples[len(samples)-1].CPU)
	if server == nil {
		return nil
	}
	return result.Number(max(0, *s.machine-*server-s.own-tool.Seconds()) / s.took)
}

// othersMatter is the min share of the cores for which other processes are named: a quiet system uses less.
const othersMatter = 0.1

// named describes the CPU that others used if it matters, or returns "".
func named(others *float64) string {
	if others == nil || *others < othersMatter*cores.Allowed() {
		return ""
	}
	return fmt.Sprintf("other processes used %.2f cores of this machine", *others)
}

// mostOthers returns the repeat in which others used the most CPU. Its OtherCores is nil if all are unknown.
func mostOthers(repeats []result.Repeat) (most result.Repeat) {
	for _, r := range repeats {
		if r.OtherCores != nil && (most.OtherCores == nil || *r.OtherCores > *most.OtherCores) {
			most = r
		}
	}
	return most
}

// busyMachine returns a sentence for the whole run if others were busy during any row, or "".
func busyMachine(rows []result.Row) string {
	during, most, sum, n := "", 0.0, 0.0, 0.0
	for _, row := range rows {
		for _, r := range row.Repeats {
			if r.OtherCores == nil {
				continue
			}
			sum, n = sum+*r.OtherCores, n+1
			if *r.OtherCores > most {
				during, most = row.Name, *r.OtherCores
			}
		}
	}
	if named(&most) == "" {
		return ""
	}
	return fmt.Sprintf("Other processes used %.2f cores of this machine, and up to %.2f (%s): a quiet one gives figures that"+
		" differ less.", sum/n, most, during)
}

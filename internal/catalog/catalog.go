// Package catalog joins settings, modes and kinds of work: the choices, their requirements and their limits.
//
// It is the only package that knows all three. It must not know how the program is started, nor how requests are
// served.
package catalog

import (
	"runtime"

	"demo-server/configs"
	"demo-server/modes"
	"demo-server/work"
	"demo-server/work/kinds"
)

// Configs returns the choices of the settings, for configs.Load.
func Configs() configs.Catalog {
	c := configs.Catalog{QueuePlaces: queuePlaces, Checks: checks()}
	for _, mode := range modes.All {
		c.Modes = append(c.Modes, configs.Choice{Name: mode.Name, Settings: mode.Settings})
	}
	for _, kind := range kinds.All {
		c.Works = append(c.Works, configs.Choice{Name: kind.Name, Settings: kind.Settings, SideEffects: kind.SideEffects})
	}
	return c
}

// Mode returns the mode that settings choose, with its options applied.
func Mode(s *configs.Settings) modes.Instance { return modes.Named(s.Mode).Instance(modeOptions(s)) }

func modeOptions(s *configs.Settings) modes.Options {
	return modes.Options{
		Workers: s.Workers, MaxThreads: s.MaxThreads,
		Loops: loops(s), LoopHelpers: s.LoopHelpers, Unpatched: !s.Patched,
	}
}

// loops returns the number of event loops of each process. By default, the processes share one loop for each core.
func loops(s *configs.Settings) int {
	if s.Loops > 0 {
		return s.Loops
	}
	return max(1, runtime.GOMAXPROCS(0)/Processes(s))
}

// Processes returns how many processes serve, each with a limit and a queue of its own.
func Processes(s *configs.Settings) int { return max(1, s.Processes) }

// Kind returns the kind of work that settings choose.
func Kind(s *configs.Settings) work.Kind { return kinds.Named(s.Work) }

// WorkOptions returns the settings that kinds of work read.
func WorkOptions(s *configs.Settings) work.Options {
	return work.Options{
		Slots: s.Slots, MaxThreads: s.MaxThreads, PoolSize: s.PoolSize, Dir: s.Dir, Target: s.Target, DSN: string(s.DSN),
		DialTimeout: s.DialTimeout,
	}
}

// Limit returns the mode's limit on requests with the kind of work that settings choose, in each process.
func Limit(s *configs.Settings) modes.Limit { return Mode(s).LimitOf(Kind(s).Holds) }

func queuePlaces(s *configs.Settings) (n int, unit string) {
	limit := Limit(s)
	if limit.Overflow != modes.Queue {
		return 0, ""
	}
	return limit.N, limit.Unit
}

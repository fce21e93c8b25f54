package work

import (
	"context"
	"crypto/sha256"
	"runtime"
	"time"

	"demo-server/cores"
)

const (
	// cpuSlice is the CPU time between two checks of the clock and of ctx. It is a hundred times the cost of a check.
	cpuSlice = 100 * time.Microsecond
	// cpuTurn is the CPU time after which other goroutines have their turn. The runtime would switch then too, but
	// while the goroutine is locked to its thread. Switching between locked goroutines, which mode thread needs anyway,
	// switches threads and leaves a core idle for a moment.
	cpuTurn = 10 * time.Millisecond
	// cpuCalibration is how long NewCPU measures.
	cpuCalibration = 5 * time.Millisecond
)

// CPUKind describes CPU. Requests beyond the number of cores do not wait, but slow down all of them.
var CPUKind = Kind{
	Name:    "cpu",
	Summary: "hash for as much CPU time, which holds a core",
	Holds:   Core,
	Limit:   func(Options) Limit { return Limit{N: cores.Usable(), Unit: "core", Shared: true} },
	Files:   NoFiles,
	Open:    opens(func(Options) Work { return NewCPU() }),
}

// A CPU computes. Its delay is CPU time: on a machine with c cores, n requests at a time take n/c times as long, in
// every mode.
//
// The work is SHA-256 over 4 KiB, repeatedly. NewCPU measures how long one round takes, to check the clock once per
// cpuSlice and to end the last slice in time. If the machine changes its frequency, slices become longer or shorter.
// The total does not, because the thread's clock measures it.
type CPU struct {
	round time.Duration // measured CPU time of one round
}

// NewCPU returns work that computes. It takes a few milliseconds to measure how fast this machine hashes.
func NewCPU() *CPU {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var block hashed
	began, rounds := threadTime(), 0
	took := time.Duration(0)
	for took < cpuCalibration {
		block.hash(10)
		rounds += 10
		took = threadTime() - began
	}
	return &CPU{round: max(1, took/time.Duration(rounds))}
}

// Holds returns Core.
func (c *CPU) Holds() Resource { return Core }

// Do computes for delay of CPU time, or until ctx is done, and then returns ctx.Err().
func (c *CPU) Do(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	var block hashed
	for left := delay; left > 0; runtime.Gosched() {
		used, err := c.turn(ctx, &block, min(left, cpuTurn))
		if err != nil {
			return err
		}
		left -= used
	}
	return nil
}

// turn computes for some CPU time, and returns how much it used. The goroutine keeps its thread, because it reads the
// thread's clock.
func (c *CPU) turn(ctx context.Context, block *hashed, budget time.Duration) (used time.Duration, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	for used < budget {
		if err := ctx.Err(); err != nil {
			return used, err
		}
		block.hash(max(1, int(min(budget-used, cpuSlice)/c.round)))
		used = threadTime() - began
	}
	return used, nil
}

// A hashed is the data of a CPU. Each round depends on the previous one, so none can be skipped.
type hashed [4 << 10]byte

func (b *hashed) hash(rounds int) {
	for range rounds {
		sum := sha256.Sum256(b[:])
		copy(b[:], sum[:])
	}
}

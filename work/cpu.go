package work

import (
	"context"
	"crypto/sha256"
	"runtime"
	"time"
)

const (
	// cpuSlice is the CPU time between two looks at the clock, and at whether the job is cancelled: a hundred times what
	// looking takes.
	cpuSlice = 100 * time.Microsecond
	// cpuTurn is the CPU time after which another goroutine has its turn: when the runtime would see to that itself, but at
	// a moment at which the goroutine is not locked to its thread. To take turns between locked ones, as mode thread has
	// them anyway, is to switch threads, and leaves a core idle meanwhile.
	cpuTurn = 10 * time.Millisecond
	// cpuCalibration is how long NewCPU measures.
	cpuCalibration = 5 * time.Millisecond
)

// CPUKind describes CPU. Requests beyond the number of cores do not wait, but all of them take longer.
var CPUKind = Kind{
	Name:    "cpu",
	Summary: "hash for as much CPU time, which holds a core",
	Holds:   Core,
	Limit:   func(Options) Limit { return Limit{N: runtime.GOMAXPROCS(0), Unit: "core", Shared: true} },
	Files:   NoFiles,
	Open:    opens(func(Options) Work { return NewCPU() }),
}

// CPU is work that computes. Its delay is CPU time and not time on the clock: on a machine with c cores, n of them at a
// time take n/c times as long, in every mode.
//
// The work is SHA-256 over 4 KiB, again and again. How long one round takes is measured when a CPU is made, so that the
// clock is looked at once in cpuSlice and the last slice ends when it should; a machine that changes its frequency
// meanwhile makes a difference to the length of a slice, not to the whole, which the clock of the thread measures.
type CPU struct {
	round time.Duration // CPU time of one round, as calibrated
}

// NewCPU measures for a few milliseconds how fast this machine hashes.
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

// Holds is Core.
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

// turn computes for some CPU time, and returns how much it was. The goroutine keeps its thread meanwhile, because it is the
// thread's clock that is read.
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

// hashed is what a CPU works on. Each round depends on the one before, so that none can be left out.
type hashed [4 << 10]byte

func (b *hashed) hash(rounds int) {
	for range rounds {
		sum := sha256.Sum256(b[:])
		copy(b[:], sum[:])
	}
}

// Package modes holds the concurrency models, one file each, and the one list of them.
//
// A mode decides which goroutine, thread or loop runs which job, and when. What a job is, how its bytes are read and
// written, and what its reply says is written once, in server and server/transport. A mode must not know settings,
// the bytes of a request, or another mode.
package modes

import (
	"context"
	"runtime"

	"demo-server/server"
	"demo-server/work"
)

// A Mode decides which goroutine, thread or loop runs which job, and when.
type Mode struct {
	Name      string       // as in --mode
	Summary   string       // one line, for --help, `demo-server modes` and the dashboard
	Mirrors   string       // the Python deployment that it stands for
	Differs   string       // where that analogy ends
	Choose    string       // when to choose it, with what a blocked request costs and how it fares with work that blocks a thread
	Bound     string       // what limits its parallelism: one of the Bound constants
	Places    int          // the limit: how many jobs it runs at a time, 0 for none of its own; prediction reads it
	Excess    Excess       // what becomes of requests beyond it
	Helpers   int          // how many threads it has apart for work that holds a thread or a core, 0 for none
	Lacks     string       // what it lacks on the system that this binary was built for; empty for nothing
	Supported func() error // nil where this system can run it

	// Serve accepts from src until ctx is done, and never closes src. It admits every request through app and calls
	// each admitted job's Run at most once. When ctx is done it stops accepting; every connection that it accepted is
	// answered, or told that it closes, before it is closed. It returns when all that it started has ended.
	Serve func(ctx context.Context, src *server.Source, app *server.App) error
}

// What limits a mode's parallelism.
const (
	BoundNone    = "none"         // nothing of its own
	BoundWorkers = "workers"      // Options.Workers
	BoundThreads = "max-threads"  // Options.MaxThreads
	BoundLoops   = "loops"        // Options.Loops: one request at a time for each event loop
	BoundHelpers = "loop-helpers" // Options.LoopHelpers
	BoundOne     = "1"            // one request at a time
)

// An Excess is what becomes of requests that are too many for a mode. The App that it serves has to be made for that.
type Excess string

// The ways to deal with too many requests.
const (
	Unlimited Excess = "none"    // there are never too many
	Queued    Excess = "queued"  // they wait in the App's queue, in front of Mode.Places
	Refused   Excess = "refused" // an App with Mode.Places and no queue refuses them
	Unread    Excess = "unread"  // they wait in the kernel: nobody reads them, or accepts their connections
)

// Options are the settings that a mode itself needs. A change of them is a new instance of the mode.
type Options struct {
	Workers    int // of pool: how many goroutines work, at least 1
	MaxThreads int // of thread: how many requests may have a thread, at least 1

	// Of eventloop.
	Loops       int           // how many loops share the connections, at least 1
	LoopHelpers int           // how many threads do the work that would hold a loop up, at least 1
	Unpatched   bool          // the work is done on the loop itself
	Holds       work.Resource // what the work holds, which decides where it is done
}

// All lists the modes, each made with options. It is an explicit list: flag help, `demo-server modes`, the README's
// table and the conformance test read it, so a mode that is not here does not exist.
func All(options Options) []Mode {
	return []Mode{newGoroutine(), newPool(options.Workers), newSingle(), newFastHTTP(), newThread(options.MaxThreads), newEventLoop(options)}
}

// Names lists the modes' names.
func Names() []string {
	var names []string
	for _, mode := range All(Options{}) {
		names = append(names, mode.Name)
	}
	return names
}

// everywhere is for modes that run on every system.
func everywhere() error { return nil }

// lacksOutsideLinux says what a mode lacks on other systems than Linux.
func lacksOutsideLinux(lacks string) string {
	if runtime.GOOS == "linux" {
		return ""
	}
	return lacks
}

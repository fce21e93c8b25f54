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
	"demo-server/server/listener"
	"demo-server/work"
)

// A Mode is a concurrency model that describes itself. To add one, write a file with its Mode and add a line to All.
type Mode struct {
	Name             string   // as in --mode
	Summary          string   // one line, for --help and the command modes
	PythonEquivalent string   // the Python deployment that it corresponds to
	Differences      string   // where that comparison ends
	Choose           string   // when to choose it, what a blocked request costs, and how it fares with work that blocks a thread
	Limitations      string   // what it cannot do on this operating system; "" for nothing
	Settings         []string // the settings that it reads, by name

	// Supported returns nil if this system can run the mode, else an error that says what is missing.
	Supported func() error

	configure func(Options) Instance
}

// An Instance is a Mode with its options applied.
type Instance struct {
	Mode
	Limit        Limit // on all requests
	Offload      Limit // on work that holds a thread or a core, if the mode hands such work to helpers; else N is 0
	Files        int   // descriptors that it needs in addition to those of connections
	Capabilities Capabilities

	// Serve accepts from src until ctx is done, and never closes src. It calls app.Accepting once it is open. It admits every request through app and calls
	// each admitted job's Run at most once. When ctx is done it stops accepting; every connection that it accepted is
	// answered, or told that it closes, before it is closed. It returns when all that it started has ended.
	Serve func(ctx context.Context, src *listener.Source, app *server.App) error
}

// Capabilities are what clients of a mode can rely on.
type Capabilities struct {
	KeepsAlive     bool // a connection serves more than one request
	SeesDisconnect bool // a client that disconnects ends its request while the work runs
}

// Instance returns the mode with its options applied.
func (m Mode) Instance(o Options) Instance {
	i := m.configure(o)
	i.Mode = m
	return i
}

// LimitOf returns the limit on requests whose work holds a resource.
func (i Instance) LimitOf(holds work.Resource) Limit {
	if i.Offload.N > 0 && (holds == work.Thread || holds == work.Core) {
		return i.Offload
	}
	return i.Limit
}

// Options are the settings that a mode itself needs. A change of them is a new instance of the mode.
type Options struct {
	Workers    int // of pool: how many goroutines work, at least 1
	MaxThreads int // of thread: how many requests may have a thread, at least 1

	// Of eventloop.
	Loops       int  // how many loops share the connections, at least 1
	LoopHelpers int  // how many threads do the work that would hold a loop up, at least 1
	Unpatched   bool // the work is done on the loop itself
}

// All lists the modes in the order in which help shows them. The first is the default. It is an explicit list: flag
// help, the command modes, the README's table and the conformance test read it.
var All = []Mode{goroutineMode, poolMode, singleMode, fastHTTPMode, threadMode, eventLoopMode}

// Named returns the mode of that name. It panics if there is none: settings let no other name pass.
func Named(name string) Mode {
	for _, mode := range All {
		if mode.Name == name {
			return mode
		}
	}
	panic("unknown mode: " + name)
}

// Names returns the names of all modes.
func Names() []string {
	names := make([]string, len(All))
	for i, mode := range All {
		names[i] = mode.Name
	}
	return names
}

// alwaysSupported is the Mode.Supported of modes that run on every system.
func alwaysSupported() error { return nil }

// outsideLinux returns limitations that a mode has on other systems than Linux.
func outsideLinux(limitations string) string {
	if runtime.GOOS == "linux" {
		return ""
	}
	return limitations
}

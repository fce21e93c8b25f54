// Package modes holds the concurrency models, one file each, and the one list of them.
//
// A mode decides which goroutine, thread or loop runs which job, and when. Everything else is written once: jobs and
// replies in server, their bytes in server/transport and server/eventloop. A mode must not know settings, the bytes of
// a request, or another mode.
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
	Differences      string   // the limits of that comparison
	Choose           string   // when to choose it, the cost of a blocked request, the throughput of blocking work
	Limitations      string   // limitations on this operating system; "" if there are none
	Settings         []string // the settings that it reads, by name

	// Supported returns an error if this system cannot run the mode.
	Supported func() error

	configure func(Options) Instance
}

// An Instance is a Mode with its options applied.
type Instance struct {
	Mode
	Limit        Limit // on all requests
	Offload      Limit // on work that holds a thread or a core, if the mode hands such work to helpers; else N is 0
	Files        int   // descriptors that it needs, without connections
	Capabilities Capabilities

	// Serve accepts from src until ctx is done, and never closes src. It calls app.Accepting once it is open. It admits
	// every request through app, and calls Run of each admitted job at most once. When ctx is done, it stops accepting.
	// Every accepted connection is answered, or announced to close, before it is closed. Serve returns when everything
	// that it started has ended.
	Serve func(ctx context.Context, src *listener.Source, app *server.App) error
}

// Capabilities hold the properties of a mode that clients can rely on.
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

// Options hold the settings of the modes. A change of them needs a new Instance.
type Options struct {
	Workers    int // of pool: number of worker goroutines, at least 1
	MaxThreads int // of thread: maximum number of threads that run requests, at least 1

	// Of eventloop.
	Loops       int  // number of loops, at least 1
	LoopHelpers int  // number of threads for work that would block a loop, at least 1
	Unpatched   bool // all work runs on the loop itself
}

// All lists the modes, in the order in which help shows them. The first is the default. It is an explicit list, read by
// flag help, the command modes, the documentation and the conformance test.
var All = []Mode{goroutineMode, poolMode, singleMode, fastHTTPMode, threadMode, eventLoopMode}

// Named returns the mode with a name. It panics if there is none, because settings accept no other name.
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

// alwaysSupported is a Mode.Supported for modes that run on every system.
func alwaysSupported() error { return nil }

// outsideLinux returns limitations, or "" on Linux.
func outsideLinux(limitations string) string {
	if runtime.GOOS == "linux" {
		return ""
	}
	return limitations
}

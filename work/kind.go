package work

import (
	"io"
	"time"
)

// A Kind describes one kind of work, before anything is opened. To add a kind, write a file with its Kind and add a line
// to kinds.All.
type Kind struct {
	Name        string   // as in --work
	Summary     string   // one line of help: how it waits, and what it holds
	Holds       Resource // what its Work holds while it waits
	SideEffects bool     // it calls a server or writes to a disk, so a request cannot ask for it
	Settings    []string // the settings that it reads, by name

	Limit  func(Options) Limit // on requests at work in one process
	Files  func(Options) int   // descriptors that it needs in addition to those of clients
	Checks []Check

	// Open makes the work. It does not wait for the server that the work calls: that is for Check of a Dependent. After
	// the last call of Do the caller closes the returned closers in reverse order. There are none if err is not nil.
	Open func(Options) (Work, []io.Closer, error)
}

// Options are the values of the settings that kinds of work read.
type Options struct {
	Slots       int           // requests that work mutex lets in at a time, at least 1
	MaxThreads  int           // threads of work block and file, at least 1
	PoolSize    int           // connections of work http and sql, at least 1
	Dir         string        // folder of work file; empty for the system's folder for temporary files
	Target      string        // URL of work http or host:port of work grpc; empty to start a server in this process
	DSN         string        // database of work sql
	DialTimeout time.Duration // time for a dependency to answer beyond the delay, above 0
}

// A Limit is how many requests a kind of work serves at a time, whatever the mode.
type Limit struct {
	N      int    // 0 for no limit
	Unit   string // of which there are N, such as "connection"
	Shared bool   // all processes share the N; otherwise each process has N of its own
}

// A Check finds a mistake in the options of a kind of work.
type Check struct {
	Setting   string              // that is at fault
	DependsOn []string            // the other settings that Func reads
	Func      func(Options) error // returns nil if the options are right
}

// Unlimited is the Kind.Limit of work that serves any number of requests at a time.
func Unlimited(Options) Limit { return Limit{} }

// NoFiles is the Kind.Files of work that needs no descriptors.
func NoFiles(Options) int { return 0 }

// threadLimit is the Kind.Limit of work that holds a thread.
func threadLimit(o Options) Limit { return Limit{N: o.MaxThreads, Unit: "thread"} }

// opens returns a Kind.Open that calls make, which cannot fail and leaves nothing to close.
func opens(make func(Options) Work) func(Options) (Work, []io.Closer, error) {
	return func(o Options) (Work, []io.Closer, error) { return make(o), nil, nil }
}

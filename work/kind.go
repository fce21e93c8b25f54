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
	Holds       Resource // the resource that its Work holds while it waits
	SideEffects bool     // it calls a server or writes to a disk, so requests cannot ask for it
	Settings    []string // the settings that it reads, by name

	Limit  func(Options) Limit // on requests at work in one process
	Files  func(Options) int   // descriptors that it needs, without clients
	Checks []Check

	// Open makes the work. It does not wait for a server that the work calls: see Dependent.Check. After the last call
	// of Do, the caller closes the returned closers in reverse order. There are none if err is not nil.
	Open func(Options) (Work, []io.Closer, error)
}

// Options hold the values of the settings that kinds of work read.
type Options struct {
	Slots       int           // of work mutex, at least 1
	MaxThreads  int           // threads of work block and file, at least 1
	PoolSize    int           // connections of work http and sql, at least 1
	Dir         string        // folder of work file; empty for the system's folder for temporary files
	Target      string        // URL of work http or host:port of work grpc; empty to start a server in this process
	DSN         string        // database of work sql
	DialTimeout time.Duration // time for a dependency to answer beyond the delay, above 0
}

// A Limit is the number of requests that a kind of work serves at a time, in every mode.
type Limit struct {
	N      int    // 0 for no limit
	Unit   string // what there are N of, such as "connection"
	Shared bool   // all processes share the N; otherwise each process has its own
}

// A Check finds a mistake in the options of a kind of work.
type Check struct {
	Setting   string              // the setting at fault
	DependsOn []string            // the other settings that Func reads
	Func      func(Options) error // returns nil if the options are right
}

// Unlimited is a Kind.Limit for work without a limit.
func Unlimited(Options) Limit { return Limit{} }

// NoFiles is a Kind.Files for work that needs no descriptors.
func NoFiles(Options) int { return 0 }

// threadLimit is a Kind.Limit for work that holds a thread.
func threadLimit(o Options) Limit { return Limit{N: o.MaxThreads, Unit: "thread"} }

// opens returns a Kind.Open that calls make. There is nothing to close.
func opens(make func(Options) Work) func(Options) (Work, []io.Closer, error) {
	return func(o Options) (Work, []io.Closer, error) { return make(o), nil, nil }
}

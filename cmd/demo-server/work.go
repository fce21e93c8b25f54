package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"

	"demo-server/backend"
	"demo-server/bench/result"
	"demo-server/configs"
	"demo-server/work"
	"demo-server/work/remote"
)

// A kind is a kind of work. All but open is known from settings alone: nothing is made, and nobody called.
type kind struct {
	name  string // as in --work
	about string // what it does for the delay, in a line of help
	holds work.Resource
	bound func(*configs.Settings) workBound // of its own, whatever the mode
	open  func(*works, *configs.Settings) (work.Work, error)
}

// A workBound is how many requests work can deal with at a time.
type workBound struct {
	places int    // in each process; 0 for any number
	noun   string // what each of them has: one of these is a place
	shared bool   // all processes have the places together
}

// kinds are all kinds of work, in the order of configs.Kinds.
var kinds = []kind{
	{"sleep", "wait for a timer, which holds nothing", work.Nothing, unbound, func(*works, *configs.Settings) (work.Work, error) { return work.NewSleep(), nil }},
	{"block", "sit in a system call, which holds a thread", work.Thread, threads, (*works).block},
	{"cpu", "hash for as much CPU time, which holds a core", work.Core, cores, func(*works, *configs.Settings) (work.Work, error) { return work.NewCPU(), nil }},
	{"mutex", "sleep with one of a few slots, as with a lock", work.Slot, slots, (*works).mutex},
	{"file", "write, sync and read back files, which holds a thread", work.Thread, threads, (*works).file},
	{"http", "wait for a reply of an HTTP server, over a pool of connections", work.Socket, connections, (*works).http},
	{"sql", "wait for a query of PostgreSQL, over a pool of connections", work.Socket, connections, (*works).sql},
	{"grpc", "wait for a call of a gRPC server, over one channel", work.Socket, unbound, (*works).grpc},
}

// of is how many places all processes have, in words too.
func (b workBound) of(settings *configs.Settings) (places int, words string) {
	words = fmt.Sprintf("%d %s", b.places, plural(b.noun, b.places))
	if b.shared {
		return b.places, words
	}
	return processes(settings) * b.places, inEach(settings, words)
}

func unbound(*configs.Settings) workBound { return workBound{} }

func threads(s *configs.Settings) workBound { return workBound{places: s.MaxThreads, noun: "thread"} }

// cores are what computing is shared out to: further requests do not wait, but all take longer. GOMAXPROCS has 2 for a
// CPU quota of 1.
func cores(*configs.Settings) workBound {
	return workBound{places: min(runtime.GOMAXPROCS(0), result.WholeCores()), noun: "core", shared: true}
}

func slots(s *configs.Settings) workBound { return workBound{places: s.Slots, noun: "slot"} }

func connections(s *configs.Settings) workBound {
	return workBound{places: s.PoolSize, noun: "connection"}
}

func kindOf(name string) kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	return kinds[i] // a test holds the names against those of configs, which are all that settings let pass
}

// works are the work that the settings ask for, as long as it is open.
type works struct {
	usual work.Work            // of a request that asks for no other
	asked map[string]work.Work // by name, of those that do
	ends  []io.Closer          // in the order in which they were opened
}

// openWorks makes the work. It waits for nobody: whether what the work depends on answers, its Check says.
func openWorks(settings *configs.Settings) (*works, error) {
	w := &works{asked: map[string]work.Work{}}
	var err error
	if w.usual, err = w.open(settings.Work, settings); err != nil {
		return nil, errors.Join(err, w.close())
	}
	for _, name := range settings.Asked() {
		if name == settings.Work {
			w.asked[name] = w.usual // and shares its pool
		} else if w.asked[name], err = w.open(name, settings); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

func (w *works) open(name string, settings *configs.Settings) (work.Work, error) {
	opened, err := kindOf(name).open(w, settings)
	if err != nil {
		return nil, fmt.Errorf("work %s: %w", name, err)
	}
	if closer, ok := opened.(io.Closer); ok {
		w.ends = append(w.ends, closer)
	}
	return opened, nil
}

// close ends all, the last first. No work may be under way.
func (w *works) close() error {
	var errs []error
	for _, end := range slices.Backward(w.ends) {
		errs = append(errs, end.Close())
	}
	w.ends = nil
	return errors.Join(errs...)
}

func (*works) block(s *configs.Settings) (work.Work, error) { return work.NewBlock(s.MaxThreads), nil }

func (*works) mutex(s *configs.Settings) (work.Work, error) { return work.NewMutex(s.Slots), nil }

func (*works) file(s *configs.Settings) (work.Work, error) {
	file, err := opened(work.NewFile(s.Dir, s.MaxThreads, s.DialTimeout))
	if err != nil {
		return nil, fmt.Errorf("%w (see --dir)", err)
	}
	return file, nil
}

func (w *works) http(s *configs.Settings) (work.Work, error) {
	target := s.Target
	if target == "" {
		address, err := w.embed(backend.StartHTTP, s.PoolSize+spareConnections)
		if err != nil {
			return nil, err
		}
		target = "http://" + address + "/"
	}
	return opened(remote.NewHTTP(target, s.PoolSize, s.DialTimeout))
}

func (*works) sql(s *configs.Settings) (work.Work, error) {
	return opened(remote.NewSQL(string(s.DSN), s.PoolSize, s.DialTimeout))
}

func (w *works) grpc(s *configs.Settings) (work.Work, error) {
	target := s.Target
	if target == "" {
		address, err := w.embed(backend.StartGRPC, spareConnections)
		if err != nil {
			return nil, err
		}
		target = address
	}
	return opened(remote.NewGRPC(target, s.DialTimeout))
}

// opened keeps what is nil from becoming an interface that is not.
func opened[W work.Work](made W, err error) (work.Work, error) {
	if err != nil {
		return nil, err
	}
	return made, nil
}

// spareConnections is how many connections a server in this process takes beyond those of the work's pool: for checks, and
// for gRPC, whose calls share one.
const spareConnections = 4

// embed starts a server for the work to wait for in this process. It ends after the work.
func (w *works) embed(start starter, maxConnections int) (address string, err error) {
	server, err := start("127.0.0.1:0", maxConnections)
	if err != nil {
		return "", fmt.Errorf("cannot start a server to call: %w", err)
	}
	w.ends = append(w.ends, server)
	return server.Addr().String(), nil
}

package modes

import (
	"context"
	"fmt"
	"runtime"

	"demo-server/server"
	"demo-server/server/eventloop"
	"demo-server/server/listener"
	"demo-server/work"
)

// The eventloop mode needs no goroutine and no thread for a request that only waits. A few loops, each a goroutine,
// read, parse, wait and write for all connections.
//
// Mechanism: the resource that the work holds decides where it runs. Work that holds nothing is an entry in its loop's
// timers. Work that waits on a socket is a goroutine, which wakes the loop at its end. Work that holds a thread or a
// core goes to a fixed number of helper threads, like gevent's threadpool, because the loop must never block. Without
// patched it does block: every job runs on its loop, including waits, as in a gevent server without monkey-patching.
//
// Limit: none of its own for work that holds nothing or a socket. For work that holds a thread or a core, loop-helpers
// with a queue in front of them. Without patched, one request at a time for each loop.
//
// Weakness: anything that takes long on the loop itself, even parsing, delays all of the loop's connections.
var eventLoopMode = Mode{
	Name:             "eventloop",
	Summary:          "no goroutine per request: event loops with timers, on epoll",
	PythonEquivalent: "gevent's hub on libev; with --patched=false, a gevent server that nobody monkey-patched",
	Differences:      "a greenlet has a stack and a request here has none; unpatched: Flask threaded=True runs on threads all the same",
	Choose:           "for tens of thousands of requests that only wait: a blocked one costs 0.4 kB. Not for work that holds a thread: --work=block gets what loop-helpers do, 20% of what 40 clients can ask for",
	Settings:         []string{"loops", "loop-helpers", "patched", "queue", "queue-timeout"},
	Supported:        func() error { return epollOn(runtime.GOOS) },
	configure: func(o Options) Instance {
		i := Instance{
			Limit:        Limit{Overflow: Admit},
			Offload:      Limit{N: o.LoopHelpers, Unit: "helper", Setting: "loop-helpers", Overflow: Queue},
			Files:        filesPerLoop * o.Loops,
			Capabilities: Capabilities{KeepsAlive: true, SeesDisconnect: true},
			Serve: func(ctx context.Context, src *listener.Source, app *server.App) error {
				return serveEventLoop(ctx, src, app, o)
			},
		}
		if o.Unpatched {
			i.Limit = Limit{N: o.Loops, Unit: "loop", Setting: "loops", Overflow: AcceptQueue}
			i.Offload = Limit{}
			i.Capabilities.SeesDisconnect = false
		}
		return i
	},
}

// filesPerLoop is the number of descriptors of an event loop: epoll and its duplicate, a timer, and an event to wake
// it.
const filesPerLoop = 4

func serveEventLoop(ctx context.Context, src *listener.Source, app *server.App, o Options) error {
	if o.Unpatched {
		return eventloop.Serve(ctx, src, app, o.Loops, eventloop.Runnable.RunInline)
	}
	helpers := newWorkerPool(o.LoopHelpers, eventloop.Offloaded.Run)
	defer helpers.Close()
	return eventloop.Serve(ctx, src, app, o.Loops, func(r eventloop.Runnable) {
		switch r.Holds() {
		case work.Nothing:
			r.Sleep()
		case work.Thread, work.Core:
			helpers.Submit(r.Offload())
		default:
			go r.Offload().Run()
		}
	})
}

// epollOn returns an error if a system has no epoll.
func epollOn(system string) error {
	if system == "linux" {
		return nil
	}
	return fmt.Errorf("needs Linux's epoll; all other modes run on %s", system)
}

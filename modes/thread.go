package modes

import (
	"context"
	"runtime"
	"sync"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/server/transport"
)

// The thread mode runs each request's job on an OS thread of its own, which is started for it and ends with it.
//
// Mechanism: a goroutine that is locked to its thread keeps that thread to itself, also while it sleeps, and one that
// ends without being unlocked takes the thread with it. The connection's goroutine reads, waits and writes; it is the
// job that has a thread.
//
// Bound: max-threads. A place ends with its thread, before the connection's goroutine writes the reply. A request beyond it is refused with 503 at once: the Go runtime ends a program that has 10,000
// threads, and a machine feels it before.
//
// Where it breaks: each blocked request costs the kernel a thread (its stack, its place in the scheduler, some 10 µs to
// start and end it), where a goroutine costs a few kB. It is the one mode here to which work that really blocks its
// thread makes no difference.
var threadMode = Mode{
	Name:             "thread",
	Summary:          "an OS thread per request, up to a number of them, on net/http",
	PythonEquivalent: "Flask threaded=True; grpc_gevent as the article ran it, on threads",
	Differences:      "Flask has no limit, one lock (the GIL) for all threads, and a thread per connection that also reads and writes",
	Choose:           "for work that needs an OS thread of its own, such as C libraries with thread-local state. A blocked request costs 39 kB and a thread; --work=block gets 99%, up to max-threads",
	Limitations:      outsideLinux("backlog in Server-Timing; a client that leaves after pipelining a request is not seen"),
	Settings:         []string{"max-threads"},
	Supported:        alwaysSupported,
	configure: func(o Options) Instance {
		return Instance{
			Limit:        Limit{N: o.MaxThreads, Unit: "thread", Setting: "max-threads", Overflow: Refuse},
			Capabilities: Capabilities{KeepsAlive: true, SeesDisconnect: true},
			Serve:        serveThread,
		}
	},
}

func serveThread(ctx context.Context, src *listener.Source, app *server.App) error {
	var running sync.WaitGroup
	err := transport.NetHTTP(ctx, src, app, func(job *server.Job) {
		running.Go(func() {
			runtime.LockOSThread() // and never unlocked, so that the thread ends here too
			job.Run()
		})
	})
	running.Wait()
	return err
}

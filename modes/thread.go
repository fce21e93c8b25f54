package modes

import (
	"context"
	"runtime"
	"sync"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/server/transport"
)

// The thread mode runs each request's job on a new OS thread, which ends with the job.
//
// Mechanism: a goroutine that is locked to its thread keeps that thread, even while it sleeps. If it ends without being
// unlocked, the thread ends too. The connection's goroutine reads, waits and writes; only the job has a thread.
//
// Limit: max-threads. A place is released with its thread, before the connection's goroutine writes the reply. Further
// requests are refused with 503 at once: the Go runtime ends a program with 10,000 threads, and a machine suffers
// before that.
//
// Weakness: each blocked request costs the kernel a thread (its stack, its scheduling, some 10 µs to start and
// end it), while a goroutine costs a few kB. It is the only mode here in which work that blocks its thread makes no
// difference.
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
			runtime.LockOSThread() // never unlocked: the thread ends here too
			job.Run()
		})
	})
	running.Wait()
	return err
}

package modes

import (
	"context"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/server/transport"
)

// The pool mode runs jobs on a fixed number of goroutines, the workers.
//
// Mechanism: a connection's goroutine reads the request and admits it. The one queue (server/admission) has as many
// places as there are workers. A job with a place goes to a free worker, and further jobs wait, first in, first out. A
// place stands for a worker, so the job releases it when its work ends.
//
// Limit: workers / delay requests a second. Beyond that the queue fills. A full queue refuses with 503 at once, and a
// job that has waited for queue-timeout is refused too.
//
// Weakness: net/http still uses a goroutine for each connection. The pool limits work, and max-connections
// limits connections. The connection's goroutine also writes the reply, even to a slow reader, while the worker runs
// the next job. A thread of gthread writes its reply itself, so slow readers hold its threads.
var poolMode = Mode{
	Name:             "pool",
	Summary:          "a fixed number of worker goroutines behind one bounded queue, on net/http",
	PythonEquivalent: "gunicorn gthread: a pool of threads",
	Differences:      "gthread never refuses, its queue has no end; and its threads write the replies, so that slow readers hold them",
	Choose:           "to protect something scarce behind it: what is too much waits in a queue or is refused. A waiting request costs 17 kB; --work=block gets 99% of what the clients can ask for",
	Limitations:      outsideLinux("backlog in Server-Timing; a client that leaves after pipelining a request is not seen"),
	Settings:         []string{"workers", "queue", "queue-timeout"},
	Supported:        alwaysSupported,
	configure: func(o Options) Instance {
		return Instance{
			Limit:        Limit{N: o.Workers, Unit: "worker", Setting: "workers", Overflow: Queue},
			Capabilities: Capabilities{KeepsAlive: true, SeesDisconnect: true},
			Serve: func(ctx context.Context, src *listener.Source, app *server.App) error {
				return servePool(ctx, src, app, o.Workers)
			},
		}
	},
}

func servePool(ctx context.Context, src *listener.Source, app *server.App, workers int) error {
	crew := newWorkerPool(workers, (*server.Job).Run)
	defer crew.Close()
	return transport.NetHTTP(ctx, src, app, crew.Submit)
}

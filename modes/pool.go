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
// places as there are workers: a job that gets a place is handed to whichever worker is free, and the others wait in
// line, first in, first out. A place stands for a worker, so the job gives it back when its work ends.
//
// Bound: workers / delay requests a second. Then the queue fills; a full one refuses with 503 at once, and a job that
// waits in it for longer than queue-timeout is refused too.
//
// Where it breaks: net/http still holds a goroutine for each connection, so the pool bounds work and not connections
// (max-connections does). The connection's goroutine also writes the reply, however slowly the client reads it, while the
// worker goes on with the next job. A thread of gthread writes its reply itself, so that slow readers hold its threads.
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

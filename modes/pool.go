package modes

import (
	"context"

	"demo-server/server"
	"demo-server/server/transport"
)

// The pool mode runs jobs on a fixed number of goroutines, the workers.
//
// Mechanism: a connection's goroutine reads the request and admits it. The one queue (server/admission) has as many
// places as there are workers: a job that gets a place is handed to whichever worker is free, and the others wait in
// line, first in, first out. The place is given back when the reply is written.
//
// Bound: workers / delay requests a second. Then the queue fills; a full one refuses with 503 at once, and a job that
// waits in it for longer than queue-timeout is refused too.
//
// Where it breaks: net/http still holds a goroutine for each connection, so the pool bounds work and not connections
// (max-connections does). A client that reads its reply slowly holds its place, as it holds a thread of gthread. And
// with a queue of 0 a client's next request can come a moment before the place of its last one is free, and is refused.
func newPool(workers int) Mode {
	return Mode{
		Name:      "pool",
		Summary:   "a fixed number of worker goroutines behind one bounded queue, on net/http",
		Mirrors:   "gunicorn gthread: a pool of threads",
		Differs:   "gthread never refuses: its queue has no end",
		Bound:     BoundWorkers,
		Places:    workers,
		Excess:    Queued,
		Lacks:     lacksOutsideLinux("backlog in Server-Timing; a client that leaves after pipelining a request is not seen"),
		Supported: everywhere,
		Serve: func(ctx context.Context, src *server.Source, app *server.App) error {
			return servePool(ctx, src, app, workers)
		},
	}
}

func servePool(ctx context.Context, src *server.Source, app *server.App, workers int) error {
	crew := newCrew(workers, (*server.Job).Run)
	defer crew.end()
	return transport.NetHTTP(ctx, src, app, crew.give)
}

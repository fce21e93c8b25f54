package modes

import (
	"context"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/server/transport"
)

// The goroutine mode runs each request's job on the goroutine that net/http started for its connection. This is Go's
// standard server, without any decision.
//
// Mechanism: a blocked goroutine costs no thread. The runtime parks it and gives its thread to another one, as gevent's
// hub switches greenlets, but on all cores and without patching.
//
// Limit: none of its own. Memory grows with every blocked request (docs/measurements.md), up to
// max-connections.
//
// Weakness: overload. It admits everything. Work that needs a core or a lock gets slower for all requests,
// instead of being refused for some.
var goroutineMode = Mode{
	Name:             "goroutine",
	Summary:          "a goroutine per request on net/http, unbounded",
	PythonEquivalent: "gevent: a greenlet per request",
	Differences:      "gevent uses one core; goroutines use all of them",
	Choose:           "by default: it copes with all that blocks. A blocked request costs 17 kB; --work=block gets 99% of what the clients can ask for",
	Limitations:      outsideLinux("backlog in Server-Timing; a client that leaves after pipelining a request is not seen"),
	Supported:        alwaysSupported,
	configure: func(Options) Instance {
		return Instance{
			Limit:        Limit{Overflow: Admit},
			Capabilities: Capabilities{KeepsAlive: true, SeesDisconnect: true},
			Serve: func(ctx context.Context, src *listener.Source, app *server.App) error {
				return transport.NetHTTP(ctx, src, app, (*server.Job).Run)
			},
		}
	},
}

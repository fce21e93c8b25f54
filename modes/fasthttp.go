package modes

import (
	"context"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/server/transport"
)

// The fasthttp mode runs each request's job on a goroutine of fasthttp's server: the same decision as the goroutine
// mode, over another I/O library.
//
// Mechanism: fasthttp keeps the goroutines, requests and buffers of finished connections and uses them again, last
// used first, so that a request allocates nothing.
//
// Bound: none of its own; max-connections, as in goroutine.
//
// Where it breaks: where goroutine does. Its handlers never learn from it that a client has left; here an epoll set of
// our own tells them (server/transport).
var fastHTTPMode = Mode{
	Name:             "fasthttp",
	Summary:          "fasthttp's server, which uses goroutines and requests again, unbounded",
	PythonEquivalent: "the article's second stack (Flask+grpc_gevent): the same handler over another I/O library",
	Differences:      "goroutines, not an event loop; the article's variant ran on threads",
	Choose:           "to save CPU, 8 µs a request where goroutine takes 14, if the code does without net/http. A blocked request costs 14 kB; --work=block gets 99%",
	Limitations:      outsideLinux("backlog in Server-Timing; a client that leaves is not seen"),
	Supported:        alwaysSupported,
	configure: func(Options) Instance {
		return Instance{
			Limit:        Limit{Overflow: Admit},
			Capabilities: Capabilities{KeepsAlive: true, SeesDisconnect: true},
			Serve: func(ctx context.Context, src *listener.Source, app *server.App) error {
				return transport.FastHTTP(ctx, src, app, (*server.Job).Run)
			},
		}
	},
}

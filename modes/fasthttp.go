package modes

import (
	"context"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/server/transport"
)

// The fasthttp mode runs each request's job on a goroutine of fasthttp's server. It makes the same decision as the
// goroutine mode, with another I/O library.
//
// Mechanism: fasthttp reuses the goroutines, requests and buffers of finished connections, the last used first. A
// request allocates nothing.
//
// Limit: none of its own; max-connections, as in goroutine.
//
// Weakness: as goroutine does. fasthttp does not notice disconnects; an epoll set of our own does
// (server/transport).
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

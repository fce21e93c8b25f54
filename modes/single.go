package modes

import (
	"context"
	"runtime"

	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/server/transport"
)

// The single mode does everything on one goroutine that is locked to one OS thread. It accepts a connection, reads one
// request, works, writes the reply, closes, and only then accepts the next one.
//
// Mechanism: none, and that is the point. All other connections wait in the kernel's accept queue and look open
// to their clients. Server-Timing's backlog shows how long each one waited there.
//
// Limit: 1 / delay requests a second, and the length of the accept queue (backlog). Beyond that, the kernel drops SYNs.
//
// Weakness: one slow client stops all others. A silent one does so for read-header-timeout, one that sends its
// request slowly for read-request-timeout, and one that reads its reply slowly as long as it takes 1 KiB/s. Connections
// cannot be kept, because a kept one would be the only one.
var singleMode = Mode{
	Name:             "single",
	Summary:          "one thread accepts, reads, works, writes and closes: one request at a time",
	PythonEquivalent: "Flask threaded=False, gunicorn's sync worker",
	Differences:      "a slow request holds it for read-request-timeout at most; Flask sets no limit, gunicorn kills the worker",
	Choose:           "to see what one request at a time means, not to serve. Waiting requests cost the kernel a connection; --work=block gets 1 / delay, as all work does",
	Limitations:      outsideLinux("backlog in Server-Timing; a client that leaves is not seen; the wait is a Go timer and not the thread's own"),
	Supported:        alwaysSupported,
	configure: func(Options) Instance {
		return Instance{
			Limit:        Limit{N: 1, Overflow: AcceptQueue},
			Capabilities: Capabilities{SeesDisconnect: true},
			Serve:        serveSingle,
		}
	},
}

func serveSingle(ctx context.Context, src *listener.Source, app *server.App) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	blocking, err := transport.NewBlocking(ctx, src, app)
	if err != nil {
		return err
	}
	defer blocking.Close()
	app.Schedule(blocking.Run)
	for conn := blocking.Next(); conn != nil; conn = blocking.Next() {
		if job := conn.Read(); job != nil {
			app.Admit(job)
		}
		conn.Write()
	}
	return nil
}

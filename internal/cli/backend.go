package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"time"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/internal/obslog"
	"demo-server/internal/service"
	"demo-server/work/remote/backend"
)

// backendGrace limits the wait for calls in flight when the backends stop. It is longer than a client may hold a
// connection without progress.
const backendGrace = 15 * time.Second

// newBackend returns the command that runs the servers that remote work calls. On another machine, the calls cross a
// real network.
func newBackend() commandSpec {
	var b backendServers
	return commandSpec{
		use: "backend", short: "serve what --work=http and --work=grpc wait for",
		flags: func(f *flagSet) {
			f.word(&b.host, "host", "127.0.0.1", "HOST", "address to listen on")
			f.number(&b.httpPort, "http-port", "7781", 0, 65535, "port of the HTTP backend, where GET /?delay=300ms is answered after the delay; 0 picks a free one")
			f.number(&b.grpcPort, "grpc-port", "7782", 0, 65535, "port of the gRPC backend, where demo.Backend's method Wait is answered after the delay that it is sent; 0 picks a free one")
		},
		run: func(s *streams, _ *configs.Settings, _ *commandLine) error { return b.run(s) },
	}
}

// backendServers holds the addresses of the servers.
type backendServers struct {
	host               string
	httpPort, grpcPort int
}

// run serves until a signal stops it, and completes the calls in flight. A second signal ends it immediately. It prints
// one line with the addresses once it listens.
func (b backendServers) run(s *streams) error {
	running, stop := service.UntilSignal(context.Background())
	defer stop()
	obslog.IgnoreBrokenPipe()
	service.ServeInBackground()
	defer logOf(s.errOut)()
	web, err := b.open(backend.StartHTTP, b.httpPort, "--http-port")
	if err != nil {
		return err
	}
	defer web.Close()
	rpc, err := b.open(backend.StartGRPC, b.grpcPort, "--grpc-port")
	if err != nil {
		return err
	}
	defer rpc.Close()
	fmt.Fprintf(s.out, "ready: http://%s/ and gRPC on %s\n", service.Reachable(web.Addr()), service.Reachable(rpc.Addr()))
	<-running.Done()
	return stopBoth(web, rpc)
}

// A starter starts a backend on an address, with a limit on connections.
type starter func(address string, maxConnections int) (*backend.Server, error)

// open starts one of the two backends. Each may use half of the open files.
func (b backendServers) open(start starter, port int, flag string) (*backend.Server, error) {
	address := net.JoinHostPort(b.host, strconv.Itoa(port))
	server, err := start(address, max(1, catalog.PossibleConnections()/2))
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %s", address, service.Advise(err, flag))
	}
	return server, nil
}

// logOf redirects Go's own log, which libraries use, to out, without waiting for its reader. undo ends the redirection.
func logOf(out io.Writer) (undo func()) {
	w := obslog.NewWriter(out, func(lines uint64) error {
		_, err := fmt.Fprintf(out, "%s: %d log lines dropped\n", program, lines)
		return err
	})
	before := log.Writer()
	log.SetOutput(w)
	return func() {
		log.SetOutput(before)
		w.Close()
	}
}

// stopBoth stops both servers at the same time, because none may accept new calls while the other one ends.
func stopBoth(web, rpc *backend.Server) error {
	grace, cancel := context.WithTimeout(context.Background(), backendGrace)
	defer cancel()
	grace, stop := service.UntilSecondSignal(grace)
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- web.Stop(grace) }()
	return errors.Join(rpc.Stop(grace), <-stopped)
}

package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"demo-server/work"
	"demo-server/work/remote/backend"
)

// waitMethod is the method that answers after the duration in its request. Package backend has such a server.
const waitMethod = "/demo.Backend/Wait"

// reconnect is faster than gRPC's default, which goes up to two minutes.
var reconnect = backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}

// connectTimeout limits an attempt to connect. An attempt without an answer must not delay the next one.
const connectTimeout = 5 * time.Second

// GRPCKind describes GRPC.
var GRPCKind = work.Kind{
	Name:        "grpc",
	Summary:     "wait for a call of a gRPC server, over one channel",
	Holds:       work.Socket,
	SideEffects: true,
	Settings:    []string{"target", "dial-timeout"},
	Limit:       work.Unlimited,
	Files:       work.NoFiles,
	Checks: []work.Check{{Setting: "target", Func: func(o work.Options) error {
		if o.Target == "" {
			return nil
		}
		return CheckAddress(o.Target)
	}}},
	Open: func(o work.Options) (work.Work, []io.Closer, error) {
		target, closers, err := orBackend(o.Target, backend.StartGRPC, spareConnections)
		if err != nil {
			return nil, nil, err
		}
		channel, err := NewGRPC(target, o.DialTimeout)
		return opened(channel, err, closers)
	},
}

// A GRPC waits for a unary call. All calls share one channel, which is one connection that reconnects by itself. The
// number of concurrent calls is not limited.
type GRPC struct {
	server  string // for errors
	margin  time.Duration
	channel *grpc.ClientConn
	dialled atomic.Pointer[error] // the error of the last attempt to connect; nil while connected
}

// NewGRPC returns work that calls the server at target (host:port) without TLS. It starts to connect, but does not
// wait. An answer that takes margin longer than the delay has timed out.
func NewGRPC(target string, margin time.Duration) (*GRPC, error) {
	if err := CheckAddress(target); err != nil {
		return nil, fmt.Errorf("target %w", err)
	}
	g := &GRPC{server: "gRPC server at " + target, margin: margin}
	var err error
	// The dialler resolves the name each time, because gRPC resolves it again only after half a minute.
	g.channel, err = grpc.NewClient("passthrough:///"+target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(g.dial),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: connectTimeout}),
		grpc.WithDisableRetry(), // gRPC then only retries calls that the server has not processed
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0), // an idle channel would make the next call wait for a connection
	)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", target, err)
	}
	g.channel.Connect()
	return g, nil
}

// CheckAddress returns an error if target is not valid for NewGRPC.
func CheckAddress(target string) error {
	_, port, err := net.SplitHostPort(target)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
		return fmt.Errorf("%q is not an address; want one such as 127.0.0.1:7782", target)
	}
	return nil
}

// dial keeps its error, because the status of a call only has its text.
func (g *GRPC) dial(ctx context.Context, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		g.dialled.Store(&err)
		return nil, err
	}
	g.dialled.Store(nil)
	return conn, nil
}

// Holds returns Socket.
func (g *GRPC) Holds() work.Resource { return work.Socket }

// Do calls the server and waits for the answer. If there is no connection, it waits for the present attempt to connect,
// but not for a second one. The error is a *work.Failure, or ctx.Err().
func (g *GRPC) Do(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	call, cancel := within(ctx, delay+g.margin)
	defer cancel()
	var server peer.Peer
	var answer wrapperspb.StringValue
	if err := g.channel.Invoke(call, waitMethod, durationpb.New(delay), &answer, grpc.Peer(&server)); err != nil {
		return unless(ctx, g.failed(err, &server))
	}
	return nil
}

// Check asks for the server's health. A server without the health service is healthy if it answers.
func (g *GRPC) Check(ctx context.Context) error {
	var server peer.Peer
	health, err := grpc_health_v1.NewHealthClient(g.channel).Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.Peer(&server))
	switch {
	case status.Code(err) == codes.Unimplemented:
		return nil
	case err != nil:
		return g.failed(err, &server).Err
	case health.Status != grpc_health_v1.HealthCheckResponse_SERVING:
		return answered(g.server, work.Refused, health.Status.String()).Err
	}
	return nil
}

// Close closes the connection, and ends the calls on it.
func (g *GRPC) Close() error { return g.channel.Close() }

// failed returns the failure of a call. err is its status. server has no address if the call did not reach one.
func (g *GRPC) failed(err error, server *peer.Peer) *work.Failure {
	told, dialled := status.Convert(err), g.dialled.Load()
	switch {
	case told.Code() == codes.DeadlineExceeded:
		return failed(g.server, context.DeadlineExceeded)
	case told.Code() == codes.Unavailable && server.Addr == nil && dialled != nil:
		return failed(g.server, *dialled)
	case told.Code() == codes.Unavailable:
		return failed(g.server, errors.New(told.Message()))
	}
	return answered(g.server, work.Broken, told.Code().String()+": "+told.Message())
}

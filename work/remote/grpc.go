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

// waitMethod is what the server answers after the duration that it is sent. Package backend has such a server.
const waitMethod = "/demo.Backend/Wait"

// reconnect is soon after a server was started again: gRPC's own goes up to two minutes.
var reconnect = backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}

// connectTimeout bounds an attempt to connect, so that one which gets no answer does not keep the next from being made.
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

// GRPC is work that waits for a unary call. All calls share one channel, which is one connection that connects again by
// itself; there is no bound on how many of them are under way.
type GRPC struct {
	server  string // for errors
	margin  time.Duration
	channel *grpc.ClientConn
	dialled atomic.Pointer[error] // why there was no connection, the last time; nil as long as there was one
}

// NewGRPC returns work that calls the server at target, which is host:port, without TLS. It does not wait for the
// connection, which it begins to make. An answer that takes margin longer than the delay has timed out.
func NewGRPC(target string, margin time.Duration) (*GRPC, error) {
	if err := CheckAddress(target); err != nil {
		return nil, fmt.Errorf("target %w", err)
	}
	g := &GRPC{server: "gRPC server at " + target, margin: margin}
	var err error
	// The name is for the dialler to look up each time, because gRPC looks again only after half a minute.
	g.channel, err = grpc.NewClient("passthrough:///"+target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(g.dial),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: connectTimeout}),
		grpc.WithDisableRetry(), // what is left of retries are calls that the server says it has never looked at
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0), // a channel that rests would make the next call wait for a connection
	)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", target, err)
	}
	g.channel.Connect()
	return g, nil
}

// CheckAddress returns what is wrong with a target for NewGRPC, or nil.
func CheckAddress(target string) error {
	_, port, err := net.SplitHostPort(target)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
		return fmt.Errorf("%q is no address; want one such as 127.0.0.1:7782", target)
	}
	return nil
}

// dial keeps the error, because the status of a call has it only in words.
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

// Holds is Socket.
func (g *GRPC) Holds() work.Resource { return work.Socket }

// Do calls, and waits for the answer. Where there is no connection it waits for an attempt that is being made, but for no
// second one. The error is a *work.Failure, or ctx.Err().
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

// Check asks for the server's health. A server that has no such service is fit as long as it answers.
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

// Close ends the connection, and what is under way on it.
func (g *GRPC) Close() error { return g.channel.Close() }

// failed is the failure of a call, of which err is the status; server has no address where the call never reached one.
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

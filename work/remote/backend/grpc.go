package backend

import (
	"context"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"demo-server/connlimit"
)

// service is written by hand, because it has one method and its messages are well known types. As a .proto:
//
//	package demo;
//	service Backend { rpc Wait(google.protobuf.Duration) returns (google.protobuf.StringValue); }
var service = grpc.ServiceDesc{
	ServiceName: "demo.Backend",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Wait", Handler: waitCall}},
}

// Limits on gRPC clients. A silent connection is pinged after connlimit.Stall, and closed if it does not answer.
const (
	// handshakeTimeout is well below any grace, because stopping waits for handshakes.
	handshakeTimeout = 5 * time.Second
	// minPing is how often a client may ping the server.
	minPing = 10 * time.Second
	// maxGRPCHeader and maxGRPCMessage are in bytes. A message is a duration.
	maxGRPCHeader  = 16 << 10
	maxGRPCMessage = 1 << 10
)

// StartGRPC serves gRPC without TLS on address, whose port may be 0 for a free one: method Wait of demo.Backend, and
// the standard health service. It accepts at most maxConnections connections at a time.
func StartGRPC(address string, maxConnections int) (*Server, error) {
	return listen(address, maxConnections, serveGRPC)
}

func serveGRPC(listener net.Listener, maxConnections int) *Server {
	s := grpc.NewServer(
		grpc.WaitForHandlers(true),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.MaxHeaderListSize(maxGRPCHeader),
		grpc.MaxRecvMsgSize(maxGRPCMessage),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: idleTimeout, Time: connlimit.Stall, Timeout: connlimit.Stall,
		}),
	)
	calls := &waiting{}
	s.RegisterService(&service, calls)
	checks := health.NewServer()
	grpc_health_v1.RegisterHealthServer(s, checks)
	return start(connlimit.Listen(listener, maxConnections), &grpcServer{s, checks}, calls)
}

// waitCall answers after the requested duration. It ends early if the caller cancels or disconnects.
func waitCall(calls any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var asked durationpb.Duration
	if err := decode(&asked); err != nil {
		return nil, err
	}
	delay := asked.AsDuration()
	if err := checkDelay(delay); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := calls.(*waiting).wait(ctx, delay); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	return wrapperspb.String(greeting), nil
}

// A grpcServer is gRPC's server as a serving.
type grpcServer struct {
	*grpc.Server
	health *health.Server
}

func (s *grpcServer) Serve(l net.Listener) error {
	if err := s.Server.Serve(l); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil // it was stopped before it began
}

func (s *grpcServer) finish(ctx context.Context) bool {
	s.health.Shutdown() // health checks now report that it is stopping
	cut := context.AfterFunc(ctx, s.Server.Stop)
	s.GracefulStop()
	return cut()
}

func (s *grpcServer) cut() { s.Server.Stop() }

package backend

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// service is written by hand, because its messages are well known types and it has one method. As a .proto:
//
//	package demo;
//	service Backend { rpc Wait(google.protobuf.Duration) returns (google.protobuf.StringValue); }
var service = grpc.ServiceDesc{
	ServiceName: "demo.Backend",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Wait", Handler: waitCall}},
}

// StartGRPC serves gRPC without TLS on address, of which port 0 is any that is free: demo.Backend's method Wait, and the
// standard health service.
func StartGRPC(address string) (*Server, error) {
	s := grpc.NewServer(grpc.ConnectionTimeout(headerTimeout), grpc.WaitForHandlers(true))
	calls := &waiting{}
	s.RegisterService(&service, calls)
	checks := health.NewServer()
	grpc_health_v1.RegisterHealthServer(s, checks)
	return start(address, &grpcServer{s, checks}, calls)
}

// waitCall answers after the duration that it is asked for. It ends early when the caller cancels, or leaves.
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

// grpcServer is gRPC's server under the names of serving.
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
	s.health.Shutdown() // who asks is told to stay away
	cut := context.AfterFunc(ctx, s.Server.Stop)
	s.GracefulStop()
	return cut()
}

func (s *grpcServer) cut() { s.Server.Stop() }

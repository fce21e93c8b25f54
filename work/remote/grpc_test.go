package remote_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"demo-server/internal/testkit"
	"demo-server/work"
	"demo-server/work/remote"
)

func TestGRPCTarget(t *testing.T) {
	for _, target := range []string{"", "127.0.0.1", "http://127.0.0.1:80/"} {
		if _, err := remote.NewGRPC(target, testkit.Patience); err == nil {
			t.Errorf("%q is taken as a target", target)
		}
	}
}

// newGRPC returns work with a server that answers each call with err, if it has the service, and with a health service.
func newGRPC(t *testing.T, err error, checker grpc_health_v1.HealthServer) *remote.GRPC {
	t.Helper()
	server := grpc.NewServer()
	if err != nil {
		answer := func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) { return nil, err }
		server.RegisterService(&grpc.ServiceDesc{
			ServiceName: "demo.Backend", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Wait", Handler: answer}},
		}, nil)
	}
	if checker != nil {
		grpc_health_v1.RegisterHealthServer(server, checker)
	}
	listener, listenErr := net.Listen("tcp", anyPort)
	if listenErr != nil {
		t.Fatal(listenErr)
	}
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	w, newErr := remote.NewGRPC(listener.Addr().String(), testkit.Patience)
	if newErr != nil {
		t.Fatal(newErr)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestGRPCAnswers(t *testing.T) {
	for _, row := range []struct {
		name  string
		err   error // nil for a server without the service
		cause work.Cause
	}{
		{"no such service", nil, work.Broken},
		{"its error", status.Error(codes.Internal, "out of luck"), work.Broken},
		{"no answer for now", status.Error(codes.Unavailable, "out of luck"), work.Broken},
		{"a deadline of its own", status.Error(codes.DeadlineExceeded, "too late"), work.TimedOut},
		{"cancelled by itself", status.Error(codes.Canceled, "no more"), work.Broken},
	} {
		t.Run(row.name, func(t *testing.T) {
			wantFailure(t, newGRPC(t, row.err, nil).Do(t.Context(), time.Millisecond), row.cause)
		})
	}
}

func TestGRPCHealth(t *testing.T) {
	ill := health.NewServer()
	ill.Shutdown()
	for _, row := range []struct {
		name   string
		health grpc_health_v1.HealthServer
		well   bool
	}{
		{"serving", health.NewServer(), true},
		{"not serving", ill, false},
		{"no such service", nil, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := newGRPC(t, nil, row.health).Check(t.Context()); (err == nil) != row.well {
				t.Errorf("got %v, want well to be %v", err, row.well)
			}
		})
	}
}

// TestGRPCResumesSoon checks that the growing pauses between attempts to connect stay below about a second.
func TestGRPCResumesSoon(t *testing.T) {
	k := kinds[1]
	address := nobody(t)
	w := k.make(t, address, testkit.Patience)
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		wantFailure(t, w.Do(t.Context(), time.Millisecond), work.Refused)
	}
	k.serve(t, address)
	before := time.Now()
	testkit.Eventually(t, "it is served", func() bool { return w.Do(t.Context(), time.Millisecond) == nil })
	if took := time.Since(before); took > 5*time.Second {
		t.Errorf("served again after %v, want little more than a second", took)
	}
}

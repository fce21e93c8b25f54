package backend_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"demo-server/internal/testkit"
	"demo-server/work/remote/backend"
)

// testConnections is more than these tests need.
const testConnections = 100

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started starts a server, and closes it when the test ends.
func started(t *testing.T, start func(address string, maxConnections int) (*backend.Server, error)) *backend.Server {
	t.Helper()
	server, err := start("127.0.0.1:0", testConnections)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func TestHTTP(t *testing.T) {
	server := started(t, backend.StartHTTP)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: testkit.Patience}
	for _, row := range []struct {
		name, request string
		least         time.Duration
		status        int
		body          string
	}{
		{"no delay", "/", 0, 200, "Hello World"},
		{"a delay", "/?delay=50ms", 50 * time.Millisecond, 200, "Hello World"},
		{"a delay of 0", "/?delay=0s", 0, 200, "Hello World"},
		{"above the cap", "/?delay=601s", 0, 400, "delay 10m1s: want one from 0s to 10m0s\n"},
		{"a negative delay", "/?delay=-1s", 0, 400, "delay -1s: want one from 0s to 10m0s\n"},
		{"no delay at all", "/?delay=soon", 0, 400, "delay \"soon\": want a duration such as 300ms\n"},
		{"nowhere", "/nowhere", 0, 404, "404 page not found\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := time.Now()
			response, err := client.Get("http://" + server.Addr().String() + row.request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != row.status || string(body) != row.body {
				t.Errorf("%d %q, %v; want %d %q", response.StatusCode, body, err, row.status, row.body)
			}
			if took := time.Since(before); took < row.least {
				t.Errorf("answered after %v, want %v at least", took, row.least)
			}
		})
	}
}

// dial returns a channel, and closes it when the test ends.
func dial(t *testing.T, server *backend.Server) *grpc.ClientConn {
	t.Helper()
	channel, err := grpc.NewClient(server.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { channel.Close() })
	return channel
}

// ask calls the only method, and returns the answer.
func ask(ctx context.Context, channel *grpc.ClientConn, delay time.Duration) (string, error) {
	var answer wrapperspb.StringValue
	err := channel.Invoke(ctx, "/demo.Backend/Wait", durationpb.New(delay), &answer)
	return answer.GetValue(), err
}

func TestGRPC(t *testing.T) {
	channel := dial(t, started(t, backend.StartGRPC))
	for _, row := range []struct {
		name   string
		delay  time.Duration
		cancel time.Duration // 0 for never
		least  time.Duration
		code   codes.Code
		answer string
	}{
		{"no delay", 0, 0, 0, codes.OK, "Hello World"},
		{"a delay", 50 * time.Millisecond, 0, 50 * time.Millisecond, codes.OK, "Hello World"},
		{"cancelled", time.Minute, 20 * time.Millisecond, 20 * time.Millisecond, codes.Canceled, ""},
		{"above the cap", backend.MaxDelay + 1, 0, 0, codes.InvalidArgument, ""},
		{"a negative delay", -1, 0, 0, codes.InvalidArgument, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
			defer cancel()
			before := time.Now()
			if row.cancel > 0 {
				defer time.AfterFunc(row.cancel, cancel).Stop()
			}
			answer, err := ask(ctx, channel, row.delay)
			if status.Code(err) != row.code || answer != row.answer {
				t.Errorf("%q, %v; want %q, %v", answer, err, row.answer, row.code)
			}
			if took := time.Since(before); took < row.least {
				t.Errorf("answered after %v, want %v at least", took, row.least)
			}
		})
	}
}

func TestGRPCHealth(t *testing.T) {
	channel := dial(t, started(t, backend.StartGRPC))
	answer, err := grpc_health_v1.NewHealthClient(channel).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || answer.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("%v, %v; want SERVING", answer, err)
	}
}

// TestCallerLeaves checks that the server does not wait for a caller that has disconnected.
func TestCallerLeaves(t *testing.T) {
	for name, row := range servers {
		t.Run(name, func(t *testing.T) {
			server := started(t, row.start)
			ctx, leave := context.WithCancel(t.Context())
			call := begin(ctx, t, server, time.Minute, row.call)
			leave()
			if err := <-call; err == nil {
				t.Error("a call that was cancelled is answered")
			}
			awaitWaiting(t, server, 0)
		})
	}
}

// TestStop checks that calls in progress are answered, unless the deadline comes first.
func TestStop(t *testing.T) {
	for name, row := range servers {
		t.Run(name, func(t *testing.T) {
			server := started(t, row.start)
			call := begin(t.Context(), t, server, 2*time.Second, row.call)
			stop(t, server, testkit.Patience, nil)
			if err := <-call; err != nil {
				t.Error("a call under way got ", err)
			}

			server = started(t, row.start)
			call = begin(t.Context(), t, server, time.Minute, row.call)
			stop(t, server, 50*time.Millisecond, context.DeadlineExceeded)
			if err := <-call; err == nil {
				t.Error("a call is answered before its time")
			}
		})
	}
}

// TestClose checks that calls in progress are cut off.
func TestClose(t *testing.T) {
	for name, row := range servers {
		t.Run(name, func(t *testing.T) {
			server := started(t, row.start)
			call := begin(t.Context(), t, server, time.Minute, row.call)
			if err := server.Close(); err != nil {
				t.Error(err)
			}
			if err := <-call; err == nil {
				t.Error("a call is answered before its time")
			}
			awaitWaiting(t, server, 0)
		})
	}
}

func TestAddressTaken(t *testing.T) {
	for name, row := range servers {
		t.Run(name, func(t *testing.T) {
			server := started(t, row.start)
			if _, err := row.start(server.Addr().String(), testConnections); err == nil {
				t.Error("two servers listen on the same address")
			}
		})
	}
}

// stop stops the server, and checks the error.
func stop(t *testing.T, server *backend.Server, within time.Duration, want error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := server.Stop(ctx); !errors.Is(err, want) {
		t.Errorf("stopped with %v, want %v", err, want)
	}
	if conn, err := net.Dial("tcp", server.Addr().String()); err == nil {
		conn.Close()
		t.Error("it listens after it was stopped")
	}
}

// servers holds both servers, each with a call that returns its error.
var servers = map[string]struct {
	start func(address string, maxConnections int) (*backend.Server, error)
	call  func(ctx context.Context, address string, delay time.Duration) error
}{
	"http": {backend.StartHTTP, callHTTP},
	"grpc": {backend.StartGRPC, callGRPC},
}

func callHTTP(ctx context.Context, address string, delay time.Duration) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/?delay="+delay.String(), nil)
	if err != nil {
		return err
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func callGRPC(ctx context.Context, address string, delay time.Duration) error {
	channel, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer channel.Close()
	_, err = ask(ctx, channel, delay)
	return err
}

// begin makes a call, and returns once the server has it. The channel is for the call's error.
func begin(ctx context.Context, t *testing.T, server *backend.Server, delay time.Duration,
	call func(context.Context, string, time.Duration) error) <-chan error {
	t.Helper()
	answered := make(chan error, 1)
	go func() { answered <- call(ctx, server.Addr().String(), delay) }()
	awaitWaiting(t, server, 1)
	return answered
}

// awaitWaiting waits until n calls wait at the server.
func awaitWaiting(t *testing.T, server *backend.Server, n int) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("%d calls wait", n), func() bool { return server.Waiting() == n })
}

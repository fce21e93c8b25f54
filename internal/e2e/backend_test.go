//go:build e2e

package e2e_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"demo-server/internal/testkit"
	"demo-server/work"
	"demo-server/work/remote"
)

// backends are demo-server backend while it runs.
type backends struct {
	cmd       *exec.Cmd
	http, rpc string // host:port
}

// startBackends starts them on these ports, 0 for free ones, and waits until they are ready. They end with the test.
func startBackends(t *testing.T, httpPort, grpcPort string) *backends {
	t.Helper()
	b := &backends{cmd: exec.Command(built(t), "backend", "--http-port="+httpPort, "--grpc-port="+grpcPort)}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.cmd.Process.Kill()
		b.cmd.Wait()
	})
	ready, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(ready, "ready: http://%s and gRPC on %s", &b.http, &b.rpc); err != nil {
		t.Fatalf("%q: %v", ready, err)
	}
	b.http = strings.TrimSuffix(b.http, "/")
	return b
}

// again starts them anew, where they were.
func (b *backends) again(t *testing.T) *backends {
	t.Helper()
	_, httpPort, _ := net.SplitHostPort(b.http)
	_, grpcPort, _ := net.SplitHostPort(b.rpc)
	return startBackends(t, httpPort, grpcPort)
}

// works is the work that waits for them, by name.
func (b *backends) works(t *testing.T) map[string]work.Work {
	t.Helper()
	get, httpErr := remote.NewHTTP("http://"+b.http+"/", 10, testkit.Patience)
	call, grpcErr := remote.NewGRPC(b.rpc, testkit.Patience)
	if err := errors.Join(httpErr, grpcErr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		get.Close()
		call.Close()
	})
	return map[string]work.Work{"http": get, "grpc": call}
}

// wantServed waits until everybody is served.
func wantServed(t *testing.T, works map[string]work.Work) {
	t.Helper()
	for name, w := range works {
		testkit.Eventually(t, name+" is served", func() bool { return w.Do(t.Context(), time.Millisecond) == nil })
	}
}

// terminate sends SIGTERM, and waits until nobody listens any more.
func (b *backends) terminate(t *testing.T) {
	t.Helper()
	b.cmd.Process.Signal(syscall.SIGTERM)
	testkit.Eventually(t, "nobody listens", func() bool {
		conn, err := net.Dial("tcp", b.http)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}

// TestBackendStop: SIGTERM ends it in order, whoever is connected.
func TestBackendStop(t *testing.T) {
	b := startBackends(t, "0", "0")
	works := b.works(t)
	wantServed(t, works)
	b.terminate(t)
	if err := b.cmd.Wait(); err != nil {
		t.Error(err)
	}
	b.again(t)
	wantServed(t, works)
}

// TestBackendSecondSignal ends it at once, though a call is under way.
func TestBackendSecondSignal(t *testing.T) {
	b := startBackends(t, "0", "0")
	channel, err := grpc.NewClient(b.rpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer channel.Close()
	// A watch lasts as long as its caller wants, and its first answer says that it has arrived.
	watch, err := grpc_health_v1.NewHealthClient(channel).Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	b.terminate(t)
	b.cmd.Process.Signal(syscall.SIGTERM)
	b.cmd.Wait()
	if took := time.Since(before); took > 5*time.Second || b.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("exit code %d after %v, want 1 at once", b.cmd.ProcessState.ExitCode(), took)
	}
}

// TestBackendKilled: under load, every call has an end, and service resumes by itself once the backends are back.
func TestBackendKilled(t *testing.T) {
	b := startBackends(t, "0", "0")
	works := b.works(t)
	ctx, leave := context.WithCancel(t.Context())
	var crowd sync.WaitGroup
	for name, w := range works {
		for range 10 {
			crowd.Go(func() {
				for ctx.Err() == nil {
					var failure *work.Failure
					err := w.Do(context.Background(), 10*time.Millisecond)
					if err != nil && (!errors.As(err, &failure) || failure.Cause == work.TimedOut) {
						t.Errorf("%s got %v", name, err)
					}
				}
			})
		}
	}
	for range 2 {
		wantServed(t, works)
		b.cmd.Process.Kill()
		b.cmd.Wait()
		for name, w := range works {
			testkit.Eventually(t, name+" is refused", func() bool { return w.Do(t.Context(), time.Millisecond) != nil })
		}
		b = b.again(t)
	}
	wantServed(t, works)
	leave()
	crowd.Wait()
}

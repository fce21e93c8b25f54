package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"demo-server/internal/testkit"
	"demo-server/work"
	"demo-server/work/remote"
	"demo-server/work/remote/backend"
)

// forever is a delay that no test waits for.
const forever = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A dependent is what all kinds here are.
type dependent interface {
	work.Dependent
	io.Closer
}

// A kind is one of them, with a server for it.
type kind struct {
	name   string
	server string // as errors name it
	start  func(address string, maxConnections int) (*backend.Server, error)
	work   func(address string, margin time.Duration) (dependent, error)
}

var kinds = []kind{
	{
		name: "http", server: "HTTP server", start: backend.StartHTTP,
		work: func(address string, margin time.Duration) (dependent, error) {
			return remote.NewHTTP("http://"+address+"/", 100, margin)
		},
	},
	{
		name: "grpc", server: "gRPC server", start: backend.StartGRPC,
		work: func(address string, margin time.Duration) (dependent, error) { return remote.NewGRPC(address, margin) },
	},
}

func eachKind(t *testing.T, test func(t *testing.T, k kind)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { test(t, k) })
	}
}

// serve starts the kind's server on address, until the test ends.
func (k kind) serve(t *testing.T, address string) *backend.Server {
	t.Helper()
	server, err := k.start(address, maxConnections)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// make makes the kind's work, for a server at address.
func (k kind) make(t *testing.T, address string, margin time.Duration) dependent {
	t.Helper()
	w, err := k.work(address, margin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

const anyPort = "127.0.0.1:0"

// maxConnections is more than these tests need.
const maxConnections = 1000

// ownAddress is one of the loopback's that nobody else listens on, with any port: nobody takes it while the server is
// down. Only Linux has more than one.
func ownAddress() string {
	if runtime.GOOS != "linux" {
		return anyPort
	}
	return fmt.Sprintf("127.%d.%d.%d:0", 1+rand.N(254), rand.N(256), 1+rand.N(254))
}

// nobody is an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", ownAddress())
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// begin does work in the background. The channel gives what came of it.
func begin(ctx context.Context, w work.Work, delay time.Duration) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- w.Do(ctx, delay) }()
	return ended
}

// wantFailure fails unless err is a failure of that cause.
func wantFailure(t *testing.T, err error, cause work.Cause) {
	t.Helper()
	var failure *work.Failure
	if !errors.As(err, &failure) || failure.Cause != cause {
		t.Errorf("got %v, want a failure: %s", err, cause)
	}
}

func TestHoldsSocket(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		if holds := k.make(t, nobody(t), testkit.Patience).Holds(); holds != work.Socket {
			t.Errorf("holds %s, want a socket", holds)
		}
	})
}

// TestDelay: the work takes as long as it is told to; on an idle machine 2 ms and 1% longer at most, which is to hold at
// least once.
func TestDelay(t *testing.T) {
	const delay = 100 * time.Millisecond
	eachKind(t, func(t *testing.T, k kind) {
		w := k.make(t, k.serve(t, ownAddress()).Addr().String(), testkit.Patience)
		wantDelay(t, w, delay)
	})
}

// wantDelay does work until once it took no longer than it may.
func wantDelay(t *testing.T, w work.Work, delay time.Duration) {
	t.Helper()
	least := time.Duration(math.MaxInt64)
	for end := time.Now().Add(testkit.Patience); least > delay+delay/100+2*time.Millisecond; {
		before := time.Now()
		if before.After(end) {
			t.Fatalf("took %v at least, want %v", least, delay)
		}
		if err := w.Do(t.Context(), delay); err != nil {
			t.Fatal(err)
		}
		took := time.Since(before)
		if took < delay {
			t.Errorf("took %v, want %v", took, delay)
		}
		least = min(least, took)
	}
}

// TestNoDelay is no work: nobody is asked.
func TestNoDelay(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		w := k.make(t, nobody(t), testkit.Patience)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for _, delay := range []time.Duration{0, -1} {
			if err := w.Do(t.Context(), delay); err != nil {
				t.Errorf("delay %v: %v", delay, err)
			}
			if err := w.Do(cancelled, delay); !errors.Is(err, context.Canceled) {
				t.Errorf("delay %v, cancelled: %v", delay, err)
			}
		}
	})
}

// TestCancelled: whoever leaves frees the server, too, and is no failure of it.
func TestCancelled(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		server := k.serve(t, ownAddress())
		w := k.make(t, server.Addr().String(), testkit.Patience)
		for _, calls := range []int{1, 20} {
			ctx, leave := context.WithCancel(t.Context())
			var ended []<-chan error
			for range calls {
				ended = append(ended, begin(ctx, w, forever))
			}
			testkit.Eventually(t, "all wait at the server", func() bool { return server.Waiting() == calls })
			leave()
			for _, err := range ended {
				if err := <-err; err != context.Canceled {
					t.Errorf("got %v, want %v", err, context.Canceled)
				}
			}
			testkit.Eventually(t, "nobody waits at the server", func() bool { return server.Waiting() == 0 })
		}
	})
}

// TestNoServer: work for a server that is not there is made at once, and says so when it is asked.
func TestNoServer(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		address := nobody(t)
		w := k.make(t, address, testkit.Patience)
		for range 3 {
			wantFailure(t, w.Do(t.Context(), forever), work.Refused)
		}
		want := k.server + " at " + address + " does not answer: "
		if err := w.Check(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the check says %v, want %q and a reason", err, want)
		}
	})
}

// silent is the address of somebody who takes connections, and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func TestTimeout(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		address := silent(t)
		w := k.make(t, address, 50*time.Millisecond)
		before := time.Now()
		wantFailure(t, w.Do(t.Context(), 50*time.Millisecond), work.TimedOut)
		if took := time.Since(before); took < 100*time.Millisecond {
			t.Errorf("gave up after %v, want the delay and the margin", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		want := k.server + " at " + address + " does not answer: timed out"
		if err := w.Check(ctx); err == nil || err.Error() != want {
			t.Errorf("the check says %v, want %q", err, want)
		}
	})
}

func TestCheck(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		server := k.serve(t, ownAddress())
		w := k.make(t, server.Addr().String(), testkit.Patience)
		if err := w.Check(t.Context()); err != nil {
			t.Error(err)
		}
		server.Close()
		if err := w.Check(t.Context()); err == nil {
			t.Error("a server that is gone is said to be well")
		}
		k.serve(t, server.Addr().String())
		testkit.Eventually(t, "the server that came back is said to be well", func() bool { return w.Check(t.Context()) == nil })
	})
}

// TestKilled: the work that waits when its server dies fails, and is not done a second time.
func TestKilled(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		server := k.serve(t, ownAddress())
		w := k.make(t, server.Addr().String(), testkit.Patience)
		var ended []<-chan error
		for range 10 {
			ended = append(ended, begin(t.Context(), w, forever))
		}
		testkit.Eventually(t, "all wait at the server", func() bool { return server.Waiting() == 10 })
		server.Close()
		for _, err := range ended {
			wantFailure(t, <-err, work.Broken)
		}
	})
}

// TestRestarted: the service resumes by itself, each time.
func TestRestarted(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		server := k.serve(t, ownAddress())
		c := gather(t, k.make(t, server.Addr().String(), testkit.Patience))
		for range 3 {
			c.wantServed(t)
			server.Close()
			c.wantRefused(t)
			server = k.serve(t, server.Addr().String())
		}
		c.wantServed(t)
	})
}

// A crowd does the same work over and over, until the test ends. All of it ends in one way or the other.
type crowd struct{ done, refused, broken atomic.Int64 }

func gather(t *testing.T, w work.Work) *crowd {
	c := &crowd{}
	var people sync.WaitGroup
	for range 20 {
		people.Go(func() {
			for t.Context().Err() == nil {
				c.do(t, w)
			}
		})
	}
	t.Cleanup(people.Wait)
	return c
}

func (c *crowd) do(t *testing.T, w work.Work) {
	err := w.Do(context.Background(), 5*time.Millisecond) // not the test's, which ends before the crowd does
	var failure *work.Failure
	switch {
	case err == nil:
		c.done.Add(1)
	case !errors.As(err, &failure) || failure.Cause == work.TimedOut:
		t.Errorf("got %v", err)
	case failure.Cause == work.Broken:
		c.broken.Add(1)
	default:
		c.refused.Add(1)
		time.Sleep(time.Millisecond) // to be refused takes no time: others need the processor
	}
}

func (c *crowd) wantServed(t *testing.T) {
	t.Helper()
	enough := c.done.Load() + 100
	testkit.Eventually(t, "the crowd is served", func() bool { return c.done.Load() >= enough })
}

func (c *crowd) wantRefused(t *testing.T) {
	t.Helper()
	before := c.refused.Load()
	testkit.Eventually(t, "the crowd is refused", func() bool { return c.refused.Load() > before })
}

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

// forever is a delay that tests do not wait for.
const forever = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A dependent is work with all methods of these kinds.
type dependent interface {
	work.Dependent
	io.Closer
}

// A kind is a kind of work with a server for it.
type kind struct {
	name   string
	server string // its name in errors
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
	server, err := k.start(address, testConnections)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// make returns the kind's work for a server at address.
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

// testConnections is more than these tests need.
const testConnections = 1000

// ownAddress returns a loopback address for this test alone, with any port: while the server is down, no other process
// takes the port. Only Linux has more than one such address.
func ownAddress() string {
	if runtime.GOOS != "linux" {
		return anyPort
	}
	return fmt.Sprintf("127.%d.%d.%d:0", 1+rand.N(254), rand.N(256), 1+rand.N(254))
}

// nobody returns an address on which no process listens.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", ownAddress())
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// begin does work in the background, and returns a channel for its result.
func begin(ctx context.Context, w work.Work, delay time.Duration) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- w.Do(ctx, delay) }()
	return ended
}

// wantFailure checks that err is a failure with a cause.
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

// TestDelay checks that the work takes its delay, and on an idle machine at most 2 ms and 1% longer, at least once.
func TestDelay(t *testing.T) {
	const delay = 100 * time.Millisecond
	eachKind(t, func(t *testing.T, k kind) {
		w := k.make(t, k.serve(t, ownAddress()).Addr().String(), testkit.Patience)
		wantDelay(t, w, delay)
	})
}

// wantDelay does work until it once took at most that long.
func wantDelay(t *testing.T, w work.Work, delay time.Duration) {
	t.Helper()
	fastest := time.Duration(math.MaxInt64)
	for end := time.Now().Add(testkit.Patience); fastest > delay+delay/100+2*time.Millisecond; {
		before := time.Now()
		if before.After(end) {
			t.Fatalf("took %v at least, want %v", fastest, delay)
		}
		if err := w.Do(t.Context(), delay); err != nil {
			t.Fatal(err)
		}
		took := time.Since(before)
		if took < delay {
			t.Errorf("took %v, want %v", took, delay)
		}
		fastest = min(fastest, took)
	}
}

// TestNoDelay checks that work without a delay does not call the server.
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

// TestCancelled checks that a cancelled request frees the server too, and is not a failure.
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

// TestNoServer checks that work for a server that is down is made at once, and that its calls fail.
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

// silent returns the address of a server that accepts connections and never answers.
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

// TestKilled checks that requests that wait when their server dies fail, and are not repeated.
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

// TestRestarted checks that work resumes by itself, each time.
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

// A tally repeats work until the test ends, and counts the results.
type tally struct{ done, refused, broken atomic.Int64 }

func gather(t *testing.T, w work.Work) *tally {
	c := &tally{}
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

func (c *tally) do(t *testing.T, w work.Work) {
	err := w.Do(context.Background(), 5*time.Millisecond) // the test's context ends before the tally does
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
		time.Sleep(time.Millisecond) // refusals are immediate: leave the processor to others
	}
}

func (c *tally) wantServed(t *testing.T) {
	t.Helper()
	enough := c.done.Load() + 100
	testkit.Eventually(t, "the crowd is served", func() bool { return c.done.Load() >= enough })
}

func (c *tally) wantRefused(t *testing.T) {
	t.Helper()
	before := c.refused.Load()
	testkit.Eventually(t, "the crowd is refused", func() bool { return c.refused.Load() > before })
}

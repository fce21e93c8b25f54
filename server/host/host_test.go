package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"demo-server/internal/testkit"
	"demo-server/server"
	"demo-server/server/host"
	"demo-server/server/listener"
	"demo-server/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A diary records events with their seconds.
type diary struct {
	mu      sync.Mutex
	began   time.Time
	entries []string
}

func (d *diary) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, fmt.Sprintf("%v ", time.Since(d.began).Truncate(time.Second))+fmt.Sprintf(format, args...))
}

// A fake is a host whose mode only records events.
type fake struct {
	diary
	opens  time.Duration // how long the mode takes to open
	app    *server.App
	host   *host.Host
	drains time.Duration // how long the mode takes to end after the stop
	early  chan error    // ends the mode before the stop
}

func newFake(t *testing.T, lameDuck, drainTimeout time.Duration) *fake {
	f := &fake{app: newApp(), early: make(chan error, 1)}
	f.began = time.Now()
	source := listener.NewSource(closedListener{})
	t.Cleanup(func() { source.Close() })
	f.host = host.New(host.Config{
		Source: source, App: f.app, Mode: "fake", Serve: f.serve, LameDuck: lameDuck, DrainTimeout: drainTimeout,
	})
	return f
}

// delay is the delay of a request.
const delay = 100 * time.Millisecond

func newApp() *server.App {
	return server.New(server.Config{Mode: "test", Work: work.NewSleep(), Delay: delay, Body: []byte("Hello World")})
}

type closedListener struct{ net.Listener }

func (closedListener) Close() error { return nil }

func (f *fake) serve(ctx context.Context, _ *listener.Source, app *server.App) error {
	f.write("serves")
	time.Sleep(f.opens)
	select {
	case err := <-f.early:
		return err
	default:
		app.Accepting()
	}
	select {
	case <-ctx.Done():
	case err := <-f.early:
		return err
	}
	f.write("stops accepting")
	select {
	case <-time.After(f.drains):
		f.write("has drained")
	case <-app.DrainExpired():
		f.write("meets the deadline")
	}
	return nil
}

// watch records changes of the host's state and the app's.
func (f *fake) watch(ctx context.Context) {
	state, announcing := host.Starting, false
	time.Sleep(time.Millisecond / 2) // later than events at full seconds
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		if now := f.host.State(); now != state {
			state = now
			f.write("state %s", state)
		}
		if now := f.app.Closing(); now != announcing {
			announcing = now
			f.write("announces")
		}
	}
}

// run runs the host until it ends, and stops it after a time.
func (f *fake) run(t *testing.T, stopAfter time.Duration) error {
	t.Helper()
	stop, cancel := context.WithTimeout(t.Context(), stopAfter)
	defer cancel()
	watching, unwatch := context.WithCancel(t.Context())
	var watcher sync.WaitGroup
	watcher.Go(func() { f.watch(watching) })
	err := f.host.Run(stop, func() { f.write("ready") })
	time.Sleep(2 * time.Millisecond)
	unwatch()
	watcher.Wait()
	return err
}

// TestOrder checks the order of events if a service is stopped after 10 s.
func TestOrder(t *testing.T) {
	for _, row := range []struct {
		name                           string
		lameDuck, drainTimeout, drains time.Duration
		want                           []string
	}{
		{
			"drains in time", 0, 30 * time.Second, 5 * time.Second,
			[]string{"10s stops accepting", "10s state draining", "10s announces", "15s has drained", "15s state stopped"},
		},
		{
			"lame duck", 3 * time.Second, 30 * time.Second, 5 * time.Second,
			[]string{
				"10s state lame duck: stopping soon", "13s stops accepting",
				"13s state draining", "13s announces", "18s has drained", "18s state stopped",
			},
		},
		{
			"the deadline counts from the end of the lame duck", 3 * time.Second, 4 * time.Second, time.Hour,
			[]string{
				"10s state lame duck: stopping soon", "13s stops accepting",
				"13s state draining", "13s announces", "17s meets the deadline", "17s state stopped",
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, row.lameDuck, row.drainTimeout)
				f.drains = row.drains
				if f.host.State() != host.Starting {
					t.Errorf("%s at first", f.host.State())
				}
				if err := f.run(t, 10*time.Second); err != nil {
					t.Errorf("Run returned %v", err)
				}
				want := append([]string{"0s serves", "0s ready", "0s state ready"}, row.want...)
				if diff := cmp.Diff(want, f.entries); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestReady checks that the service is ready once its mode has opened, and not before.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, 0, time.Second)
		f.opens = 3 * time.Second
		if err := f.run(t, 10*time.Second); err != nil {
			t.Errorf("Run returned %v", err)
		}
		if diff := cmp.Diff([]string{"0s serves", "3s ready", "3s state ready"}, f.entries[:3]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestNeverReady checks that a service whose mode cannot open, or that is stopped before that, is never ready.
func TestNeverReady(t *testing.T) {
	for _, row := range []struct {
		name  string
		early error // ends the mode
		stop  time.Duration
		want  error
	}{
		{"cannot open", net.ErrClosed, time.Hour, net.ErrClosed},
		{"stopped before", nil, time.Second, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, 0, time.Minute)
				f.opens = 3 * time.Second
				if row.early != nil {
					f.early <- row.early
				}
				if err := f.run(t, row.stop); !errors.Is(err, row.want) {
					t.Errorf("Run returned %v, want %v", err, row.want)
				}
				for _, entry := range f.entries {
					if strings.Contains(entry, "ready") {
						t.Errorf("%s, which is never", entry)
					}
				}
			})
		})
	}
}

// TestModeEnds checks that a mode that ends before the stop is an error, with and without an error of its own, and
// stops the service.
func TestModeEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, row := range []struct {
		err  error
		want string
	}{
		{broken, "mode fake ended: broken"},
		{nil, "mode fake ended before it was told to"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, 0, time.Second)
			f.early <- row.err
			err := f.run(t, time.Hour)
			if err == nil || err.Error() != row.want || !errors.Is(err, row.err) && row.err != nil {
				t.Errorf("Run returned %v, want %s", err, row.want)
			}
			if f.host.State() != host.Stopped {
				t.Errorf("state %s, want %s", f.host.State(), host.Stopped)
			}
		})
	}
}

// TestAcceptQueueServed checks that connections that waited to be accepted at the stop are served, and later ones are
// not.
func TestAcceptQueueServed(t *testing.T) {
	source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := source.AcceptQueue(); !ok {
		source.Close()
		t.Skip("the accept queue is not known on this system")
	}
	app := newApp()
	h := host.New(host.Config{Source: source, App: app, Mode: "lazy", Serve: serveOneByOne, DrainTimeout: 10 * time.Second})
	stop, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(stop, func() {}) }()

	const clients = 5
	replies := make(chan string, clients)
	for range clients {
		conn, err := net.Dial("tcp", source.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer conn.Close()
			reply, err := io.ReadAll(conn)
			replies <- fmt.Sprint(string(reply), err)
		}()
	}
	cancel()
	for range clients {
		if got := <-replies; got != "served<nil>" {
			t.Errorf("a client that waited got %q", got)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", source.Addr().String()); err == nil {
		conn.Close()
		t.Error("connected after the end")
	}
}

// serveOneByOne serves slowly, to make connections wait in the accept queue.
func serveOneByOne(ctx context.Context, source *listener.Source, app *server.App) error {
	own, err := source.Listener()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { own.Close() })()
	app.Accepting()
	for {
		conn, err := listener.Accept(own)
		if err != nil {
			return nil
		}
		time.Sleep(delay)
		io.WriteString(conn, "served")
		conn.Close()
	}
}

// TestLameDuckServes checks that a lame duck serves as before.
func TestLameDuckServes(t *testing.T) {
	source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Config{Source: source, App: newApp(), Mode: "simple", Serve: serveHTTP, LameDuck: time.Second, DrainTimeout: time.Second})
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.Run(stop, func() {}) }()
	testkit.Eventually(t, "the service is a lame duck", func() bool { return h.State() == host.LameDuck })
	reply, err := http.Get("http://" + source.Addr().String())
	if err != nil || reply.Close {
		t.Errorf("reply %+v, %v; want one that says nothing of closing", reply, err)
	}
	if err == nil {
		reply.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// serveHTTP closes its connections as soon as ctx is done.
func serveHTTP(ctx context.Context, source *listener.Source, app *server.App) error {
	own, err := source.Listener()
	if err != nil {
		return err
	}
	srv := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if app.Closing() {
			w.Header().Set("Connection", "close")
		}
	})}
	defer context.AfterFunc(ctx, func() { srv.Close() })()
	app.Accepting()
	srv.Serve(own)
	return nil
}

// TestQueue checks the accept queue policies: a shared socket stays open for others, and waiting connections are served
// only if no other process will do so.
func TestQueue(t *testing.T) {
	for _, row := range []struct {
		name   string
		queue  host.AcceptQueuePolicy
		served bool // the waiting connection
		open   bool // to new connections afterwards
	}{
		{"serve", host.Drain, true, false},
		{"empty", host.DrainShared, true, true},
		{"leave", host.Leave, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
			if err != nil {
				t.Fatal(err)
			}
			other, err := source.File() // stands for another process
			if errors.Is(err, errors.ErrUnsupported) {
				source.Close()
				t.Skip("the socket cannot be shared on this system")
			}
			defer other.Close()
			stop, cancel := context.WithCancel(t.Context())
			cancel() // before the mode accepts
			waits := dial(t, source.Addr().String())
			defer waits.Close()
			late := func(ctx context.Context, source *listener.Source, app *server.App) error {
				if row.queue == host.Leave {
					<-ctx.Done()
					return nil
				}
				return serveOneByOne(ctx, source, app)
			}
			h := host.New(host.Config{
				Source: source, App: newApp(), Mode: "late", Serve: late, DrainTimeout: 10 * time.Second, AcceptQueue: func() host.AcceptQueuePolicy { return row.queue },
			})
			if err := h.Run(stop, func() {}); err != nil {
				t.Error(err)
			}
			// An expected reply may take a while on a busy machine. An unexpected one is not worth a long wait.
			within := map[bool]time.Duration{true: testkit.Patience, false: 50 * time.Millisecond}
			waits.SetReadDeadline(time.Now().Add(within[row.served]))
			if reply, _ := io.ReadAll(waits); (string(reply) == "served") != row.served {
				t.Errorf("the connection that waited got %q", reply)
			}
			conn, err := net.DialTimeout("tcp", source.Addr().String(), within[row.open])
			if (err == nil) != row.open {
				t.Errorf("a new connection: %v", err)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

package eventloop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"demo-server/internal/testkit"
	"demo-server/server"
	"demo-server/server/fault"
	"demo-server/server/http1"
	"demo-server/server/listener"
	"demo-server/work"
)

// eventLoops serves body on a loopback socket with n loops, until the test ends.
func eventLoops(t *testing.T, n int, delay time.Duration, body string) (*server.App, *group, net.Addr) {
	t.Helper()
	app, source := newLoopApp(t, work.NewSleep(), delay, body)
	g, own := openGroup(t, n, app, source, Runnable.Sleep)
	runGroup(t, g, own)
	return app, g, source.Addr()
}

func newLoopApp(t *testing.T, does work.Work, delay time.Duration, body string) (*server.App, *listener.Source) {
	t.Helper()
	source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	bounds := testLimits()
	bounds.MaxConnections = 1000
	return server.New(server.Config{Mode: "test", Work: does, Delay: delay, Body: []byte(body), Limits: bounds}), source
}

// openGroup makes n loops for runGroup.
func openGroup(t *testing.T, n int, app *server.App, source *listener.Source, schedule func(Runnable)) (*group, net.Listener) {
	t.Helper()
	own, err := source.Listener()
	if err != nil {
		t.Fatal(err)
	}
	g := newGroup(app, schedule)
	if err := g.open(n, own); err != nil {
		t.Fatal(err)
	}
	return g, own
}

// runGroup runs the loops until the test ends.
func runGroup(t *testing.T, g *group, own net.Listener) {
	ended := make(chan struct{})
	go func() {
		g.run()
		close(ended)
	}()
	t.Cleanup(func() {
		g.stop()
		<-ended
		own.Close()
	})
}

func dial(t *testing.T, to net.Addr) net.Conn {
	t.Helper()
	client, err := net.Dial(to.Network(), to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// TestSpread checks that connections that arrive together are spread over the loops.
func TestSpread(t *testing.T) {
	const n, connections = 4, 100
	app, g, addr := eventLoops(t, n, time.Minute, "")
	for range connections {
		io.WriteString(dial(t, addr), "GET / HTTP/1.0\r\n\r\n")
	}
	testkit.Eventually(t, "all in flight", func() bool { return app.InFlight() == connections })
	for i, l := range g.loops {
		if count := l.count.Load(); count < connections/n-2*rebalanceAbove || count > connections/n+2*rebalanceAbove {
			t.Errorf("loop %d has %d of %d connections", i, count, connections)
		}
	}
}

// TestRequestAllocatesNothing checks that requests leave nothing on the heap, with and without a delay.
func TestRequestAllocatesNothing(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Millisecond} {
		_, _, addr := eventLoops(t, 1, delay, "Hello World")
		client := dial(t, addr)
		request, reply := []byte("GET / HTTP/1.1\r\nHost: demo\r\n\r\n"), make([]byte, 4<<10)
		ask := func() {
			client.Write(request)
			if n, err := client.Read(reply); err != nil || n < len("HTTP/1.1 200 OK") {
				t.Fatal(n, err)
			}
		}
		for range 100 {
			ask()
		}
		// The runtime and other goroutines may allocate now and then. A request that allocates would do so each time.
		if n := testing.AllocsPerRun(300, ask); n > 0.1 {
			t.Errorf("delay %v: %v allocations a request, want none", delay, n)
		}
	}
}

// TestPartialWrites checks that a long reply reaches a slow reader completely.
func TestPartialWrites(t *testing.T) {
	const size = 8 << 20
	_, _, addr := eventLoops(t, 1, 0, strings.Repeat("x", size))
	client := dial(t, addr)
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: demo\r\n\r\nGET / HTTP/1.1\r\nHost: demo\r\n\r\n")
	reader := bufio.NewReaderSize(client, 16)
	for range 2 {
		time.Sleep(20 * time.Millisecond) // the socket's buffers fill
		reply, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, reply.Body)
		if err != nil || n != size {
			t.Fatalf("%d bytes, %v; want %d", n, err, size)
		}
	}
}

// A gate is work that ends when the gate opens.
type gate chan struct{}

func (g gate) Do(context.Context, time.Duration) error { <-g; return nil }
func (gate) Holds() work.Resource                      { return work.Thread }

// TestHandedOverAtTheEnd checks that a loop that was blocked at the shutdown can pass a connection to a loop that had
// nothing left to do.
func TestHandedOverAtTheEnd(t *testing.T) {
	open := make(gate)
	app, source := newLoopApp(t, open, 0, "Hello World")
	g, own := openGroup(t, 2, app, source, Runnable.RunInline)
	runGroup(t, g, own)
	blockALoop(t, app, g, source.Addr())

	g.stop()
	testkit.Eventually(t, "the other accepts no more", func() bool { return g.accepting.Load() == 1 })
	late := dial(t, source.Addr())
	close(open)
	wantOK(t, late)
}

// wantOK sends a request on client and expects a prompt 200.
func wantOK(t *testing.T, client net.Conn) {
	t.Helper()
	client.SetDeadline(time.Now().Add(testkit.Patience))
	io.WriteString(client, "GET / HTTP/1.0\r\n\r\n")
	if reply, err := http.ReadResponse(bufio.NewReader(client), nil); err != nil || reply.StatusCode != http.StatusOK {
		t.Errorf("%v, %v; want 200", reply, err)
	}
}

// blockALoop blocks a loop that has so many connections that it passes new ones to another, idle one.
func blockALoop(t *testing.T, app *server.App, g *group, addr net.Addr) {
	t.Helper()
	var conns [2][]net.Conn // of each loop, as the kernel chooses
	busy := 0
	for len(conns[busy]) < rebalanceAbove {
		client := dial(t, addr)
		accepted := func(i int) bool { return int(g.loops[i].count.Load()) > len(conns[i]) }
		testkit.Eventually(t, "accepted", func() bool { return accepted(0) || accepted(1) })
		if busy = 0; accepted(1) {
			busy = 1
		}
		conns[busy] = append(conns[busy], client)
	}
	for _, client := range conns[1-busy] {
		client.Close()
	}
	testkit.Eventually(t, "the other is idle", func() bool { return app.Connections() == rebalanceAbove })
	io.WriteString(conns[busy][0], "GET / HTTP/1.0\r\n\r\n")
	testkit.Eventually(t, "in flight", func() bool { return app.InFlight() == 1 })
}

// TestEndlessTrailer checks that an endless trailer is refused before it fills the loop's buffer.
func TestEndlessTrailer(t *testing.T) {
	_, _, addr := eventLoops(t, 1, 0, "Hello World")
	client := dial(t, addr)
	client.SetDeadline(time.Now().Add(testkit.Patience))
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: demo\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
	go io.WriteString(client, strings.Repeat("\r", 30_000))
	reply, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil || reply.StatusCode != http.StatusBadRequest || !reply.Close {
		t.Errorf("%v, %v; want 400 and closed", reply, err)
	}
	wantOK(t, dial(t, addr))
}

// TestReadIntoNothing checks that reading into an empty buffer panics, because it would look like the end of the
// stream.
func TestReadIntoNothing(t *testing.T) {
	p, addr := newTestPoller(t)
	defer p.Free()
	dial(t, addr)
	socket := int32(-1)
	testkit.Eventually(t, "accepted", func() bool {
		var err error
		socket, _, err = p.Accept()
		return err == nil
	})
	defer p.Close(socket)
	defer func() {
		if recover() == nil {
			t.Error("a read into nothing succeeds")
		}
	}()
	p.Read(socket, nil)
}

// newTestPoller returns a poller with its own listening socket, and the socket's address.
func newTestPoller(t *testing.T) (*epoll, net.Addr) {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	p, err := newEpoll(socket.(*net.TCPListener), newApp().Now)
	if err != nil {
		t.Fatal(err)
	}
	return p.(*epoll), socket.Addr()
}

// TestWokenLate checks that waking a loop that has ended does not write to another file with its descriptor's number.
func TestWokenLate(t *testing.T) {
	p, _ := newTestPoller(t)
	number := p.eventfd
	p.Free()
	reused := -1
	for reused != number { // the kernel assigns the lowest free number
		var err error
		if reused, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(reused)
	}
	p.Wake()
	if n, err := unix.Read(reused, make([]byte, 8)); err != unix.EAGAIN {
		t.Errorf("%d bytes in another's descriptor, %v; want none", n, err)
	}
}

// A torrent is a poller whose first client sends without end, until it closes.
type torrent struct {
	Poller
	socket int32
}

func (p *torrent) Accept() (int32, time.Duration, error) {
	socket, backlog, err := p.Poller.Accept()
	if err == nil && p.socket == 0 {
		p.socket = socket
	}
	return socket, backlog, err
}

func (p *torrent) Read(socket int32, b []byte) (int, error) {
	n, err := p.Poller.Read(socket, b)
	if socket != p.socket || n == 0 && err != ErrAgain {
		return n, err
	}
	copy(b[max(n, 0):], bytes.Repeat([]byte("\n"), len(b)))
	return len(b), nil
}

// TestTorrent checks that a client that sends faster than its loop reads leaves other connections their turn. It sends
// blank lines, because they end only by a timeout.
func TestTorrent(t *testing.T) {
	app, source := newLoopApp(t, work.NewSleep(), 0, "Hello World")
	g, own := openGroup(t, 1, app, source, Runnable.Sleep)
	g.loops[0].poller = &torrent{Poller: g.loops[0].poller}
	runGroup(t, g, own)
	io.WriteString(dial(t, source.Addr()), "\n")
	testkit.Eventually(t, "accepted", func() bool { return app.Connections() == 1 })
	for range 3 {
		wantOK(t, dial(t, source.Addr()))
	}
}

// A meter is a poller that counts the bytes read.
type meter struct {
	Poller
	taken atomic.Int64
}

func (p *meter) Read(socket int32, b []byte) (int, error) {
	n, err := p.Poller.Read(socket, b)
	if err == nil {
		p.taken.Add(int64(n))
	}
	return n, err
}

// TestLingersForSoLong checks that a limited number of bytes is read from a client that keeps sending after a refusal.
func TestLingersForSoLong(t *testing.T) {
	app, source := newLoopApp(t, work.NewSleep(), 0, "Hello World")
	g, own := openGroup(t, 1, app, source, Runnable.Sleep)
	m := &meter{Poller: g.loops[0].poller}
	g.loops[0].poller = m
	runGroup(t, g, own)
	client := dial(t, source.Addr())
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: demo\r\nContent-Length: 9999999\r\n\r\n")
	for some := bytes.Repeat([]byte("x"), 64<<10); ; {
		if _, err := client.Write(some); err != nil {
			break
		}
	}
	if n, limit := m.taken.Load(), int64(http1.LingerBytes+2*readChunk+testLimits().MaxHeaderBytes); n > limit {
		t.Errorf("%d bytes read, want at most %d", n, limit)
	}
}

// TestNoTimeToWait checks that a poller reports events even if it has no time to wait.
func TestNoTimeToWait(t *testing.T) {
	p, addr := newTestPoller(t)
	defer p.Free()
	if err := p.Listen(true); err != nil {
		t.Fatal(err)
	}
	dial(t, addr)
	for range 3 {
		if events := p.Wait(nil, 0, false); len(events) != 1 || events[0].Index != Listening {
			t.Errorf("told of %v, want the connection that can be accepted", events)
		}
	}
}

// A bell is a poller that signals rings when it is woken.
type bell struct {
	Poller
	rings chan struct{}
}

func (p *bell) Wake() {
	select {
	case p.rings <- struct{}{}:
	default:
	}
	p.Poller.Wake()
}

// TestBlockedAtDeadline checks that a job that starts to block its loop at the drain deadline ends with it.
func TestBlockedAtDeadline(t *testing.T) {
	app, source := newLoopApp(t, work.NewSleep(), time.Hour, "Hello World")
	woken := make(chan struct{}, 1)
	g, own := openGroup(t, 1, app, source, func(r Runnable) {
		app.ExpireDrain()
		<-woken
		r.RunInline()
	})
	g.loops[0].poller = &bell{g.loops[0].poller, woken}
	runGroup(t, g, own)
	client := dial(t, source.Addr())
	client.SetDeadline(time.Now().Add(testkit.Patience))
	io.WriteString(client, "GET / HTTP/1.0\r\n\r\n")
	if reply, err := http.ReadResponse(bufio.NewReader(client), nil); err != nil || reply.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%v, %v; want 503", reply, err)
	}
}

// deriving is work that derives contexts, as every client library does. It waits until it is cancelled, or not at all.
type deriving struct{ waits bool }

func (d deriving) Do(ctx context.Context, _ time.Duration) error {
	for range 100 {
		_, cancel := context.WithCancel(ctx)
		defer cancel()
	}
	if d.waits {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (deriving) Holds() work.Resource { return work.Socket }

// TestDerivedContext checks a job that the context package's goroutine looks at after its connection has closed. That
// goroutine must neither read the next connection's job (the race detector would fail) nor see a cancelled job as not
// cancelled (the process would end).
func TestDerivedContext(t *testing.T) {
	for _, waits := range []bool{false, true} {
		app, source := newLoopApp(t, deriving{waits}, time.Hour, "Hello World")
		g, own := openGroup(t, 1, app, source, func(r Runnable) { go r.Offload().Run() })
		runGroup(t, g, own)
		for range 500 {
			client := dial(t, source.Addr())
			if !waits {
				wantOK(t, client)
				client.Close()
				continue
			}
			io.WriteString(client, "GET / HTTP/1.0\r\n\r\n")
			testkit.Eventually(t, "in flight", func() bool { return app.InFlight() == 1 })
			client.Close()
			testkit.Eventually(t, "left", func() bool { return app.InFlight() == 0 })
		}
	}
}

// A forgetful is a poller whose first Listen fails for lack of memory in the kernel.
type forgetful struct {
	Poller
	listens int
}

func (p *forgetful) Listen(on bool) error {
	if on {
		p.listens++
		if p.listens == 1 {
			return unix.ENOMEM
		}
	}
	return p.Poller.Listen(on)
}

// TestListensAgain checks that a full loop that cannot listen again at once does so later.
func TestListensAgain(t *testing.T) {
	app, source := newLoopApp(t, work.NewSleep(), 0, "Hello World")
	g, own := openGroup(t, 1, app, source, Runnable.Sleep)
	g.limits.MaxConnections = 1
	g.loops[0].poller = &forgetful{Poller: g.loops[0].poller}
	runGroup(t, g, own)
	for range 3 {
		client := dial(t, source.Addr())
		wantOK(t, client)
		client.Close()
	}
}

// A sleeper is a poller that wakes far too late in the App's time, like a process that was stopped.
type sleeper struct {
	Poller
	loop    *loop
	stopped time.Duration // for how long; 0 for not at all
}

func (p *sleeper) Wait(ready []Event, until time.Duration, yield bool) []Event {
	if p.stopped == 0 || p.loop.conns.open == 0 {
		return p.Poller.Wait(ready, until, yield)
	}
	for c := range p.loop.conns.conns() { // make everything that much older
		state, since := c.state()
		c.setState(state, since-p.stopped)
		c.due -= p.stopped
	}
	p.loop.sweepAt -= p.stopped
	p.stopped = 0
	return ready // without the events in between
}

// TestLoopStopped checks that a stop of the process does not count against a connection's timeouts, and that input that
// arrived during it is answered.
func TestLoopStopped(t *testing.T) {
	app, source := newLoopApp(t, work.NewSleep(), 0, "Hello World")
	g, own := openGroup(t, 1, app, source, Runnable.Sleep)
	g.loops[0].poller = &sleeper{g.loops[0].poller, g.loops[0], time.Hour}
	runGroup(t, g, own)
	client := dial(t, source.Addr())
	testkit.Eventually(t, "accepted", func() bool { return app.Connections() == 1 })
	time.Sleep(time.Second) // for several checks of timeouts, one of which comes an hour late
	wantOK(t, client)
}

// TestConnSize checks the size, because a conn is all that a blocked request costs.
func TestConnSize(t *testing.T) {
	if size := unsafe.Sizeof(conn{}); size > 288 {
		t.Errorf("%d bytes, want at most 288", size)
	}
}

// An eager is a poller that always reports that all sockets are writable.
type eager struct {
	Poller
	loop *loop
}

func (p *eager) Wait(ready []Event, until time.Duration, yield bool) []Event {
	ready = p.Poller.Wait(ready, until, yield)
	for c := range p.loop.conns.conns() {
		ready = append(ready, Event{Tag: c.Tag, Writable: true})
	}
	return ready
}

// TestRoomMeansNothingYet checks that a writable socket ends neither the pause between two pieces nor a reply that
// hangs.
func TestRoomMeansNothingYet(t *testing.T) {
	bounds := testLimits()
	bounds.MaxConnections = 1000
	app := server.New(server.Config{
		Mode: "test", Work: work.NewSleep(), Body: []byte("Hello World"), Limits: bounds,
		Faults: server.Faults{Overrides: true, Caps: fault.Caps{MaxDelay: time.Minute}},
	})
	source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	g, own := openGroup(t, 1, app, source, Runnable.Sleep)
	g.loops[0].poller = &eager{g.loops[0].poller, g.loops[0]}
	runGroup(t, g, own)

	hangs, drips := dial(t, source.Addr()), dial(t, source.Addr())
	io.WriteString(hangs, "GET /?abort=hang HTTP/1.1\r\nHost: demo\r\n\r\n")
	began := time.Now()
	io.WriteString(drips, "GET /?drip=3&delay=150ms HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n")
	reply, err := io.ReadAll(drips)
	if took := time.Since(began); err != nil || !strings.HasSuffix(string(reply), "Hello World") || took < 150*time.Millisecond {
		t.Errorf("%q, %v after %s, want Hello World after 150ms", reply, err, took)
	}
	hangs.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := hangs.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v, want nothing until the client leaves", n, err)
	}
}

func testLimits() server.Limits {
	return server.Limits{
		MaxConnections: 3, MaxHeaderBytes: 4 << 10, MaxBodyBytes: 1 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, ReadRequestTimeout: 30 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: time.Minute,
	}
}

func newApp() *server.App {
	return server.New(server.Config{Mode: "test", Work: work.NewSleep(), Body: []byte("Hello World"), Limits: testLimits()})
}

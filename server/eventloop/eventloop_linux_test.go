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

	"demo-server/server"
	"demo-server/server/fault"
	"demo-server/server/http1"
	"demo-server/server/listener"
	"demo-server/work"
)

// eventLoops serves body on a socket of the loopback, with n loops, until the test ends.
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

// openGroup makes n loops that runLoops will run.
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

// runGroup runs them until the test ends.
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

// TestSpread: connections that come at the same time are shared among the loops, whichever accepts them.
func TestSpread(t *testing.T) {
	const n, connections = 4, 100
	app, g, addr := eventLoops(t, n, time.Minute, "")
	for range connections {
		io.WriteString(dial(t, addr), "GET / HTTP/1.0\r\n\r\n")
	}
	eventually(t, "all in flight", func() bool { return app.InFlight() == connections })
	for i, l := range g.loops {
		if count := l.count.Load(); count < connections/n-2*rebalanceAbove || count > connections/n+2*rebalanceAbove {
			t.Errorf("loop %d has %d of %d connections", i, count, connections)
		}
	}
}

// TestRequestAllocatesNothing: neither a request that blocks nor one that does not leaves anything on the heap.
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
		// The runtime and other goroutines may allocate now and then; a request that does so does it each time.
		if n := testing.AllocsPerRun(300, ask); n > 0.1 {
			t.Errorf("delay %v: %v allocations a request, want none", delay, n)
		}
	}
}

// TestPartialWrites: a long reply goes out whole, to a client that reads it in its own time.
func TestPartialWrites(t *testing.T) {
	const size = 8 << 20
	_, _, addr := eventLoops(t, 1, 0, strings.Repeat("x", size))
	client := dial(t, addr)
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: demo\r\n\r\nGET / HTTP/1.1\r\nHost: demo\r\n\r\n")
	reader := bufio.NewReaderSize(client, 16)
	for range 2 {
		time.Sleep(20 * time.Millisecond) // the socket's buffers fill meanwhile
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

// A gate is work that is done when it opens.
type gate chan struct{}

func (g gate) Do(context.Context, time.Duration) error { <-g; return nil }
func (gate) Holds() work.Resource                      { return work.Thread }

// TestHandedOverAtTheEnd: a loop that stood still when the mode was told to end may hand a connection to one that had
// nothing left to do by then.
func TestHandedOverAtTheEnd(t *testing.T) {
	open := make(gate)
	app, source := newLoopApp(t, open, 0, "Hello World")
	g, own := openGroup(t, 2, app, source, Runnable.RunInline)
	runGroup(t, g, own)
	blockALoop(t, app, g, source.Addr())

	g.stop()
	eventually(t, "the other accepts no more", func() bool { return g.accepting.Load() == 1 })
	late := dial(t, source.Addr())
	close(open)
	wantOK(t, late)
}

// wantOK asks on conn, which has to be answered soon.
func wantOK(t *testing.T, client net.Conn) {
	t.Helper()
	client.SetDeadline(time.Now().Add(patience))
	io.WriteString(client, "GET / HTTP/1.0\r\n\r\n")
	if reply, err := http.ReadResponse(bufio.NewReader(client), nil); err != nil || reply.StatusCode != http.StatusOK {
		t.Errorf("%v, %v; want 200", reply, err)
	}
}

// blockALoop makes a loop stand still that has so many connections that it hands new ones over to another, idle one.
func blockALoop(t *testing.T, app *server.App, g *group, addr net.Addr) {
	t.Helper()
	var conns [2][]net.Conn // of each loop; it is the kernel that chooses
	busy := 0
	for len(conns[busy]) < rebalanceAbove {
		client := dial(t, addr)
		accepted := func(i int) bool { return int(g.loops[i].count.Load()) > len(conns[i]) }
		eventually(t, "accepted", func() bool { return accepted(0) || accepted(1) })
		if busy = 0; accepted(1) {
			busy = 1
		}
		conns[busy] = append(conns[busy], client)
	}
	for _, client := range conns[1-busy] {
		client.Close()
	}
	eventually(t, "the other is idle", func() bool { return app.Connections() == rebalanceAbove })
	io.WriteString(conns[busy][0], "GET / HTTP/1.0\r\n\r\n")
	eventually(t, "in flight", func() bool { return app.InFlight() == 1 })
}

// TestEndlessTrailer: a trailer that never ends is refused, before it fills the buffer that its loop reads into.
func TestEndlessTrailer(t *testing.T) {
	_, _, addr := eventLoops(t, 1, 0, "Hello World")
	client := dial(t, addr)
	client.SetDeadline(time.Now().Add(patience))
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: demo\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
	go io.WriteString(client, strings.Repeat("\r", 30_000))
	reply, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil || reply.StatusCode != http.StatusBadRequest || !reply.Close {
		t.Errorf("%v, %v; want 400 and closed", reply, err)
	}
	wantOK(t, dial(t, addr))
}

// TestReadIntoNothing: a read into an empty buffer fails, because it would look like the end of the stream.
func TestReadIntoNothing(t *testing.T) {
	p, addr := newTestPoller(t)
	defer p.Free()
	dial(t, addr)
	socket := int32(-1)
	eventually(t, "accepted", func() bool {
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

// patience bounds every wait that should be short on an idle machine.
const patience = 20 * time.Second

// eventually waits for something that another goroutine is about to do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// newTestPoller returns one that accepts from a socket of its own, and that socket's address.
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

// TestWokenLate: to wake a loop that has ended writes to nothing that has its descriptor's number by now.
func TestWokenLate(t *testing.T) {
	p, _ := newTestPoller(t)
	number := p.eventfd
	p.Free()
	reused := -1
	for reused != number { // the kernel gives out the lowest number that is free
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

// TestTorrent: a client that sends faster than its loop reads leaves the others their turn. Blank lines are the one thing
// that only time ends.
func TestTorrent(t *testing.T) {
	app, source := newLoopApp(t, work.NewSleep(), 0, "Hello World")
	g, own := openGroup(t, 1, app, source, Runnable.Sleep)
	g.loops[0].poller = &torrent{Poller: g.loops[0].poller}
	runGroup(t, g, own)
	io.WriteString(dial(t, source.Addr()), "\n")
	eventually(t, "accepted", func() bool { return app.Connections() == 1 })
	for range 3 {
		wantOK(t, dial(t, source.Addr()))
	}
}

// A meter is a poller that counts what is read.
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

// TestLingersForSoLong: of a client that goes on sending after it was refused, only so much is read.
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
	if n, most := m.taken.Load(), int64(http1.LingerBytes+2*readChunk+testLimits().MaxHeaderBytes); n > most {
		t.Errorf("%d bytes read, want at most %d", n, most)
	}
}

// TestNoTimeToWait: a poller that has no time to wait tells what has happened all the same.
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

// A bell is a poller that rings when it is woken.
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

// TestBlockedAtDeadline: a job that comes to stand still for just when the drain deadline passes ends with it.
func TestBlockedAtDeadline(t *testing.T) {
	app, source := newLoopApp(t, work.NewSleep(), time.Hour, "Hello World")
	told := make(chan struct{}, 1)
	g, own := openGroup(t, 1, app, source, func(task Runnable) {
		app.ExpireDrain()
		<-told
		task.RunInline()
	})
	g.loops[0].poller = &bell{g.loops[0].poller, told}
	runGroup(t, g, own)
	client := dial(t, source.Addr())
	client.SetDeadline(time.Now().Add(patience))
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

// TestDerivedContext: the context package's own goroutine may look at a job when its connection has closed, and find
// neither the next one's (the race detector fails then) nor one that is no longer cancelled (the process ends then).
func TestDerivedContext(t *testing.T) {
	for _, waits := range []bool{false, true} {
		app, source := newLoopApp(t, deriving{waits}, time.Hour, "Hello World")
		g, own := openGroup(t, 1, app, source, func(task Runnable) { go task.Offload().Run() })
		runGroup(t, g, own)
		for range 500 {
			client := dial(t, source.Addr())
			if !waits {
				wantOK(t, client)
				client.Close()
				continue
			}
			io.WriteString(client, "GET / HTTP/1.0\r\n\r\n")
			eventually(t, "in flight", func() bool { return app.InFlight() == 1 })
			client.Close()
			eventually(t, "left", func() bool { return app.InFlight() == 0 })
		}
	}
}

// A forgetful is a poller for which the kernel has no memory when it is to listen again for the first time.
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

// TestListensAgain: a loop that was full and could not listen again at once does so later.
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

// A sleeper is a poller that wakes long after it was to, in the App's time, as in a process that was stopped.
type sleeper struct {
	Poller
	loop    *loop
	stopped time.Duration // for so long, once; 0 for not
}

func (p *sleeper) Wait(ready []Event, until time.Duration, yield bool) []Event {
	if p.stopped == 0 || p.loop.conns.open == 0 {
		return p.Poller.Wait(ready, until, yield)
	}
	for c := range p.loop.conns.conns() { // everything is that much older when the loop wakes
		phase, since := c.state()
		c.setState(phase, since-p.stopped)
		c.due -= p.stopped
	}
	p.loop.sweepAt -= p.stopped
	p.stopped = 0
	return ready // and has not been told what happened
}

// TestLoopStopped: a session has after a stop of the process what it had left of its time, and what came in the meantime
// is answered.
func TestLoopStopped(t *testing.T) {
	app, source := newLoopApp(t, work.NewSleep(), 0, "Hello World")
	g, own := openGroup(t, 1, app, source, Runnable.Sleep)
	g.loops[0].poller = &sleeper{g.loops[0].poller, g.loops[0], time.Hour}
	runGroup(t, g, own)
	client := dial(t, source.Addr())
	eventually(t, "accepted", func() bool { return app.Connections() == 1 })
	time.Sleep(time.Second) // for some looks at timeouts, of which one comes an hour late
	wantOK(t, client)
}

// TestConnSize: a conn is all that a blocked request costs.
func TestConnSize(t *testing.T) {
	if size := unsafe.Sizeof(conn{}); size > 288 {
		t.Errorf("%d bytes, want at most 288", size)
	}
}

// An eager is a poller that says of every socket, all the time, that it has room.
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

// TestRoomMeansNothingYet: that there is room for more ends neither the pause between two pieces nor a reply that hangs.
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

package modes_test

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"demo-server/memnet"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/server/eventloop/looptest"
	"demo-server/server/listener"
	"demo-server/work"
)

func TestMain(m *testing.M) {
	// fasthttp starts one goroutine for the Date header with its first connection, which never ends. It must not start
	// in a test's virtual time.
	warmUp()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

func warmUp() {
	cl, conn := net.Pipe()
	go io.Copy(io.Discard, cl)
	go func() {
		io.WriteString(cl, "GET / HTTP/1.0\r\n\r\n")
	}()
	fasthttp.ServeConn(conn, func(*fasthttp.RequestCtx) {})
	cl.Close()
}

// testDelay is the delay of requests in virtual time. Tests with real sockets use brief, or while if something has to
// happen during the request, even on a busy machine.
const (
	testDelay = 2 * time.Second
	brief     = 100 * time.Millisecond
	while     = 600 * time.Millisecond
)

// A variant is a mode with options.
type variant struct {
	label string
	modes.Instance
}

// variants returns the modes of the list with options for tests, and the other variants of eventloop.
func variants(workers int) (all []variant) {
	o := modes.Options{Workers: workers, MaxThreads: 100, Loops: 2, LoopHelpers: workers}
	for _, mode := range modes.All {
		all = append(all, variant{mode.Name, mode.Instance(o)})
	}
	offloading := named("eventloop", o)
	offloading.Limit = offloading.Offload
	o.Unpatched, o.Loops = true, 1
	return append(all,
		variant{"eventloop, work that holds a thread", offloading},
		variant{"eventloop, unpatched", named("eventloop", o)},
	)
}

// named returns the mode with that name and those options.
func named(name string, o modes.Options) modes.Instance { return modes.Named(name).Instance(o) }

// eachMode runs test for every mode, in virtual time and with connections in memory.
func eachMode(t *testing.T, workers int, test func(*testing.T, modes.Instance)) {
	for _, v := range variants(workers) {
		t.Run(v.label, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, v.Instance) })
		})
	}
}

// eachModeReal does so in real time, for effects of the kernel's sockets.
func eachModeReal(t *testing.T, workers int, test func(*testing.T, modes.Instance)) {
	for _, v := range variants(workers) {
		t.Run(v.label, func(t *testing.T) {
			t.Parallel()
			test(t, v.Instance)
		})
	}
}

// A config holds the changes of a test to the default App.
type config struct {
	work      work.Work
	delay     time.Duration // atOnce for none
	body      string
	finish    bool
	halfClose bool
	describe  bool
	queue     int
	timeout   time.Duration
	faults    server.Faults
	anyPath   bool
	cors      bool
	limits    func(*server.Limits)
	observers []server.Observer
}

// atOnce is the delay of requests that do not block.
const atOnce = -1

// newApp makes an App for mode, with settings for tests.
func newApp(mode modes.Instance, o config) *server.App {
	made := server.Config{
		Mode: mode.Name, Work: o.work, Delay: max(0, cmp.Or(o.delay, testDelay)), Body: []byte("Hello World"), FinishOnDisconnect: o.finish, AnswerHalfClosed: o.halfClose, Describe: o.describe,
		Faults: o.faults, AnyPath: o.anyPath, CORS: o.cors, Observers: o.observers,
		Limits: server.Limits{
			MaxConnections: 1000, MaxHeaderBytes: 4 << 10, MaxBodyBytes: 1 << 10,
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, ReadRequestTimeout: 30 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		},
	}
	if made.Work == nil {
		made.Work = work.NewSleep()
	}
	made.Requestable = map[string]work.Work{"sleep": made.Work}
	if mode.Limit == mode.Offload {
		made.Work = holding{made.Work, work.Thread}
	}
	if o.body != "" {
		made.Body = []byte(o.body)
	}
	if o.limits != nil {
		o.limits(&made.Limits)
	}
	if queue, ok := mode.Limit.Queue(o.queue, o.timeout); ok {
		made.Admission = &queue
	}
	if queue, ok := mode.Offload.Queue(o.queue, o.timeout); ok {
		made.Admission, made.Helpers = nil, &queue
	}
	return server.New(made)
}

// holding is work that reports another resource than its own.
type holding struct {
	work.Work
	holds work.Resource
}

func (h holding) Holds() work.Resource { return h.holds }

// A service is a mode that serves a source.
type service struct {
	app    *server.App
	stop   context.CancelFunc
	served chan error
}

// serve starts mode on source. The test stops it.
func serve(t testing.TB, mode modes.Instance, source *listener.Source, o config) *service {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &service{app: newApp(mode, o), stop: cancel, served: make(chan error, 1)}
	go func() { s.served <- mode.Serve(ctx, source, s.app) }()
	t.Cleanup(func() {
		cancel()
		s.app.Close()
	})
	return s
}

// ended waits until the mode has stopped.
func (s *service) ended(t testing.TB) {
	t.Helper()
	s.stop()
	if err := <-s.served; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	s.served <- nil
}

// A memory is a listener without a network.
type memory struct{ *memnet.Listener }

// inMemory starts mode with connections in memory, and stops it when the test ends.
func inMemory(t *testing.T, mode modes.Instance, o config) (*service, memory) {
	t.Helper()
	m := newMemory()
	source := m.source()
	s := serve(t, mode, source, o)
	t.Cleanup(func() {
		s.ended(t)
		source.Close()
	})
	return s, m
}

// source returns m as a Source for all modes, including those with event loops.
func (m memory) source() *listener.Source { return listener.NewSource(looptest.Wrap(m)) }

func newMemory() memory { return memory{memnet.Listen()} }

// dial connects without waiting to be accepted, as with a kernel's accept queue.
func (m memory) dial(t *testing.T) *client {
	t.Helper()
	near, far := net.Pipe()
	go m.Hand(far)
	return newClient(t, near)
}

// overTCP starts mode on a loopback socket, and stops it when the test ends.
func overTCP(t testing.TB, mode modes.Instance, o config) (*service, *listener.Source) {
	t.Helper()
	source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, mode, source, o)
	t.Cleanup(func() {
		s.ended(t)
		source.Close()
	})
	return s, source
}

func dialTCP(t *testing.T, source *listener.Source) *client {
	t.Helper()
	c, err := net.Dial("tcp", source.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, c)
}

// A client speaks HTTP by hand.
type client struct {
	net.Conn
	t      *testing.T
	reader *bufio.Reader
}

func newClient(t *testing.T, c net.Conn) *client {
	t.Cleanup(func() { c.Close() })
	return &client{Conn: c, t: t, reader: bufio.NewReader(c)}
}

const hello = "GET / HTTP/1.1\r\nHost: demo\r\n\r\n"

// send writes in the background, because a connection in memory has no buffer.
func (c *client) send(raw string) *client {
	go io.WriteString(c.Conn, raw)
	return c
}

// A reply is a complete HTTP response.
type reply struct {
	*http.Response
	body string
}

// read reads the reply to a request with a method. It returns nil if the connection ends instead.
func (c *client) read(method string) *reply {
	c.t.Helper()
	response, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Errorf("body: %v", err)
	}
	return &reply{response, string(body)}
}

// get sends a request, and checks the status of its reply.
func (c *client) get(status int) *reply {
	c.t.Helper()
	r := c.send(hello).read("GET")
	if r == nil {
		c.t.Fatalf("no reply, want %d", status)
	}
	if r.StatusCode != status {
		c.t.Fatalf("status %d %q, want %d", r.StatusCode, r.body, status)
	}
	return r
}

// closed reports whether the server has closed its side.
func (c *client) closed() bool {
	_, err := c.reader.ReadByte()
	return err != nil && !os.IsTimeout(err)
}

// outcomes counts the outcomes of requests.
type outcomes struct {
	mu     sync.Mutex
	counts map[server.Outcome]int
}

func (o *outcomes) Observe(s *server.Sample) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.counts == nil {
		o.counts = map[server.Outcome]int{}
	}
	o.counts[s.Outcome]++
}

func (o *outcomes) of(outcome server.Outcome) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts[outcome]
}

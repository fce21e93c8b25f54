package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"demo-server/server"
	"demo-server/server/admin"
	"demo-server/server/listener"
	"demo-server/server/metrics"
	"demo-server/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var knownModes, knownKinds = []string{"pool", "single"}, []string{"sleep", "sql"}

// An instant is work that takes no time.
type instant struct{}

func (instant) Do(context.Context, time.Duration) error { return nil }
func (instant) Holds() work.Resource                    { return work.Nothing }

// A scarce is work with a pool of three, two of which are in use.
type scarce struct{ instant }

func (scarce) Pool() work.PoolStats {
	return work.PoolStats{Name: "sql", Size: 3, InUse: 2, Waiting: 1}
}

func newApp(mode string) *server.App { return server.New(server.Config{Mode: mode, Work: scarce{}}) }

func newSource(t testing.TB) *listener.Source {
	source, err := listener.Listen(t.Context(), "127.0.0.1:0", 7)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

// begin starts a job of app, which is then in flight.
func begin(t testing.TB, app *server.App) {
	job := new(server.Job)
	job.Init(app)
	job.Begin("GET", "/", "", 0)
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
}

// A fakeWorker is a worker in this process, with its own metrics and its own admin listener on a Unix socket.
type fakeWorker struct {
	Worker
	app      *server.App
	observer server.Observer
	unready  atomic.Pointer[string] // why it is not ready; nil if it is
	stop     func()
}

func (w *fakeWorker) readiness(everything bool) (bool, string) {
	if reason := w.unready.Load(); reason != nil && everything {
		return false, *reason + " at 127.0.0.1:5432"
	} else if reason != nil {
		return false, *reason
	}
	return true, ""
}

func newFakeWorker(t *testing.T, pid int) *fakeWorker {
	t.Helper()
	socket, err := net.Listen("unix", filepath.Join(t.TempDir(), "admin"))
	if err != nil {
		t.Fatal(err)
	}
	counts, app := metrics.New(), newApp("pool")
	counts.Watch(app, newSource(t))
	counts.WatchLog(func() uint64 { return 2 })
	w := &fakeWorker{
		Worker: Worker{PID: pid, State: "ready", Dial: dialer(socket.Addr())},
		app:    app, observer: counts.Observer("pool"),
	}
	s := admin.New(socket, admin.Config{
		Meter: counts, Ready: w.readiness, Private: true,
		Endpoints: []admin.Endpoint{{Path: metrics.SnapshotPath, Handler: admin.JSON(func() any { return counts.Snapshot() })}},
	})
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	w.stop = sync.OnceFunc(func() {
		s.Shutdown(context.Background())
		<-served
	})
	t.Cleanup(w.stop)
	return w
}

func dialer(address net.Addr) func() (net.Conn, error) {
	return func() (net.Conn, error) { return net.Dial(address.Network(), address.String()) }
}

// answer counts n successful requests.
func (w *fakeWorker) answer(n int) {
	for range n {
		w.observer.Observe(&server.Sample{
			Outcome: server.OK, Admitted: true, Started: true, Queued: time.Second, Worked: 2 * time.Second,
		})
	}
}

// get requests one of f's endpoints.
func get(f *Fleet, path string) *httptest.ResponseRecorder {
	router := chi.NewRouter()
	router.Get(WorkersPath, f.List)
	router.Get(ForwardPath, f.Forward)
	reply := httptest.NewRecorder()
	router.ServeHTTP(reply, httptest.NewRequest(http.MethodGet, path, nil))
	return reply
}

// isLine reports whether body is one line of plain text. Every error has to be.
func isLine(body string) bool { return len(body) > 1 && strings.Index(body, "\n") == len(body)-1 }

// text returns f as /metrics shows it.
func text(t testing.TB, f *Fleet) string {
	t.Helper()
	families, err := f.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var body strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&body, family); err != nil {
			t.Fatal(err)
		}
	}
	return body.String()
}

// statsOf returns the body of /stats.
func statsOf(t testing.TB, of admin.Meter) []byte {
	t.Helper()
	body, err := json.MarshalIndent(of.Stats(true, ""), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(body, '\n')
}

func newFleet(t *testing.T, workers ...*fakeWorker) *Fleet {
	t.Helper()
	f := New(Config{
		Mode: func() string { return "pool" }, Source: newSource(t), Answered: func(int) {},
		LogDropped: func() uint64 { return 1 }, Modes: knownModes, Kinds: knownKinds,
	})
	for _, w := range workers {
		f.Put(w.Worker)
		t.Cleanup(func() { f.Remove(w.PID) })
	}
	return f
}

// TestFleetReady checks that the reason comes from a serving worker that is not ready. Workers that do not serve or do not
// answer do not count.
func TestFleetReady(t *testing.T) {
	a, b := newFakeWorker(t, 1), newFakeWorker(t, 2)
	f := newFleet(t, a, b)
	want := func(when string, ready bool, reason string) {
		t.Helper()
		if gotReady, gotReason := f.Ready(false); gotReady != ready || gotReason != reason {
			t.Errorf("%s: got %v, %q, want %v, %q", when, gotReady, gotReason, ready, reason)
		}
		if !ready {
			reason += " at 127.0.0.1:5432"
		}
		if gotReady, gotReason := f.Ready(true); gotReady != ready || gotReason != reason {
			t.Errorf("%s, everything: got %v, %q, want %v, %q", when, gotReady, gotReason, ready, reason)
		}
	}
	want("both are ready", true, "")
	b.unready.Store(new("no database"))
	want("one is not", false, "worker process 2: no database")
	b.State = "draining"
	f.Put(b.Worker)
	want("which drains", true, "")
	a.stop()
	want("the other one does not answer", true, "")
}

// TestFleetStarting asks a worker that does not listen yet, such as one that drains before it is ready.
func TestFleetStarting(t *testing.T) {
	f := newFleet(t)
	f.Put(Worker{PID: 1, State: "starting"})
	f.Ask(1)
	if got := f.stats(true, ""); len(got.Workers) != 1 || got.Workers[0].Answers {
		t.Errorf("got %+v, want one that does not answer", got.Workers)
	}
	if reply := get(f, "/workers/1/stats"); reply.Code != http.StatusBadGateway || !isLine(reply.Body.String()) {
		t.Errorf("its own /stats: %d %q, want 502 and one line", reply.Code, reply.Body)
	}
}

// TestFleetAddsUp checks the sums in /stats and /metrics. The accept queue is not a sum, because there is only one.
func TestFleetAddsUp(t *testing.T) {
	a, b := newFakeWorker(t, 1), newFakeWorker(t, 2)
	a.answer(3)
	b.answer(4)
	begin(t, a.app)
	begin(t, b.app)
	b.app.ConnectionOpened()
	for _, w := range []*fakeWorker{a, b} {
		w.observer.(server.CloseObserver).ObserveClose(server.CloseDrain)
	}
	f := newFleet(t, a, b)

	got := f.stats(true, "")
	want := metrics.ModeStats{
		Mode: "pool", InFlight: 2, Connections: 1, QueueWait: metrics.Distribution{Count: 7, Sum: 7, Mean: 1},
		Work: metrics.Distribution{Count: 7, Sum: 14, Mean: 2}, Pools: []metrics.Pool{{Kind: "sql", Size: 6, InUse: 4, Waiting: 2}},
	}
	want.Requests[server.OK] = 7
	want.Closed[server.CloseDrain] = 2
	if diff := cmp.Diff(want, got.ModeStats); diff != "" {
		t.Errorf("/stats (-want +got):\n%s", diff)
	}
	for i, n := range []uint64{3, 4} {
		w := got.Workers[i]
		if w.PID != i+1 || !w.Answers || w.State != "ready" || w.Requests[server.OK] != n || w.InFlight != 1 || w.Goroutines < 1 {
			t.Errorf("worker %d is %+v", i+1, w)
		}
	}
	if got.LogDropped != 2+2+1 {
		t.Errorf("%d lines of log dropped, want the workers' and the supervisor's together", got.LogDropped)
	}
	if got.Goroutines != got.Workers[0].Goroutines+got.Workers[1].Goroutines {
		t.Errorf("%d goroutines, want the workers' together", got.Goroutines)
	}

	shown := text(t, f)
	for _, want := range []string{
		`demo_server_requests_total{mode="pool",outcome="ok"} 7`,
		`demo_server_requests_in_flight{mode="pool"} 2`,
		`demo_server_connections_closed_total{cause="drain",mode="pool"} 2`,
		`demo_server_work_duration_seconds_bucket{mode="pool",le="1.87"} 0`,
		`demo_server_work_duration_seconds_bucket{mode="pool",le="2.14"} 7`,
		`demo_server_work_duration_seconds_sum{mode="pool"} 14`,
		`demo_server_worker_processes{state="ready"} 2`,
		`demo_server_worker_process_up{pid="1"} 1`,
		`demo_server_worker_process_restarts_total 0`,
		`demo_server_log_lines_dropped_total 5`,
	} {
		if !strings.Contains(shown, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	for _, process := range []string{`pid="1",process="worker"`, `pid="2",process="worker"`, `process="supervisor"`} {
		if n := strings.Count(shown, "go_goroutines{"); n != 3 || !strings.Contains(shown, process) {
			t.Errorf("%d processes tell their goroutines, want 3, one with %s", n, process)
		}
	}
	if queue, ok := newSource(t).AcceptQueue(); ok {
		if want := fmt.Sprintf("demo_server_accept_queue_limit{mode=\"pool\"} %d\n", queue.Limit); !strings.Contains(shown, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// TestFleetKeys checks that /stats has the keys of a process without workers, and two more.
func TestFleetKeys(t *testing.T) {
	keys := func(of admin.Meter) []string {
		var body map[string]any
		if err := json.Unmarshal(statsOf(t, of), &body); err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(maps.Keys(body))
	}
	want := append(keys(metrics.New()), "restarts", "workers")
	slices.Sort(want)
	if diff := cmp.Diff(want, keys(newFleet(t, newFakeWorker(t, 1)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFleetKeepsCounts checks that a worker's counts stay after its end, as in its last answer, and that its gauges do not.
func TestFleetKeepsCounts(t *testing.T) {
	a, b := newFakeWorker(t, 1), newFakeWorker(t, 2)
	f := newFleet(t, a, b)
	a.answer(3)
	b.answer(4)
	begin(t, a.app)
	f.Ask(a.PID)
	a.answer(1) // after its last answer
	f.Remove(a.PID)
	f.Restarted()
	for range 2 { // asking must not count twice
		got := f.stats(true, "")
		if got.Requests[server.OK] != 7 || got.Work.Count != 7 || got.InFlight != 0 || len(got.Workers) != 1 || got.Restarts != 1 {
			t.Errorf("got %+v", got)
		}
	}
	f.Remove(b.PID)
	if got := f.stats(true, ""); got.Requests[server.OK] != 7 || got.LogDropped != 5 || len(got.Workers) != 0 {
		t.Errorf("after the last worker: %+v", got)
	}
}

// TestFleetBeforeTheFirst checks that a worker is not asked before it listens.
func TestFleetBeforeTheFirst(t *testing.T) {
	f := newFleet(t)
	f.Put(Worker{PID: 1, State: "starting"})
	got := f.stats(true, "")
	if len(got.Workers) != 1 || got.Workers[0].Answers {
		t.Errorf("got %+v", got)
	}
	w := newFakeWorker(t, 1)
	w.answer(2)
	f.Put(w.Worker)
	t.Cleanup(func() { f.Remove(1) })
	if got := f.stats(true, ""); got.Requests[server.OK] != 2 || len(got.Workers) != 1 || got.Workers[0].State != "ready" {
		t.Errorf("once it is ready: %+v", got)
	}
}

// TestFleetSilent checks that the last numbers of a worker count if it does not answer.
func TestFleetSilent(t *testing.T) {
	a := newFakeWorker(t, 1)
	f := newFleet(t, a)
	a.answer(3)
	if got := f.stats(true, ""); !got.Workers[0].Answers {
		t.Errorf("got %+v", got)
	}
	a.stop()
	if got := f.stats(true, ""); got.Workers[0].Answers || got.Requests[server.OK] != 3 {
		t.Errorf("silent: %+v", got)
	}
	if !strings.Contains(text(t, f), `up{pid="1"} 0`) {
		t.Error("/metrics does not say that it is silent")
	}
}

// newHostileWorker returns a worker that answers every request with the same bytes.
func newHostileWorker(t *testing.T, pid, status int, body []byte) Worker {
	t.Helper()
	socket, err := net.Listen("unix", filepath.Join(t.TempDir(), "admin"))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		w.Write(body)
	}))
	w.Listener.Close()
	w.Listener = socket
	w.Start()
	t.Cleanup(w.Close)
	return Worker{PID: pid, State: "ready", Dial: dialer(socket.Addr())}
}

// TestFleetHostile checks that a harmful answer counts as no answer, and does not change the numbers of other workers.
func TestFleetHostile(t *testing.T) {
	for name, body := range map[string]string{
		"buckets that the others lack":  `{"mode":"pool","modes":[{"mode":"pool","work_buckets":[1,2,3]}]}`,
		"no value at all":               `{"process":{"go_goroutines":[]}}`,
		"a name that is no mode":        `{"modes":[{"mode":"nothing"}]}`,
		"a count below zero":            `{"modes":[{"mode":"pool","requests":{"ok":-1}}]}`,
		"a count that JSON cannot say":  `{"modes":[{"mode":"pool","in_flight":NaN}]}`,
		"more modes than memory":        `{"modes":[` + strings.Repeat("{},", 1<<15) + `{}]}`,
		"more bytes than are read":      `{"mode":"pool"` + strings.Repeat(" ", maxAnswer) + `}`,
		"more levels than there can be": strings.Repeat(`{"process":`, 1<<13),
		"no JSON":                       "<html>",
		"nothing":                       "",
	} {
		t.Run(name, func(t *testing.T) {
			a := newFakeWorker(t, 1)
			a.answer(3)
			f := newFleet(t, a)
			f.Put(newHostileWorker(t, 2, http.StatusOK, []byte(body)))
			defer f.Remove(2)
			var got struct {
				Requests map[string]int
				Workers  []struct{ Answers bool }
			}
			if err := json.Unmarshal(statsOf(t, f), &got); err != nil {
				t.Fatal(err)
			}
			if got.Requests["ok"] != 3 || got.Workers[1].Answers {
				t.Errorf("/stats: %d requests, %+v; want 3, and no answer of the other worker", got.Requests["ok"], got.Workers[1])
			}
			if !strings.Contains(text(t, f), `demo_server_requests_total{mode="pool",outcome="ok"} 3`) {
				t.Error("/metrics lacks the figures of the honest worker")
			}
		})
	}
}

// TestFleetHostileReason checks that /readyz shows one short, printable line of a worker's reason.
func TestFleetHostileReason(t *testing.T) {
	f := newFleet(t)
	f.Put(newHostileWorker(t, 1, http.StatusServiceUnavailable, []byte("no\x1b[2J disk\xff\nready\n"+strings.Repeat("x", 1<<20))))
	defer f.Remove(1)
	if ready, reason := f.Ready(true); ready || reason != "worker process 1: no [2J disk " {
		t.Errorf("got %v, %.80q", ready, reason)
	}
}

// TestFleetWatch checks that workers are asked each second.
func TestFleetWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(Config{Mode: func() string { return "pool" }})
		f.workers = []*worker{newWorker(Worker{PID: 1, Dial: dialer(nil)})}
		f.workers[0].client.Transport = refusing{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*askEvery+askEvery/2)
		defer cancel()
		f.Watch(ctx)
		if n := f.workers[0].asked.Load(); n != 10 {
			t.Errorf("asked %d times, want 10", n)
		}
	})
}

// TestFleetSilence checks that the service is not ready if a worker has been silent for a while, and ready again once it
// answers. /stats shows since when it has been silent.
func TestFleetSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answered []int
		f := New(Config{Mode: func() string { return "pool" }, Answered: func(pid int) { answered = append(answered, pid) }})
		var hangs atomic.Bool
		f.Put(pipeWorker(1, func(conn net.Conn) {
			if !hangs.Load() {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
			}
		}))
		want := func(silentSince time.Time, ready bool, reason string) {
			t.Helper()
			f.ask()
			if got, why := f.Ready(true); got != ready || why != reason {
				t.Errorf("ready %v, %q; want %v, %q", got, why, ready, reason)
			}
			since := f.workers[0].stats().SilentSince
			if since == nil != silentSince.IsZero() || since != nil && !since.Equal(silentSince) {
				t.Errorf("silent since %v, want %v", since, silentSince)
			}
		}
		want(time.Time{}, true, "")
		hangs.Store(true)
		since := time.Now().Add(askTimeout)
		want(since, true, "")
		time.Sleep(silentAfter)
		want(since, false, "worker process 1: has not answered for 6s")
		hangs.Store(false)
		want(time.Time{}, true, "")
		if diff := cmp.Diff([]int{1, 1}, answered); diff != "" {
			t.Errorf("Answered was called with (-want +got):\n%s", diff)
		}
		f.Remove(1)
	})
}

type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, net.ErrClosed }

// TestForward checks that a worker's endpoints are below its PID.
func TestForward(t *testing.T) {
	a := newFakeWorker(t, 7)
	f := newFleet(t, a)
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/workers/":               {200, "/workers/7/ ready\n"},
		"/workers/7/readyz":       {200, "ready\n"},
		"/workers/7/stats":        {200, `"mode": "pool"`},
		"/workers/7/debug/pprof/": {200, "goroutine"},
		"/workers/7/":             {200, "/metrics"},
		"/workers/8/stats":        {404, "not found: /workers/ lists the worker processes\n"},
		"/workers/x/stats":        {404, "not found: /workers/ lists the worker processes\n"},
	} {
		if reply := get(f, path); reply.Code != want.status || !strings.Contains(reply.Body.String(), want.body) {
			t.Errorf("%s: %d %q; want %d with %q", path, reply.Code, reply.Body, want.status, want.body)
		}
	}
	a.stop()
	if reply := get(f, "/workers/7/stats"); reply.Code != 502 || !isLine(reply.Body.String()) {
		t.Errorf("a worker that is gone: %d %q", reply.Code, reply.Body)
	}
}

// pipeWorker returns a worker for tests in virtual time. It calls serve on each connection after reading the request.
func pipeWorker(pid int, serve func(net.Conn)) Worker {
	return Worker{PID: pid, State: "ready", Dial: func() (net.Conn, error) {
		ours, its := net.Pipe()
		go func() {
			defer its.Close()
			if _, err := http.ReadRequest(bufio.NewReader(its)); err == nil {
				serve(its)
			}
			io.Copy(io.Discard, its) // until the supervisor closes it
		}()
		return ours, nil
	}}
}

// TestForwardHung checks that the supervisor waits for a silent or stalled worker as long as the request needs, not longer.
func TestForwardHung(t *testing.T) {
	after := func(d time.Duration, text string) func(net.Conn) {
		return func(conn net.Conn) {
			time.Sleep(d)
			io.WriteString(conn, text)
		}
	}
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
	for name, row := range map[string]struct {
		path   string
		serve  func(net.Conn)
		status int
		body   string
		took   time.Duration
	}{
		"in time":            {"stats", after(4*time.Second, ok+"done"), 200, "done", 4 * time.Second},
		"silent":             {"stats", after(0, ""), 504, "the worker process does not answer: nothing came in time\n", 5 * time.Second},
		"silent, to seconds": {"stats?seconds=60", after(0, ""), 504, "the worker process does not answer: nothing came in time\n", 5 * time.Second},
		"a profile":          {"debug/pprof/profile", after(30*time.Second, ok+"done"), 200, "done", 30 * time.Second},
		"a long profile":     {"debug/pprof/profile?seconds=90", after(91*time.Second, ok+"done"), 200, "done", 91 * time.Second},
		"a trace":            {"debug/pprof/trace?seconds=8.5", after(8500*time.Millisecond, ok+"done"), 200, "done", 8500 * time.Millisecond},
		"a silent trace":     {"debug/pprof/trace?seconds=8.5", after(0, ""), 504, "the worker process does not answer: nothing came in time\n", 13500 * time.Millisecond},
		"stalled":            {"stats", after(time.Second, ok+"do"), 200, "do", 6 * time.Second},
		"no HTTP":            {"stats", after(0, "\x1b[2J\r\n\r\n"), 502, "", 0},
		"a switch":           {"stats", after(0, "HTTP/1.1 101 Switching Protocols\r\n\r\n"), 502, "the worker process does not answer: it wants to switch protocols\n", 0},
		"endless headers": {"stats", func(conn net.Conn) {
			for line := "HTTP/1.1 200 OK\r\n"; ; line = "X-Again: again\r\n" {
				if _, err := io.WriteString(conn, line); err != nil {
					return
				}
			}
		}, 502, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := New(Config{Mode: func() string { return "pool" }})
				f.Put(pipeWorker(7, row.serve))
				began := time.Now()
				reply := get(f, "/workers/7/"+row.path)
				if took := time.Since(began); took != row.took {
					t.Errorf("took %v, want %v", took, row.took)
				}
				body := reply.Body.String()
				if reply.Code != row.status || row.body != "" && body != row.body || row.body == "" && !isLine(body) {
					t.Errorf("%d %q, want %d with %q", reply.Code, body, row.status, row.body)
				}
				f.Remove(7)
			})
		})
	}
}

// TestForwardEndless checks that a reply fails if the worker never ends it.
func TestForwardEndless(t *testing.T) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	body := workerBody{ReadCloser: io.NopCloser(endless{strings.NewReader("again")}), timer: timer, patience: time.Hour, left: 1 << 20}
	if n, err := io.Copy(io.Discard, &body); !errors.Is(err, errLong) || n > 1<<20 {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

func TestFleetLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(newFleet(t, newFakeWorker(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

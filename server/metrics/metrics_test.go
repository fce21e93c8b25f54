package metrics

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"demo-server/server"
	"demo-server/server/admission"
	"demo-server/server/listener"
	"demo-server/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
func begin(t testing.TB, app *server.App) *server.Job {
	job := new(server.Job)
	job.Init(app)
	job.Begin("GET", "/", "", 0)
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
	return job
}

// observed returns metrics of the mode pool after four requests: one whose client disconnected, one whose dependency timed
// out, one that was refused, and one that was never admitted. A fifth one is in flight, and there are two connections.
func observed(t testing.TB) *Metrics {
	m := New()
	app := newApp("pool")
	m.Watch(app, newSource(t))
	observer := m.Observer("pool")
	observer.Observe(&server.Sample{
		Outcome: server.Wasted, Admitted: true, Started: true, Queued: 3 * time.Second, Worked: 2001 * time.Millisecond,
	})
	observer.Observe(&server.Sample{
		Outcome: server.Failed, Admitted: true, Started: true, Failure: &work.Failure{Cause: work.TimedOut},
	})
	observer.Observe(&server.Sample{Outcome: server.QueueFull, Admitted: true})
	observer.Observe(&server.Sample{Outcome: server.BadRequest, Queued: time.Hour, Worked: time.Hour})
	app.ConnectionOpened()
	app.ConnectionOpened()
	observer.(server.CloseObserver).ObserveClose(server.CloseIdleTimeout)
	begin(t, app)
	return m
}

// text returns m as /metrics shows it.
func text(t testing.TB, m *Metrics) string {
	t.Helper()
	families, err := m.Gather()
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

// statsOf returns m as /stats shows it.
func statsOf(t testing.TB, m *Metrics, ready bool, reason string) []byte {
	t.Helper()
	body, err := json.MarshalIndent(m.Stats(ready, reason), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(body, '\n')
}

func TestMetrics(t *testing.T) {
	body := text(t, observed(t))
	for _, want := range []string{
		`demo_server_requests_total{mode="pool",outcome="wasted"} 1`,
		`demo_server_requests_total{mode="pool",outcome="queue_full"} 1`,
		`demo_server_requests_total{mode="pool",outcome="ok"} 0`,
		`demo_server_requests_in_flight{mode="pool"} 1`,
		`demo_server_requests_queued{mode="pool"} 0`,
		`demo_server_connections_open{mode="pool"} 2`,
		`demo_server_connections_closed_total{cause="idle_timeout",mode="pool"} 1`,
		`demo_server_connections_closed_total{cause="replied",mode="pool"} 0`,
		`demo_server_queue_wait_seconds_bucket{mode="pool",le="0.000109"} 2`,
		`demo_server_queue_wait_seconds_bucket{mode="pool",le="5.52"} 3`,
		`demo_server_queue_wait_seconds_count{mode="pool"} 3`,
		`demo_server_queue_wait_seconds_sum{mode="pool"} 3`,
		`demo_server_work_failures_total{cause="timeout",mode="pool"} 1`,
		`demo_server_work_failures_total{cause="refused",mode="pool"} 0`,
		`demo_server_work_pool_size{kind="sql",mode="pool"} 3`,
		`demo_server_work_pool_in_use{kind="sql",mode="pool"} 2`,
		`demo_server_work_pool_waiting{kind="sql",mode="pool"} 1`,
		`demo_server_work_duration_seconds_bucket{mode="pool",le="1.87"} 1`,
		`demo_server_work_duration_seconds_bucket{mode="pool",le="2.14"} 2`,
		`demo_server_work_duration_seconds_sum{mode="pool"} 2.001`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	for _, outcome := range server.Outcomes() {
		if !strings.Contains(body, `outcome="`+outcome.String()+`"`) {
			t.Errorf("/metrics lacks the outcome %s", outcome)
		}
	}
}

func TestMetricsLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(observed(t).registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

// TestStats compares the whole reply, because scripts depend on its keys.
func TestStats(t *testing.T) {
	m := observed(t)
	m.WatchLog(func() uint64 { return 5 })
	m.Observer("single")
	var got map[string]any
	if err := json.Unmarshal(statsOf(t, m, true, ""), &got); err != nil {
		t.Fatal(err)
	}
	if uptime := got["uptime_seconds"].(float64); uptime < 0 || uptime > 60 {
		t.Errorf("uptime_seconds is %v", uptime)
	}
	delete(got, "uptime_seconds")
	if goroutines := got["goroutines"].(float64); goroutines < 1 || goroutines > 1000 {
		t.Errorf("goroutines is %v", goroutines)
	}
	delete(got, "goroutines")
	if queue, ok := got["accept_queue"].(map[string]any); ok && (queue["depth"] != 0.0 || queue["limit"] != 7.0) {
		t.Errorf("accept_queue is %v, want depth 0, limit 7", queue)
	}
	delete(got, "accept_queue")
	all, _ := json.Marshal(got)
	const want = `{"connections":2,` +
		`"connections_closed":{"abort":0,"disconnect":0,"drain":0,"header_timeout":0,"idle_timeout":1,"read_timeout":0,"replied":0,"request_timeout":0,"resource":0,"write_timeout":0},` +
		`"in_flight":1,"log_lines_dropped":5,"mode":"pool",` +
		`"other_modes":[{"connections":0,` +
		`"connections_closed":{"abort":0,"disconnect":0,"drain":0,"header_timeout":0,"idle_timeout":0,"read_timeout":0,"replied":0,"request_timeout":0,"resource":0,"write_timeout":0},` +
		`"in_flight":0,"mode":"single",` +
		`"queue_wait_seconds":{"count":0,"mean":0,"sum":0},"queued":0,` +
		`"requests":{"bad_request":0,"disconnected_queued":0,"disconnected_running":0,"draining":0,"failed":0,"injected":0,"ok":0,"preflight":0,"queue_full":0,"queue_timeout":0,"wasted":0,"write_failed":0},` +
		`"work_failures":{"broken":0,"refused":0,"timeout":0},"work_pools":[],"work_seconds":{"count":0,"mean":0,"sum":0}}],` +
		`"queue_wait_seconds":{"count":3,"mean":1,"sum":3},"queued":0,"ready":true,"reason":"",` +
		`"requests":{"bad_request":1,"disconnected_queued":0,"disconnected_running":0,"draining":0,"failed":1,"injected":0,"ok":0,"preflight":0,"queue_full":1,"queue_timeout":0,"wasted":1,"write_failed":0},` +
		`"work_failures":{"broken":0,"refused":0,"timeout":1},` +
		`"work_pools":[{"in_use":2,"kind":"sql","size":3,"waiting":1}],` +
		`"work_seconds":{"count":2,"mean":1.0005,"sum":2.001}}`
	if string(all) != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}
}

// TestStatsBeforeTheFirstMode checks that numbers are 0 before the first mode, not missing.
func TestStatsBeforeTheFirstMode(t *testing.T) {
	var got map[string]any
	body := statsOf(t, New(), false, "starting")
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got["mode"] != "" || got["ready"] != false || got["reason"] != "starting" || got["in_flight"] != 0.0 {
		t.Errorf("got %s", body)
	}
}

// TestModeChange checks that the Apps of one mode are added up while it is replaced, and that an ended mode keeps its counts.
func TestModeChange(t *testing.T) {
	m := New()
	source := newSource(t)
	first, second, other := newApp("pool"), newApp("pool"), newApp("single")
	m.Observer("pool").Observe(&server.Sample{Outcome: server.OK})
	unwatchFirst := m.Watch(first, source)
	begin(t, first)
	unwatchSecond := m.Watch(second, source)
	begin(t, second)
	if got := m.snapshot().Modes[0].InFlight; got != 2 {
		t.Errorf("in flight is %d while two Apps have one each, want 2", got)
	}
	unwatchFirst()
	if got := m.snapshot().Modes[0].InFlight; got != 1 {
		t.Errorf("in flight is %d after the first App's end, want 1", got)
	}
	unwatchSecond()
	m.Watch(other, source)
	m.Observer("pool").Observe(&server.Sample{Outcome: server.OK})
	s := m.snapshot()
	if s.Mode != "single" || s.Modes[0].Requests[server.OK] != 2 || s.Modes[0].InFlight != 0 {
		t.Errorf("got %+v, want single as current, and pool's 2 requests kept", s)
	}
}

func TestQueued(t *testing.T) {
	m := New()
	app := server.New(server.Config{Mode: "pool", Work: instant{}, Admission: &admission.Limits{Places: 1, Length: 1}})
	defer app.Close()
	defer m.Watch(app, newSource(t))()
	for range 2 {
		job := new(server.Job)
		job.Init(app)
		job.Begin("GET", "/", "", 0)
		app.Schedule(func(*server.Job) {})
		app.Admit(job)
	}
	if got := m.snapshot().Modes[0].Queued; got != 1 {
		t.Errorf("queued is %d after two requests for one place, want 1", got)
	}
}

// TestQuantiles checks that Prometheus's quantiles of a constant delay are within 15% of it.
func TestQuantiles(t *testing.T) {
	for delay := time.Millisecond; delay <= 5*time.Minute; delay += delay/50 + 1 {
		h := newHistogram()
		for range 100 {
			h.observe(delay)
		}
		for _, q := range []float64{0.01, 0.5, 0.99} {
			if got := quantile(q, h); math.Abs(got/delay.Seconds()-1) > 0.15 {
				t.Errorf("quantile %v of %v is %.4f s", q, delay, got)
			}
		}
	}
}

// quantile interpolates in a bucket as Prometheus's histogram_quantile does.
func quantile(q float64, h *histogram) float64 {
	d, buckets := h.read()
	rank := q * float64(d.Count)
	lower, below := 0.0, uint64(0)
	for i, bound := range bounds {
		upper := bound.Seconds()
		if count := below + buckets[i]; float64(count) >= rank {
			return lower + (upper-lower)*(rank-float64(below))/float64(buckets[i])
		}
		lower, below = upper, below+buckets[i]
	}
	return lower
}

func TestBounds(t *testing.T) {
	if !slices.IsSorted(bounds) || len(bounds) > 100 {
		t.Errorf("%d bounds, sorted %v; want at most 100 that ascend", len(bounds), slices.IsSorted(bounds))
	}
	// Requests of a round delay take a little longer than it, and should be in one bucket.
	round := []time.Duration{
		1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 750, 800,
		1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10_000, 12_000, 15_000, 20_000, 25_000, 30_000, 40_000, 45_000,
		60_000, 90_000, 120_000, 180_000, 240_000, 300_000,
	}
	for _, bound := range bounds {
		for _, ms := range round {
			if delay := ms * time.Millisecond; (bound - delay).Abs() < delay/100 {
				t.Errorf("%v is within 1%% of %v", bound, delay)
			}
		}
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	observer := New().Observer("pool")
	sample := server.Sample{Outcome: server.OK, Admitted: true, Started: true, Worked: 2 * time.Second}
	if n := testing.AllocsPerRun(100, func() { observer.Observe(&sample) }); n != 0 {
		t.Errorf("Observe allocates %v times, want 0", n)
	}
}

// BenchmarkObserve counts the first and the last outcome.
func BenchmarkObserve(b *testing.B) {
	for _, outcome := range []server.Outcome{server.OK, server.BadRequest} {
		b.Run(outcome.String(), func(b *testing.B) {
			observer := New().Observer("pool")
			sample := &server.Sample{
				Outcome: outcome, Admitted: true, Started: true,
				Queued: 40 * time.Microsecond, Worked: 2001 * time.Millisecond,
			}
			b.ReportAllocs()
			for b.Loop() {
				observer.Observe(sample)
			}
		})
	}
}

// BenchmarkObserveParallel measures the cost of counting in one place on all processors.
func BenchmarkObserveParallel(b *testing.B) {
	observer := New().Observer("pool")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		sample := &server.Sample{Outcome: server.OK, Admitted: true, Started: true, Worked: 2001 * time.Millisecond}
		for pb.Next() {
			observer.Observe(sample)
		}
	})
}

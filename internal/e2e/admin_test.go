//go:build e2e

package e2e_test

import (
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"demo-server/internal/testkit"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// TestStarved: a mode that has nobody left to serve with is still observable, and /metrics and /stats say the same.
func TestStarved(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay=1m", "--workers=1", "--read-header-timeout=1h", "--drain-timeout=0s")
		if m.single() {
			p.dial(t) // and says nothing: single reads from it
			testkit.Eventually(t, "it is held", func() bool { return p.stats(t).Connections == 1 })
		} else {
			p.dialAll(t, 1)
			testkit.Eventually(t, "it works", func() bool { return p.stats(t).InFlight == 1 })
		}
		p.dialAll(t, 3)
		waiting := map[string]func(stats) int{
			"none":         func(s stats) int { return s.InFlight - 1 }, // nothing starves it
			"refuse":       func(s stats) int { return s.InFlight - 1 }, // so few do not
			"queue":        func(s stats) int { return s.Queued },
			"accept-queue": func(s stats) int { return s.AcceptQueue.Depth },
		}[m.Excess]
		testkit.Eventually(t, "the others wait", func() bool { return waiting(p.stats(t)) == 3 })

		for _, path := range []string{"healthz", "readyz"} {
			if status, body := p.ask(t, path); status != http.StatusOK {
				t.Errorf("/%s: %d %s", path, status, body)
			}
		}
		p.wantSameMetrics(t)
	})
}

// wantSameMetrics waits until /metrics says what /stats does: the last connections may be closed between the two.
func (p *process) wantSameMetrics(t *testing.T) {
	t.Helper()
	diff := ""
	for end := time.Now().Add(testkit.Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if diff = cmp.Diff(p.stats(t), p.metrics(t)); diff == "" {
			return
		}
	}
	t.Errorf("/metrics differs from /stats (-stats, +metrics):\n%s", diff)
}

// TestMetricsMatchStats once requests have come to several ends.
func TestMetricsMatchStats(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay=200ms", "--workers=1", "--queue=1")
		ok, refused := receiveAll(t, p.dialAll(t, 5))
		if response, err := http.Get(p.url + "nowhere"); err != nil || response.StatusCode != http.StatusNotFound {
			t.Errorf("/nowhere: %v, %v", response, err)
		}
		var s stats
		testkit.Eventually(t, "all is counted", func() bool { // a reply may be read before it is
			s = p.stats(t)
			return s.Requests["bad_request"] == 1 && s.Requests["ok"]+s.Requests["queue_full"] >= 5 && s.Work.Count >= s.Requests["ok"]
		})
		if s.Requests["ok"] != ok || s.Requests["queue_full"] != refused || (refused > 0) != m.pool() {
			t.Errorf("%d got 200 and %d 503, but counted were %v", ok, refused, s.Requests)
		}
		if s.Work.Count != ok || s.Work.Sum < float64(ok)*0.2 {
			t.Errorf("work %+v, want %d times 200 ms at least", s.Work, ok)
		}
		p.wantSameMetrics(t)
	})
}

// metrics reads /metrics with Prometheus's own parser, and says what it found in the words of /stats.
func (p *process) metrics(t *testing.T) (s stats) {
	t.Helper()
	status, text := p.ask(t, "metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil || status != http.StatusOK {
		t.Fatalf("/metrics: %d, %v\n%s", status, err, text)
	}
	gauge := func(name string) int {
		return int(families["demo_server_"+name].GetMetric()[0].GetGauge().GetValue())
	}
	histogram := func(name string) total {
		h := families["demo_server_"+name].GetMetric()[0].GetHistogram()
		return total{Count: int(h.GetSampleCount()), Sum: h.GetSampleSum()}
	}
	for _, name := range []string{
		"requests_total", "requests_in_flight", "requests_queued", "connections_open", "accept_queue_length", "accept_queue_limit", "queue_wait_seconds",
		"work_duration_seconds",
	} {
		if len(families["demo_server_"+name].GetMetric()) == 0 {
			t.Fatalf("/metrics has no demo_server_%s", name)
		}
	}
	s.Requests = make(map[string]int)
	for _, metric := range families["demo_server_requests_total"].GetMetric() {
		labels := make(map[string]string)
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		s.Mode = labels["mode"]
		s.Requests[labels["outcome"]] = int(metric.GetCounter().GetValue())
	}
	s.InFlight, s.Queued, s.Connections = gauge("requests_in_flight"), gauge("requests_queued"), gauge("connections_open")
	s.AcceptQueue.Depth, s.AcceptQueue.Limit = gauge("accept_queue_length"), gauge("accept_queue_limit")
	s.QueueWait, s.Work = histogram("queue_wait_seconds"), histogram("work_duration_seconds")
	return s
}

// leaves are the ways to go: both count.
var leaves = map[string]func(*client) error{
	"close": func(c *client) error { return c.Close() },
	"FIN":   func(c *client) error { return c.Conn.(*net.TCPConn).CloseWrite() },
}

// TestLeaveRunning: work ends at once for a client that leaves.
func TestLeaveRunning(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay=1m")
		left := 0
		for name, leave := range leaves {
			t.Run(name, func(t *testing.T) {
				took := time.Hour
				for range attempts {
					c := p.dialAll(t, 1)[0]
					testkit.Eventually(t, "it runs", func() bool { return p.stats(t).InFlight == 1 })
					before := time.Now()
					leave(c)
					left++
					testkit.Eventually(t, "it is counted as left", func() bool { return p.stats(t).Requests["disconnected_running"] == left })
					if took = min(took, time.Since(before)); took <= time.Second {
						break
					}
				}
				if took > time.Second || p.stats(t).InFlight != 0 {
					t.Errorf("noticed after %v, want at once; %d in flight", took, p.stats(t).InFlight)
				}
			})
		}
	})
}

// TestLeaveQueued: a client that leaves the queue frees its place, and no work is started for it.
func TestLeaveQueued(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		if !m.pool() {
			return // nothing else queues what it has accepted
		}
		p := start(t, "--mode="+m.Name, "--delay=1m", "--workers=1")
		p.dialAll(t, 1)
		testkit.Eventually(t, "the first one runs", func() bool { return p.stats(t).InFlight == 1 })
		queued := 0
		for name, leave := range leaves {
			t.Run(name, func(t *testing.T) {
				c := p.dialAll(t, 1)[0]
				testkit.Eventually(t, "it is queued", func() bool { return p.stats(t).Queued == 1 })
				leave(c)
				queued++
				testkit.Eventually(t, "it is counted as left", func() bool { return p.stats(t).Requests["disconnected_queued"] == queued })
				if s := p.stats(t); s.Queued != 0 || s.InFlight != 1 {
					t.Errorf("%d queued and %d in flight, want 0 and the one before it", s.Queued, s.InFlight)
				}
			})
		}
	})
}

// TestLeaveFinish: with on-disconnect=finish work goes on, and was for nothing.
func TestLeaveFinish(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		const delay = 2 * time.Second
		p := start(t, "--mode="+m.Name, "--delay="+delay.String(), "--on-disconnect=finish")
		before := time.Now()
		c := p.dialAll(t, 1)[0]
		testkit.Eventually(t, "it runs", func() bool { return p.stats(t).InFlight == 1 })
		c.Close()
		testkit.Eventually(t, "it is counted as wasted", func() bool { return p.stats(t).Requests["wasted"] == 1 })
		if took := time.Since(before); took < delay {
			t.Errorf("over after %v, want the delay of %v", took, delay)
		}
	})
}

// TestHealthCommand asks a server that runs, and then one that has stopped.
func TestHealthCommand(t *testing.T) {
	p := start(t)
	address := "--admin-addr=" + strings.TrimSuffix(strings.TrimPrefix(p.admin, "http://"), "/")
	if out := mustTool(t, built(t), "health", address); out != "healthy: "+p.admin+"healthz\n" {
		t.Errorf("printed %q", out)
	}
	p.terminate(t)
	p.wantStopped(t)
	out, err := tool(t, built(t), "health", address)
	if code := exitCode(err); code != 1 || !strings.HasPrefix(out, "demo-server: unhealthy: "+p.admin) {
		t.Errorf("afterwards: exit code %d, %q; want 1 and what is unhealthy", code, out)
	}
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if ended, ok := err.(*exec.ExitError); ok {
		return ended.ExitCode()
	}
	return -1
}

// TestPortTaken ends the start with one line that names the address.
func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	out, err := tool(t, built(t), "--port="+port)
	if exitCode(err) != 1 || strings.Count(out, "\n") != 1 || !strings.Contains(out, "cannot listen on "+address+": the port is taken") {
		t.Errorf("exit code %d, %q; want 1 and one line that names %s", exitCode(err), out, address)
	}
}

// TestAdminPortTaken: nobody chose the derived port, so another does as well.
func TestAdminPortTaken(t *testing.T) {
	port, taken := twoPorts(t)
	defer taken.Close()
	p := launch(t, exec.Command(built(t), "--port="+strconv.Itoa(port))).awaitReady(t)
	if p.admin == "" || strings.Contains(p.admin, taken.Addr().String()) {
		t.Fatalf("the admin listener is at %q", p.admin)
	}
	if status, body := p.ask(t, "healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d %s", status, body)
	}
}

// twoPorts finds a free port whose successor it takes.
func twoPorts(t *testing.T) (port int, taken net.Listener) {
	t.Helper()
	for range 100 {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := taken.Addr().(*net.TCPAddr).Port - 1
		if free, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			free.Close()
			return port, taken
		}
		taken.Close()
	}
	t.Fatal("no two ports in a row are free")
	return 0, nil
}

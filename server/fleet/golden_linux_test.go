package fleet

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"demo-server/internal/testkit/golden"
	"demo-server/server"
	"demo-server/server/metrics"
)

// TestGolden compares /metrics and /stats of two processes with golden files, without metrics of the Go runtime and the
// process, which TestProcessMetrics checks. It needs Linux for the accept queue.
func TestGolden(t *testing.T) {
	f := observedFleet(t)
	own := regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?(go|process)_.*\n`).ReplaceAllString(text(t, f), "")
	golden.File(t, "testdata/metrics.txt", own)
	body := regexp.MustCompile(`"(uptime_seconds|goroutines)": [0-9.e-]+`).ReplaceAllString(string(statsOf(t, f)), `"$1": …`)
	golden.File(t, "testdata/stats.json", body)
}

// observedFleet returns a Fleet of two workers. A third one has ended, and a fourth one does not serve yet.
func observedFleet(t *testing.T) *Fleet {
	t.Helper()
	a, b, ended := newFakeWorker(t, 1), newFakeWorker(t, 2), newFakeWorker(t, 3)
	f := newFleet(t, a, b, ended)
	a.answer(3)
	b.answer(4)
	ended.answer(5)
	begin(t, ended.app)
	f.Ask(ended.PID)
	f.Remove(ended.PID)
	f.Restarted()
	begin(t, a.app)
	a.app.ConnectionOpened()
	a.observer.Observe(&server.Sample{Outcome: server.QueueFull, Admitted: true, Queued: 30 * time.Millisecond})
	b.observer.(server.CloseObserver).ObserveClose(server.CloseDrain)
	f.Put(Worker{PID: 4, State: "starting"})
	return f
}

// TestProcessMetrics checks that /metrics of a Fleet has all metrics of the Go runtime and the process that a single process
// has, with the same names, types and labels, once for each process.
func TestProcessMetrics(t *testing.T) {
	one := processSeries(t, metrics.New())
	want := map[string]int{}
	for series := range one {
		want[series+` pid="…" process="worker"`] = 2
		want[series+` pid="…" process="supervisor"`] = 1
	}
	if diff := cmp.Diff(want, processSeries(t, observedFleet(t))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(one) < 30 {
		t.Errorf("only %d series, want at least 30", len(one))
	}
}

// processSeries counts the series of the Go runtime and the process by name, type, help and labels, without process IDs. The
// labels that only a Fleet has come last.
func processSeries(t *testing.T, of prometheus.Gatherer) map[string]int {
	t.Helper()
	families, err := of.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]int{}
	for _, family := range families {
		name := family.GetName()
		if strings.HasPrefix(name, metrics.NamePrefix) {
			continue
		}
		for _, metric := range family.Metric {
			key, own := fmt.Sprint(name, family.GetType(), family.GetHelp(), len(metric.GetSummary().GetQuantile())), ""
			for _, label := range metric.Label {
				switch label.GetName() {
				case "pid":
					own = ` pid="…"` + own
				case "process":
					own += fmt.Sprintf(" process=%q", label.GetValue())
				default:
					key += fmt.Sprintf(" %s=%q", label.GetName(), label.GetValue())
				}
			}
			series[key+own]++
		}
	}
	return series
}

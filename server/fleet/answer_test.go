package fleet

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"

	"demo-server/server"
	"demo-server/server/metrics"
	"demo-server/work"
)

// observed returns the snapshot of a process after two requests, with one more in flight.
func observed(t testing.TB) *metrics.Snapshot {
	t.Helper()
	counts, app := metrics.New(), newApp("pool")
	counts.Watch(app, newSource(t))
	observer := counts.Observer("pool")
	observer.Observe(&server.Sample{
		Outcome: server.Wasted, Admitted: true, Started: true, Queued: 3 * time.Second, Worked: 2001 * time.Millisecond,
	})
	observer.Observe(&server.Sample{Outcome: server.Failed, Admitted: true, Failure: &work.Failure{Cause: work.TimedOut}})
	observer.(server.CloseObserver).ObserveClose(server.CloseIdleTimeout)
	begin(t, app)
	return counts.Snapshot()
}

// honest returns the answer of a worker with that snapshot.
func honest(t testing.TB) []byte {
	t.Helper()
	answer, err := json.Marshal(observed(t))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// answered returns a Fleet whose workers sent these answers, or nil if it rejects one of them.
func answered(t testing.TB, answers ...[]byte) *Fleet {
	t.Helper()
	f := New(Config{
		Mode: func() string { return "pool" }, Source: newSource(t), Modes: knownModes, Kinds: knownKinds,
	})
	for i, answer := range answers {
		s, err := f.readAnswer(bytes.NewReader(answer))
		if err != nil {
			return nil
		}
		f.workers = append(f.workers, newWorker(Worker{PID: i + 1}))
		f.workers[i].snapshot = s
	}
	return f
}

// TestAnswer checks that an honest worker's numbers are kept in full.
func TestAnswer(t *testing.T) {
	answer := honest(t)
	var want metrics.Snapshot
	if err := json.Unmarshal(answer, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, answered(t, answer).workers[0].snapshot); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(answer) > maxAnswer/8 {
		t.Errorf("the answer has %d bytes, too close to the limit", len(answer))
	}
}

// TestAnswerBounds checks that a long answer is rejected without reading its end, and that a short one cannot take much memory.
func TestAnswerBounds(t *testing.T) {
	answer := honest(t)
	f := answered(t)
	again := endless{strings.NewReader(" ")}
	if _, err := f.readAnswer(io.MultiReader(bytes.NewReader(answer), again)); err == nil {
		t.Error("an endless answer is accepted")
	}
	if _, err := f.readAnswer(bytes.NewReader(answer[:100])); err == nil {
		t.Error("half an answer is accepted")
	}
	for name, list := range map[string]string{
		"modes": `"modes":[%]`, "pools": `"modes":[{"mode":"pool","work_pools":[%]}]`, "buckets": `"modes":[{"mode":"pool","work_buckets":[%]}]`,
	} {
		element := map[string]string{"modes": "{}", "pools": "{}", "buckets": "0"}[name]
		many := "{" + strings.Replace(list, "%", strings.Repeat(element+",", (maxAnswer-100)/(len(element)+1))+element, 1) + "}"
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := f.readAnswer(strings.NewReader(many)); err == nil {
			t.Errorf("many %s are accepted", name)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 100*maxAnswer {
			t.Errorf("%s: %d bytes are allocated for an answer of %d", name, got, len(many))
		} else {
			t.Logf("%s: %d bytes for %d", name, got, len(many))
		}
	}
}

// An endless repeats its text for ever.
type endless struct {
	again interface {
		io.ReadSeeker
		Len() int
	}
}

func (e endless) Read(p []byte) (int, error) {
	if e.again.Len() == 0 {
		e.again.Seek(0, io.SeekStart)
	}
	return e.again.Read(p)
}

// FuzzAnswer checks that every answer which is not rejected can be added up, and that /metrics and /stats can be written.
func FuzzAnswer(f *testing.F) {
	answer := honest(f)
	f.Add(answer)
	for _, other := range []string{
		`{}`, `null`, `{"mode":"pool","modes":[{"mode":"pool"}]}`, `{"process":{"go_goroutines":[1e19]}}`, `{"goroutines":-1}`,
		`{"modes":[{"mode":"pool","requests":{"ok":9007199254740992},"work_pools":[{"kind":"sql","size":-1}]}]}`,
	} {
		f.Add([]byte(other))
	}
	f.Add(bytes.Replace(answer, []byte("[0,"), []byte("["), 1))
	f.Fuzz(func(t *testing.T, fuzzed []byte) {
		fleet := answered(t, answer, fuzzed, fuzzed)
		if fleet == nil {
			return
		}
		families, err := fleet.registry.Gather()
		if err != nil {
			t.Errorf("/metrics: %v", err)
		}
		for _, family := range families {
			if _, err := expfmt.MetricFamilyToText(io.Discard, family); err != nil {
				t.Errorf("/metrics: %v", err)
			}
		}
		for range 2 { // the second time, all workers have ended
			if _, err := json.Marshal(fleet.stats(true, "")); err != nil {
				t.Errorf("/stats: %v", err)
			}
			fleet.Remove(1)
			fleet.Remove(2)
			fleet.Remove(3)
		}
	})
}

package bench

import (
	"math"
	"testing"
	"time"

	"demo-server/bench/result"
)

func ofMode(name string, places int) Row {
	row := Row{Name: name, Kind: result.KindMode, Mode: name, Known: true, Delay: 2 * time.Second, Places: places, Queue: -1}
	if places > 0 {
		row.Bound = "1 at a time / 2s"
	}
	return row
}

// TestPlan checks the predictions for a run with defaults and for the article's test.
func TestPlan(t *testing.T) {
	usual := Config{Generator: Builtin, Concurrency: 100, Duration: 10 * time.Second, Repeat: 6, Budget: time.Minute}
	article := Config{Generator: Builtin, Concurrency: 100, Requests: 5000, Repeat: 1, Budget: time.Minute}
	withAB := article
	withAB.Generator = AB
	open := usual
	open.Rate, open.Concurrency = 100, 10_000
	oneRound := usual
	oneRound.Generator, oneRound.Duration = WRK, time.Second
	cases := []struct {
		name      string
		config    Config
		row       Row
		perSecond float64
		longest   result.Latency
		took      time.Duration
		cut       bool
	}{
		{"no bound", usual, ofMode("goroutine", 0), 50, result.Latency{Seconds: 2}, 10 * time.Second, false},
		{"50 workers", usual, ofMode("pool", 50), 25, result.Latency{Seconds: 4}, 11 * time.Second, false},
		{"one", usual, ofMode("single", 1), 0.5, result.Latency{Seconds: 11, Beyond: true}, 11 * time.Second, false},
		{"the article's, 50 workers", article, ofMode("pool", 50), 25, result.Latency{Seconds: 4}, time.Minute, true},
		{"the article's, one", article, ofMode("single", 1), 0.5, result.Latency{Seconds: 60, Beyond: true}, time.Minute, true},
		{"the article's by ab", withAB, ofMode("goroutine", 0), 49.0196, result.Latency{Seconds: 2}, time.Minute, true},
		{"one round by wrk", oneRound, ofMode("goroutine", 0), 50, result.Latency{Seconds: 2}, 2950 * time.Millisecond, false},
		{"open", open, ofMode("goroutine", 0), 100, result.Latency{Seconds: 2}, 11 * time.Second, false},
		{"open, too much for 50 workers", open, ofMode("pool", 50), 25, result.Latency{Seconds: 8.5, Beyond: true}, 11 * time.Second, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := c.config
			p.Rows = []Row{c.row}
			plan := NewPlan(p, true)
			got := plan.Planned[0]
			if got.Prediction == nil {
				t.Fatal("no prediction: ", got.Why)
			}
			if by := *got.Prediction.PerSecond/c.perSecond - 1; math.Abs(by) > 0.01 {
				t.Errorf("%g requests/s, want %g", *got.Prediction.PerSecond, c.perSecond)
			}
			if got.Took != c.took && math.Abs(got.Took.Seconds()/c.took.Seconds()-1) > 0.02 || got.Cut != c.cut {
				t.Errorf("takes %s, cut %t; want %s, %t", got.Took, got.Cut, c.took, c.cut)
			}
			longest := got.Prediction.Longest
			if longest.Beyond != c.longest.Beyond || math.Abs(longest.Seconds-c.longest.Seconds) > 1e-3 {
				t.Errorf("longest %+v, want %+v", *longest, c.longest)
			}
		})
	}
}

// TestPlanByABWithoutProbe checks the predicted rate if ab counts from the start.
func TestPlanByABWithoutProbe(t *testing.T) {
	config := Config{Generator: AB, Concurrency: 100, Requests: 150, Repeat: 1, Budget: time.Minute, Rows: []Row{ofMode("goroutine", 0)}}
	got := NewPlan(config, false).Planned[0]
	if want := 150. / 4; got.Prediction == nil || *got.Prediction.PerSecond != want {
		t.Errorf("predicts %v, want %g requests/s", got.Prediction, want)
	}
}

// TestUnpredicted checks that rows without a prediction have a reason.
func TestUnpredicted(t *testing.T) {
	usual := Config{Generator: Builtin, Concurrency: 100, Duration: 10 * time.Second, Repeat: 6, Budget: time.Minute}
	noDelay, long := ofMode("goroutine", 0), ofMode("goroutine", 0)
	noDelay.Delay, long.Delay = 0, 8*time.Second
	usual.Rows = []Row{noDelay, long, {Name: "theirs", Kind: result.KindAgainst, URL: "http://127.0.0.1:1/"}}
	for _, p := range NewPlan(usual, false).Planned {
		if p.Prediction != nil || p.Why == "" {
			t.Errorf("%s: prediction %v, why not: %q", p.Name, p.Prediction, p.Why)
		}
	}
}

// TestReasonable checks that the article's test skips a row that would take hours, with the time as the reason.
func TestReasonable(t *testing.T) {
	plan := NewPlan(Config{
		Generator: Builtin, Concurrency: 100, Requests: 5000, Repeat: 1, Budget: 10 * time.Minute, Reasonable: 10 * time.Minute,
		Rows: []Row{ofMode("goroutine", 0), ofMode("single", 1)},
	}, false)
	if len(plan.Planned) != 1 || len(plan.Left) != 1 {
		t.Fatalf("%d planned and %d left out, want one each", len(plan.Planned), len(plan.Left))
	}
	if want := "it would take 2h46m40s (1 at a time / 2s)"; plan.Left[0].Why != want {
		t.Errorf("left out because %q, want %q", plan.Left[0].Why, want)
	}
}

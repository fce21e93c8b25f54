package bench

import (
	"strings"
	"testing"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
	"demo-server/cores"
)

// TestExplain checks that each cause of a deviation is explained by its evidence, the strongest first.
func TestExplain(t *testing.T) {
	n := result.Number[float64]
	allowed := cores.Allowed()
	base := func() *row {
		r := &row{Planned: Planned{Row: ofMode("goroutine", 0), cut: time.Minute}}
		r.result = result.Row{
			Prediction: &result.Figures{PerSecond: n(50), Mean: &result.Latency{Seconds: 2}, Longest: &result.Latency{Seconds: 2}},
			Total: result.Figures{
				PerSecond: n(45), Mean: &result.Latency{Seconds: 2.2}, ServerCores: n(0.1), ClientCores: n(0.1),
				Counts: result.Counts{Answered: 450},
			},
		}
		r.reports = []evidence{{worked: 2 * time.Second}}
		return r
	}
	cases := []struct {
		name   string
		change func(*row)
		want   []string // parts of the notes, in order; nil for no note
	}{
		{"as predicted", func(r *row) {
			r.result.Total.PerSecond, r.result.Total.Mean = n(49.5), &result.Latency{Seconds: 2.01}
		}, nil},
		{"requests failed", func(r *row) { r.result.Total.Failed, r.result.Total.Timeout = 50, 50 },
			[]string{"failed: 50 had no reply in time", "requests/s -10.0%, mean latency +10.0% off the prediction: 50 of 500 requests failed"}},
		{"refused without reason", func(r *row) { r.result.Total.Refused = 9 },
			[]string{"9 requests were refused, which theory does not expect"}},
		{"the CPU", func(r *row) { r.result.Total.ServerCores = n(0.9 * allowed) },
			[]string{"the CPU was the limit"}},
		{"the generator", func(r *row) { r.result.Total.ClientCores = n(0.9 * allowed) },
			[]string{"this is its limit and not the server's: try --generator wrk"}},
		{"other processes", func(r *row) { r.result.Total.OtherCores, r.reports[0].drift = n(0.5*allowed), 0.2 },
			[]string{"off the prediction: other processes used "}},
		{"other processes that do not matter", func(r *row) { r.result.Total.OtherCores, r.reports[0].drift = n(0.05*allowed), 0.2 },
			[]string{"the second half of the time served +20.0% against the first"}},
		{"other processes in one round", func(r *row) {
			r.result.Total.PerSecond, r.result.Total.Mean = n(50), nil
			r.result.Total.LowSecond, r.result.Total.HighSecond = n(45), n(55)
			r.result.Repeats = []result.Repeat{{}, {Figures: result.Figures{OtherCores: n(0.5 * allowed)}}}
		}, []string{"requests/s ±10.0% over the rounds: other processes used "}},
		{"an interval that does not matter", func(r *row) {
			r.result.Total.PerSecond, r.result.Total.Mean = n(50), nil
			r.result.Total.LowSecond, r.result.Total.HighSecond = n(49.5), n(50.5)
			r.result.Repeats = []result.Repeat{{}, {Figures: result.Figures{OtherCores: n(0.5 * allowed)}}}
		}, nil},
		{"refusals", func(r *row) { r.result.Total.Refused, r.result.Prediction.Refused = 9, 9 },
			[]string{"9 tries were refused"}},
		{"faults that were asked for", func(r *row) { r.Fault, r.result.Total.Refused = "status=503:10", 9 },
			[]string{`theory knows nothing of the fault "status=503:10"`}},
		{"full processes", func(r *row) { r.Processes, r.Slots, r.reports[0].drift = 2, 50, 0.2 },
			[]string{"of 2 processes one may have been full while another had room"}},
		{"processes with room", func(r *row) { r.Processes, r.Slots, r.reports[0].drift = 2, 2000, 0.2 },
			[]string{"the second half of the time served +20.0% against the first"}},
		{"warm-up", func(r *row) { r.reports[0].drift = 0.2 },
			[]string{"the second half of the time served +20.0% against the first"}},
		{"the work", func(r *row) { r.reports[0].worked = 2200 * time.Millisecond },
			[]string{"the work itself took 2.2s where 2s were asked for"}},
		{"beside the work", func(r *row) { r.reports[0].beside = 200 * time.Millisecond },
			[]string{"each request spent 200ms beside queue and work"}},
		{"only the slowest", func(r *row) {
			r.result.Total.PerSecond, r.result.Total.Mean = n(50), &result.Latency{Seconds: 2}
			r.result.Total.Longest = &result.Latency{Seconds: 2.5}
			r.reports[0].slowest = load.Request{Ended: 2500 * time.Millisecond, Queued: 100_000, Worked: 2_000_000}
		}, []string{"longest +25.0% off the prediction: the slowest request spent 100ms in the queue, 2s at work and 400ms beside both"}},
		{"a server that says nothing", func(r *row) { r.reports[0].worked = -1 },
			[]string{"this server does not say where its time goes"}},
		{"a broken audit", func(r *row) {
			r.result.Audits = []result.Audit{{Name: "x", Broken: true, Text: "1 is not 2"}}
			r.result.Total.PerSecond, r.result.Total.Mean = n(50), nil
		}, []string{"not trustworthy: 1 is not 2"}},
		{"the accept queue", func(r *row) {
			r.result.Audits = []result.Audit{{Name: acceptAudit, Left: 99, Right: 99, Text: "99 had not reached the server"}}
			r.result.Total.PerSecond, r.result.Total.Mean = n(50), nil
		}, []string{"99 had not reached the server"}},
		{"cut", func(r *row) {
			r.result.Cut, r.Places = true, 1
			r.result.Total.PerSecond, r.result.Total.Mean = n(50), nil
		}, []string{"measured for 1m0s, where all of its 5000 requests would take 2h46m40s"}},
		{"bodies that differ in length", func(r *row) {
			r.reports[0].lengths.Add(30)
			r.reports = append(r.reports, evidence{})
			r.reports[1].lengths.Add(33)
			r.result.Total.PerSecond, r.result.Total.Mean = n(50), nil
		}, []string{"its replies differ in length, from 30 to 33 bytes"}},
		{"no delay, and the CPU is the limit", func(r *row) {
			r.result.Prediction, r.result.Total.ServerCores = nil, n(0.9*allowed)
		}, []string{"the CPU was the limit"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			row := base()
			c.change(row)
			run := &runner{Plan: &Plan{Config: Config{Concurrency: 100, Requests: 5000, Margin: 0.02}}}
			notes := run.explain(row)
			if len(notes) != len(c.want) {
				t.Fatalf("%d notes, want %d: %q", len(notes), len(c.want), notes)
			}
			for i, want := range c.want {
				if !strings.Contains(notes[i], want) {
					t.Errorf("note %q, want %q in it", notes[i], want)
				}
			}
		})
	}
}

// TestTooSlowClient checks that a late generator is the first suspect in the open loop.
func TestTooSlowClient(t *testing.T) {
	n := result.Number[float64]
	r := &row{Planned: Planned{Row: ofMode("goroutine", 0)}, reports: []evidence{{late: time.Second, worked: 2 * time.Second}}}
	r.result.Prediction = &result.Figures{PerSecond: n(50)}
	r.result.Total = result.Figures{PerSecond: n(40), Counts: result.Counts{Answered: 400}}
	run := &runner{Plan: &Plan{Config: Config{Rate: 50}}}
	if notes := run.explain(r); len(notes) != 1 || !strings.Contains(notes[0], "the client was too slow: 1% of the requests were sent 1s late") {
		t.Errorf("notes %q", notes)
	}
}

// TestTail checks that the last lines of a log are kept, and that JSON becomes plain text.
func TestTail(t *testing.T) {
	var log tail
	for _, line := range []string{
		"1", "2", `{"level":"info","msg":"ready"}`, `{"level":"error","msg":"cannot start","error":"the port is taken"}`,
		"panic: x", `{"no":"log"}`, "7",
	} {
		log.add(line)
	}
	want := "info: ready\nerror: cannot start: the port is taken\npanic: x\n{\"no\":\"log\"}\n7"
	if got := log.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

package server

import (
	"bytes"
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"demo-server/server/fault"
	"demo-server/work"
)

var caps = fault.Caps{MaxDelay: time.Minute, MaxSize: 1 << 20}

func setting(t *testing.T, text string) fault.Spec {
	t.Helper()
	spec, err := fault.ParseSetting(text, caps)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestPlan checks that overrides win over the setting, and the setting over the defaults.
func TestPlan(t *testing.T) {
	defaults := fault.Plan{Delay: 2 * time.Second, Size: -1}
	with := func(change func(*fault.Plan)) *fault.Plan {
		plan := defaults
		change(&plan)
		return &plan
	}
	for _, row := range []struct {
		name, setting, method, path, query string
		closed                             bool // without overrides
		want                               *fault.Plan
		err                                string
	}{
		{name: "usual"},
		{name: "a query that asks for nothing", query: "_=123"},
		{name: "asked for", query: "delay=1s&status=503&retry_after=3", want: with(func(p *fault.Plan) { p.Delay, p.Status, p.RetryAfter = time.Second, 503, 3 })},
		{name: "by a path", path: "/delay/0.5", want: with(func(p *fault.Plan) { p.Delay = time.Second / 2 })},
		{name: "by the setting", setting: "status=429", want: with(func(p *fault.Plan) { p.Status = 429 })},
		{name: "asked for over the setting", setting: "status=429&delay=1s", query: "status=200", want: with(func(p *fault.Plan) { p.Status, p.Delay = 200, time.Second })},
		{name: "not allowed to ask", closed: true, query: "delay=1s"},
		{name: "not allowed to ask wrongly", closed: true, query: "delay=never"},
		{name: "the setting of those who may not ask", closed: true, setting: "status=429", query: "status=200", want: with(func(p *fault.Plan) { p.Status = 429 })},
		{name: "above a cap", query: "delay=61s", err: "delay=61s is too long; want at most 1m"},
		{name: "two mistakes", query: "delay=61s&status=99", err: "delay=61s is too long; want at most 1m\nstatus=99 is not a final status; want 200 to 599"},
		{name: "a path that is wrong", path: "/bytes/many", err: "/bytes/many is not a size; want at most 1MiB, in bytes or with KiB, MiB or GiB"},
		{name: "drips", query: "drip=5", want: with(func(p *fault.Plan) { p.Drip = 5 })},
		{name: "a HEAD has nothing to drip", method: "HEAD", query: "drip=5", want: with(func(*fault.Plan) {})},
		{name: "an empty body has nothing to drip", query: "drip=5&size=0", want: with(func(p *fault.Plan) { p.Size = 0 })},
		{name: "httpbin's drip", path: "/drip", query: "duration=1&delay=1&numbytes=3", want: with(func(p *fault.Plan) {
			p.Status, p.Size, p.Drip, p.DripAfter = 200, 3, 3, time.Second
		})},
	} {
		p := newPlanner(&Config{
			Delay: defaults.Delay, Body: []byte("Hello World"),
			Faults: Faults{Overrides: !row.closed, Setting: setting(t, row.setting), Caps: caps},
		})
		method, path := "GET", "/"
		if row.method != "" {
			method = row.method
		}
		if row.path != "" {
			path = row.path
		}
		got, err := p.plan(method, path, row.query)
		if text := ""; err != nil {
			text = err.Error()
			if text != row.err {
				t.Errorf("%s: %q, want %q", row.name, text, row.err)
			}
		} else if row.err != "" {
			t.Errorf("%s: no error, want %q", row.name, row.err)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestSeed checks that the same seed gives the same plans, another seed gives others, and that the shares are right.
func TestSeed(t *testing.T) {
	const n = 10_000
	draw := func(seed uint64) (statuses []int) {
		p := newPlanner(&Config{Faults: Faults{Setting: setting(t, "status=503:10,429:5&delay=exp(100ms)"), Caps: caps, Seed: seed}})
		for range n {
			plan, _ := p.plan("GET", "/", "")
			statuses = append(statuses, plan.Status)
		}
		return statuses
	}
	first := draw(1)
	if diff := cmp.Diff(first, draw(1)); diff != "" {
		t.Error("the same seed draws something else the second time")
	}
	if cmp.Equal(first, draw(2)) {
		t.Error("another seed draws the same")
	}
	count := map[int]float64{}
	for _, status := range first {
		count[status]++
	}
	for status, share := range map[int]float64{503: 0.10, 429: 0.05, 0: 0.85} {
		// Five standard deviations of a binomial distribution.
		if off := math.Abs(count[status]/n - share); off > 5*math.Sqrt(share*(1-share)/n) {
			t.Errorf("%g%% are %d, want %g%%", 100*count[status]/n, status, 100*share)
		}
	}
}

// TestPieces checks that the pieces of a body add up to the body, and that the last one ends its time.
func TestPieces(t *testing.T) {
	for _, row := range []struct{ length, pieces int }{{11, 1}, {11, 5}, {11, 11}, {10, 3}, {1 << 20, 1000}} {
		r := Reply{Body: filler(row.length), Pieces: row.pieces, Over: time.Second}
		var whole []byte
		var before time.Duration
		for i := range row.pieces {
			piece, at := r.Piece(i)
			if len(piece) == 0 || at <= before {
				t.Errorf("%+v: piece %d has %d bytes, at %s after %s", row, i, len(piece), at, before)
			}
			whole, before = append(whole, piece...), at
		}
		if !bytes.Equal(whole, r.Body) || before != r.Over {
			t.Errorf("%+v: %d bytes until %s, want %d until %s", row, len(whole), before, len(r.Body), r.Over)
		}
	}
}

// TestInjected checks that injected replies have an outcome of their own.
func TestInjected(t *testing.T) {
	for _, row := range []struct {
		query   string
		written bool
		status  int
		outcome Outcome
		body    string
	}{
		{"", true, 200, OK, "Hello World"},
		{"delay=0s", true, 200, OK, "Hello World"},
		{"status=200", true, 200, OK, "Hello World"},
		{"size=5", true, 200, OK, "All w"},
		{"status=503", true, 503, Injected, "503 as asked for\n"},
		{"status=503&size=0", true, 503, Injected, ""},
		{"status=503", false, 503, WriteFailed, "503 as asked for\n"},
		{"status=204", true, 204, Injected, ""},
		{"size=5&abort=reset&after=3", false, 200, Injected, "All w"},
		{"size=5&abort=close&after=3&status=500", false, 500, Injected, "All w"},
		{"abort=reset", false, 0, Injected, "Hello World"},
		{"status=99", true, 400, BadRequest, "bad request: status=99 is not a final status; want 200 to 599\n"},
	} {
		seen := &observed{}
		a := New(Config{Work: work.NewSleep(), Body: []byte("Hello World"), Observers: []Observer{seen}, Faults: Faults{Overrides: true, Caps: caps}})
		j := newJob(a)
		j.Begin("GET", "/", row.query, 0)
		a.Schedule((*Job).Run)
		a.Admit(j.Job)
		reply := j.Reply()
		j.Finish(row.written)
		a.Close()
		if seen.Outcome != row.outcome || seen.Status != row.status || string(reply.Body) != row.body {
			t.Errorf("%q is %s, %d %q; want %s, %d %q", row.query, seen.Outcome, seen.Status, reply.Body, row.outcome, row.status, row.body)
		}
	}
}

// TestKinds checks that a request gets the kind of work and the delay that it asks for.
func TestKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		did := ""
		kind := func(name string) work.Work {
			return doing{func(context.Context) error { did = name; return nil }}
		}
		a := New(Config{Work: kind("own"), Requestable: map[string]work.Work{"other": kind("other")}, Faults: Faults{Overrides: true, Caps: caps}})
		defer a.Close()
		for query, want := range map[string]string{"": "own", "work=other": "other", "delay=1s": "own"} {
			j := newJob(a)
			j.Begin("GET", "/", query, 0)
			a.Schedule((*Job).Run)
			a.Admit(j.Job)
			j.Reply()
			j.Finish(true)
			if did != want {
				t.Errorf("%q: the work was %s, want %s", query, did, want)
			}
		}
	})
}

// TestHang checks that a disconnect cancels a job without a reply at any time, even if the App finishes work without a
// client.
func TestHang(t *testing.T) {
	for _, leavesFirst := range []bool{false, true} {
		j := newJob(New(Config{Work: work.NewSleep(), FinishOnDisconnect: true}))
		if leavesFirst {
			j.Disconnect()
		}
		if j.Err() != nil {
			t.Error("cancelled, although the work is to be finished")
		}
		j.WaitForDisconnect()
		if !leavesFirst {
			j.Disconnect()
		}
		if j.Err() == nil {
			t.Errorf("not cancelled by the client's leaving (before: %v)", leavesFirst)
		}
	}
}

// TestPause checks that Pause takes its time unless the client disconnects.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJob(New(Config{Work: work.NewSleep(), Delay: time.Second}))
		j.Begin("GET", "/", "", 0)
		began := time.Now()
		if err := j.Pause(time.Second); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %s, want nil after 1s", err, time.Since(began))
		}
		time.AfterFunc(time.Second, j.Disconnect)
		if err := j.Pause(time.Minute); err != ErrDisconnected || time.Since(began) != 2*time.Second {
			t.Errorf("%v after %s, want %v after 2s", err, time.Since(began), ErrDisconnected)
		}
	})
}

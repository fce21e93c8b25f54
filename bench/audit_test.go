package bench

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
	"demo-server/memnet"
)

// A fakeServer works on a limited number of requests at a time, and the others wait in its queue. It can report wrong
// figures.
type fakeServer struct {
	places       chan struct{} // nil for no limit
	work         time.Duration
	timingFactor float64 // of the times in Server-Timing; 1 is correct
	countFactor  float64 // of the requests in /stats; 1 is correct

	mu       sync.Mutex
	inServer int
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/stats" {
		f.mu.Lock()
		defer f.mu.Unlock()
		fmt.Fprintf(w, `{"in_flight": %d}`, int(f.countFactor*float64(f.inServer)))
		return
	}
	f.enter(1)
	defer f.enter(-1)
	arrived := time.Now()
	if f.places != nil {
		f.places <- struct{}{}
		defer func() { <-f.places }()
	}
	started := time.Now()
	time.Sleep(f.work)
	millis := func(d time.Duration) float64 { return f.timingFactor * float64(d) / float64(time.Millisecond) }
	w.Header().Set("Server-Timing", fmt.Sprintf("queue;dur=%.3f, work;dur=%.3f", millis(started.Sub(arrived)), millis(time.Since(started))))
}

func (f *fakeServer) enter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inServer += n
}

// underLoad measures the server in virtual time, and returns its audits by name.
func (f *fakeServer) underLoad(t *testing.T, row Row, c Config) (audits map[string]result.Audit) {
	t.Helper()
	audits = map[string]result.Audit{}
	synctest.Test(t, func(t *testing.T) {
		if row.Places > 0 {
			f.places = make(chan struct{}, row.Places)
		}
		listener := memnet.Listen()
		server := &http.Server{Handler: f}
		go server.Serve(listener)
		defer server.Shutdown(context.Background()) // it continues requests whose clients have disconnected
		dial := func(context.Context) (net.Conn, error) { return listener.Dial(), nil }

		c.Rows, c.Generator, c.Repeat, c.Budget = []Row{row}, Builtin, 1, time.Minute
		run := &runner{Plan: NewPlan(c, false)}
		planned := run.Planned[0]
		generator := load.New(load.Config{
			Address: "server:80", Path: "/", Clients: c.Concurrency, Duration: planned.duration, Cut: planned.cut, Rate: c.Rate,
			Timeout: planned.timeout, AnyBody: true, Dial: dial,
		})
		client := &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		}}
		sampler := &sampler{load: generator, stats: "http://server/stats", client: client, jitter: golden()}
		for _, a := range run.observe(t.Context(), planned, generator, sampler).audits {
			audits[a.Name] = a
		}
	})
	return audits
}

// golden returns a jitter that spreads evenly, even for few samples.
func golden() func(time.Duration) time.Duration {
	share := 0.0
	return func(limit time.Duration) time.Duration {
		_, share = math.Modf(share + math.Phi)
		return time.Duration(share * float64(limit))
	}
}

// TestAuditsOfServers checks that the audits hold for each load if the server reports correct figures, and break
// otherwise.
func TestAuditsOfServers(t *testing.T) {
	closed := Config{Concurrency: 20, Duration: time.Second}
	above := Config{Concurrency: 1000, Duration: 10 * time.Second, Rate: 30}
	cases := []struct {
		name          string
		places        int
		timing, count float64 // factors of the reported figures
		config        Config
		broken        []string
	}{
		{"rounds as long as the time between samples", 0, 1, 1, closed, nil},
		{"a queue", 10, 1, 1, closed, nil},
		{"the open loop", 0, 1, 1, Config{Concurrency: 1000, Duration: time.Second, Rate: 300}, nil},
		{"above capacity", 2, 1, 1, above, nil},
		{"far above capacity", 2, 1, 1, Config{Concurrency: 1000, Duration: 2 * time.Second, Rate: 300}, nil},
		{"clients that send late", 2, 1, 1, Config{Concurrency: 5, Duration: 2 * time.Second, Rate: 30}, nil},
		{"half of the time in it", 0, 0.5, 1, closed, []string{serverAudit}},
		{"twice the time in it", 0, 2, 1, closed, []string{serverAudit}},
		{"half of the requests in it", 0, 1, 0.5, closed, []string{serverAudit}},
		{"twice the requests in it", 0, 1, 2, closed, []string{serverAudit}},
		{"half of the time in it, above capacity", 2, 0.5, 1, above, []string{serverAudit}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			row := ofMode("fake", c.places)
			row.Delay = 100 * time.Millisecond
			server := &fakeServer{work: row.Delay, timingFactor: c.timing, countFactor: c.count}
			audits := server.underLoad(t, row, c.config)
			if len(audits) < 2 {
				t.Errorf("%d audits, want both of Little's law", len(audits))
			}
			for _, a := range audits {
				if want := slices.Contains(c.broken, a.Name); a.Broken != want {
					t.Errorf("broken is %t, want %t: %s", a.Broken, want, a.Text)
				}
			}
		})
	}
}

// steadyRun returns 10 s of requests by clients that each get a reply every 2 s.
func steadyRun(clients int) (requests []load.Request) {
	for range clients {
		for at := time.Duration(0); at < 10*time.Second; at += 2 * time.Second {
			requests = append(requests, load.Request{
				Sent: at, Ended: at + 2*time.Second, Queued: 0, Worked: 2_000_000,
			})
		}
	}
	return requests
}

// steadyObservation returns an observation of requests whose samples are all the same.
func steadyObservation(requests []load.Request, round int, busy, inFlight, accept, connections float64) observation {
	o := observation{requests: requests, summary: load.Summarise(requests, 0, round)}
	for at := time.Duration(0); at <= 10*time.Second; at += sampleEvery {
		o.samples = append(o.samples, result.Sample{
			At: at.Seconds(), Busy: &busy, InFlight: &inFlight, Queued: new(float64), AcceptQueue: &accept, Connections: &connections,
		})
		o.moments = append(o.moments, moment{at, at, inFlight})
	}
	return o
}

// TestAudits checks that each law holds if the counters are right, and breaks if one is wrong.
func TestAudits(t *testing.T) {
	cases := []struct {
		name                                string
		busy, inFlight, accept, connections float64
		broken                              []string
	}{
		{"all agree", 100, 100, 0, 100, nil},
		{"within the tolerance", 98, 97, 0, 97, nil},
		{"the clients' counter is wrong", 80, 100, 0, 100, []string{clientsAudit, acceptAudit}},
		{"the server's counter is wrong", 100, 50, 50, 50, []string{serverAudit}},
		{"some are accepted and not read", 100, 50, 20, 80, []string{serverAudit}},
		{"requests are nowhere", 100, 50, 0, 50, []string{serverAudit, acceptAudit}},
		{"a counter below 0", 100, -1e18, 0, 100, []string{serverAudit}},
		{"a counter that is too large", 100, 9e18, 0, 100, []string{serverAudit, acceptAudit}},
	}
	for _, c := range cases {
		var broken []string
		for _, a := range steadyObservation(steadyRun(100), 100, c.busy, c.inFlight, c.accept, c.connections).audits(false) {
			if a.Broken {
				broken = append(broken, a.Name)
			}
		}
		if !slices.Equal(broken, c.broken) {
			t.Errorf("%s: broken are %q, want %q", c.name, broken, c.broken)
		}
	}
}

// TestAuditsBetweenRounds checks that a sample of an empty server between two rounds of replies breaks no audit.
func TestAuditsBetweenRounds(t *testing.T) {
	o := steadyObservation(steadyRun(20), 20, 20, 20, 0, 20)
	for i, m := range o.moments {
		if m.from%(2*time.Second) == 0 {
			o.moments[i].inServer = 0
			o.samples[i].InFlight, o.samples[i].Connections = new(float64), new(float64)
		}
	}
	for _, a := range o.audits(false) {
		if a.Broken || a.Skipped != "" {
			t.Errorf("%+v", a)
		}
	}
}

// TestAuditOfWhatWasGivenUp checks that requests that never ended count as in the system, and that the audit reports
// that they may not have been in the server.
func TestAuditOfWhatWasGivenUp(t *testing.T) {
	requests := []load.Request{}
	for i := range 100 {
		r := load.Request{Ended: 11 * time.Second, Class: load.Unfinished, Queued: -1, Worked: -1}
		if i < 5 {
			r.Class, r.Ended, r.Worked, r.Queued = load.Answered, time.Duration(i+1)*2*time.Second, 2_000_000, 0
		}
		requests = append(requests, r)
		if i < 5 { // the client sends its next request
			requests = append(requests, load.Request{
				Sent: r.Ended, Ended: 11 * time.Second, Class: load.Unfinished, Queued: -1, Worked: -1,
			})
		}
	}
	for _, a := range steadyObservation(requests, 1, 100, 1, 99, 1).audits(false) {
		if a.Broken || (a.Skipped != "") != (a.Name == serverAudit) {
			t.Errorf("%+v", a)
		}
	}
}

func TestTooFewSamplesForAnAudit(t *testing.T) {
	o := steadyObservation(steadyRun(1), 1, 5, 5, 5, 5)
	o.samples, o.moments = o.samples[:24], o.moments[:24]
	if got := o.audits(false); got != nil {
		t.Errorf("%v from 4 samples of the window, want none", got)
	}
}

// TestAuditShortOfCPU checks that the server's audit is skipped, because Server-Timing excludes the wait for a core.
func TestAuditShortOfCPU(t *testing.T) {
	audits := steadyObservation(steadyRun(100), 100, 100, 50, 0, 100).audits(true)
	if len(audits) != 2 || audits[0].Skipped != "" || audits[1].Skipped == "" || audits[1].Broken {
		t.Errorf("got %+v, want that of the clients, and that of the server skipped", audits)
	}
}

// TestWorstAudit checks that the worst repeat of an audit is kept.
func TestWorstAudit(t *testing.T) {
	held := result.Audit{Name: "a", Left: 10, Right: 10}
	off := result.Audit{Name: "a", Left: 10, Right: 10.4}
	broken := result.Audit{Name: "a", Left: 10, Right: 10.2, Broken: true}
	skipped := result.Audit{Name: "a", Left: 10, Right: 5, Skipped: "why"}
	cases := []struct {
		repeats []result.Audit
		want    result.Audit
	}{
		{[]result.Audit{held, off}, off},
		{[]result.Audit{off, held}, off},
		{[]result.Audit{off, broken}, broken},
		{[]result.Audit{broken, off}, broken},
		{[]result.Audit{skipped, held}, held},
		{[]result.Audit{held, skipped}, held},
	}
	for _, c := range cases {
		var kept []result.Audit
		for _, a := range c.repeats {
			kept = worst(kept, []result.Audit{a})
		}
		if len(kept) != 1 || kept[0] != c.want {
			t.Errorf("of %+v %+v is kept, want %+v", c.repeats, kept, c.want)
		}
	}
}

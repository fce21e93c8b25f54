package bench

import (
	"testing"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
)

// steadyRun is 10 s of clients that are answered every 2 s, by a server that has work of it and the kernel the rest.
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

func steadySamples(busy, inFlight, queued, accept, connections float64) (samples []result.Sample) {
	for at := 0.0; at <= 10; at += 0.1 {
		samples = append(samples, result.Sample{
			At: at, Busy: &busy, InFlight: &inFlight, Queued: &queued, AcceptQueue: &accept, Connections: &connections,
		})
	}
	return samples
}

// TestAudits: each law holds where the counters are right, and breaks where one is wrong.
func TestAudits(t *testing.T) {
	cases := []struct {
		name                                        string
		busy, inFlight, queued, accept, connections float64
		broken                                      []string
	}{
		{"all agree", 100, 100, 0, 0, 100, nil},
		{"within the tolerance", 98, 97, 0, 0, 97, nil},
		{"the clients' counter is wrong", 80, 100, 0, 0, 100, []string{"Little's law, clients", acceptAudit}},
		{"the server's counter is wrong", 100, 50, 0, 50, 50, []string{"Little's law, server"}},
		{"some are accepted and not read", 100, 50, 0, 20, 80, []string{"Little's law, server"}},
		{"requests are nowhere", 100, 50, 0, 0, 50, []string{"Little's law, server", acceptAudit}},
	}
	requests := steadyRun(100)
	summary := load.Summarise(requests, 0, 100)
	for _, c := range cases {
		var broken []string
		for _, a := range audits(requests, summary, 100, steadySamples(c.busy, c.inFlight, c.queued, c.accept, c.connections), false) {
			if a.Broken {
				broken = append(broken, a.Name)
			}
		}
		if len(broken) != len(c.broken) {
			t.Errorf("%s: broken are %q, want %q", c.name, broken, c.broken)
			continue
		}
		for i := range broken {
			if broken[i] != c.broken[i] {
				t.Errorf("%s: broken are %q, want %q", c.name, broken, c.broken)
			}
		}
	}
}

// TestAuditOfWhatWasGivenUp: requests that never ended were in the system all the same.
func TestAuditOfWhatWasGivenUp(t *testing.T) {
	requests := []load.Request{}
	for i := range 100 {
		r := load.Request{Ended: 11 * time.Second, Class: load.Unfinished, Queued: -1, Worked: -1}
		if i < 5 {
			r.Class, r.Ended, r.Worked, r.Queued = load.Answered, time.Duration(i+1)*2*time.Second, 2_000_000, 0
		}
		requests = append(requests, r)
		if i < 5 { // and the client sends its next
			requests = append(requests, load.Request{
				Sent: r.Ended, Ended: 11 * time.Second, Class: load.Unfinished, Queued: -1, Worked: -1,
			})
		}
	}
	for _, a := range audits(requests, load.Summarise(requests, 0, 1), 1, steadySamples(100, 1, 0, 99, 1), false) {
		if a.Broken {
			t.Errorf("%s is broken: %s", a.Name, a.Text)
		}
	}
}

func TestTooFewSamplesForAnAudit(t *testing.T) {
	requests := steadyRun(1)
	if got := audits(requests, load.Summarise(requests, 0, 1), 1, steadySamples(5, 5, 5, 5, 5)[:24], false); got != nil {
		t.Errorf("%v from 4 samples of the window, want none", got)
	}
}

// TestAuditOfAnything: what a server says of itself may be anything.
func TestAuditOfAnything(t *testing.T) {
	requests := steadyRun(100)
	summary := load.Summarise(requests, 0, 100)
	for _, said := range []float64{-1e18, -1, 1e6, 9e18} {
		for _, a := range audits(requests, summary, 100, steadySamples(100, said, 0, 0, 100), false) {
			if a.Name == "Little's law, server" {
				t.Errorf("%g requests in flight: %s", said, a.Text)
			}
		}
	}
}

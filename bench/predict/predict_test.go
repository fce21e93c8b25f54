package predict

import (
	"fmt"
	"math"
	"testing"
	"time"

	"demo-server/bench/load"
)

// Odd durations prevent two events from coinciding by chance, because then either may come first.
const (
	delay   = 2003 * time.Millisecond
	refusal = 1009*time.Microsecond + 7
)

// TestAgainstSimulation checks that the recursion and a simulation agree on the fate of each request.
func TestAgainstSimulation(t *testing.T) {
	var servers []Server
	for _, places := range []int{0, 1, 3, 10} {
		for _, queue := range []int{-1, 0, 2, 7} {
			for _, timeout := range []time.Duration{0, 1301 * time.Millisecond, 5011 * time.Millisecond} {
				s := Server{Places: places, Queue: queue, QueueTimeout: timeout, Delay: delay, Refusal: refusal}
				servers = append(servers, s)
				if slots, cores := s, s; queue < 0 || queue == 7 { // limits of the work show where requests wait
					slots.Slots, cores.Cores = 2, 2
					servers = append(servers, slots, cores)
				}
			}
		}
	}
	loads := []Load{
		{Clients: 1, Requests: 7},
		{Clients: 3, Requests: 20},
		{Clients: 10, Requests: 25},
		{Clients: 25, Requests: 200},
		{Clients: 12, Duration: 15*time.Second + 11},
		{Clients: 1000, Requests: 40, Rate: 0.37},
		{Clients: 1000, Requests: 100, Rate: 3.1},
		{Clients: 1000, Duration: 21*time.Second + 13, Rate: 1.7},
		{Clients: 4, Requests: 50, Rate: 3.7},
	}
	for _, s := range servers {
		for _, l := range loads {
			t.Run(fmt.Sprintf("%+v%+v", s, l), func(t *testing.T) {
				got, want := fates(Requests(s, l)), fates(simulate(t, s, l))
				if len(got) != len(want) {
					t.Fatalf("%d requests, the simulation has %d", len(got), len(want))
				}
				for i := range got {
					if got[i] != want[i] && (s.Cores == 0 || !near(got[i], want[i])) {
						t.Fatalf("request %d is %+v, in the simulation %+v", i, got[i], want[i])
					}
				}
			})
		}
	}
}

// TestKnownLaws compares results of the recursion with textbook formulas.
func TestKnownLaws(t *testing.T) {
	second := time.Second
	cases := []struct {
		name               string
		server             Server
		load               Load
		round              int
		perSecond, refused float64
		longest            time.Duration
	}{
		{"100 clients at 2s: the client is the bound", Server{Queue: -1, Delay: 2 * second},
			Load{Clients: 100, Requests: 5000}, 100, 50, 0, 2 * second},
		{"places / delay, and each waits its turn", Server{Places: 50, Queue: -1, Delay: 2 * second},
			Load{Clients: 100, Requests: 5000}, 50, 25, 0, 4 * second},
		{"places that do not divide the clients", Server{Places: 30, Queue: -1, Delay: 2 * second},
			Load{Clients: 100, Requests: 6000}, 30, 15, 0, 8 * second},
		{"one at a time", Server{Places: 1, Queue: -1, Delay: 2 * second}, Load{Clients: 100, Requests: 500}, 1, 0.5, 0, 200 * second},
		{"10 connections behind 100 workers: the wait for one is no wait in the queue",
			Server{Places: 100, QueueTimeout: second, Slots: 10, Delay: 2 * second},
			Load{Clients: 100, Requests: 5000}, 10, 5, 0, 20 * second},
		{"2 cores: all that share them end together", Server{Queue: -1, Cores: 2, Delay: 2 * second},
			Load{Clients: 100, Requests: 5000}, 100, 1, 0, 100 * second},
		{"2 cores shared by 10 workers: the others queue", Server{Places: 10, Queue: -1, Cores: 2, Delay: 2 * second},
			Load{Clients: 100, Requests: 5000}, 10, 1, 0, 100 * second},
		{"fewer runners than cores have one each", Server{Places: 1, Queue: -1, Cores: 2, Delay: 2 * second},
			Load{Clients: 100, Requests: 500}, 1, 0.5, 0, 200 * second},
		{"open, below the bound", Server{Places: 50, Queue: -1, Delay: 2 * second},
			Load{Clients: 1 << 20, Requests: 5000, Rate: 20}, 1, 20, 0, 2 * second},
		{"open, above it: 1 - places / (rate * delay) are refused", Server{Places: 50, Queue: 0, Delay: 2 * second, Refusal: 1},
			Load{Clients: 1 << 20, Requests: 100_000, Rate: 100}, 50, 25, 0.75, 2 * second},
		{"open, above it, with a queue", Server{Places: 50, Queue: 25, Delay: 2 * second, Refusal: 1},
			Load{Clients: 1 << 20, Requests: 100_000, Rate: 100}, 50, 25, 0.75, 3750 * time.Millisecond},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := load.Summarise(Requests(c.server, c.load), 0, c.round)
			if math.Abs(s.PerSecond/c.perSecond-1) > 0.001 {
				t.Errorf("%g requests/s, want %g", s.PerSecond, c.perSecond)
			}
			refused := float64(s.Count[load.Refused]) / float64(s.Count[load.Refused]+s.Count[load.Answered])
			if math.Abs(refused-c.refused) > 0.002 {
				t.Errorf("share refused %g, want %g", refused, c.refused)
			}
			if longest := s.Waits.Longest(); longest.Duration != c.longest {
				t.Errorf("longest %v, want %s", longest, c.longest)
			}
		})
	}
}

// TestTook checks that Took returns the end of the last request.
func TestTook(t *testing.T) {
	for _, places := range []int{0, 1, 7, 100} {
		for _, clients := range []int{1, 10, 100} {
			for _, n := range []int{1, 99, 100, 101, 5000} {
				s, l := Server{Places: places, Queue: -1, Delay: delay}, Load{Clients: clients, Requests: n}
				end := time.Duration(0)
				for _, r := range Requests(s, l) {
					end = max(end, r.Ended)
				}
				if got := Took(s, l); got != end {
					t.Errorf("%+v %+v: took %s, want %s", s, l, got, end)
				}
			}
		}
	}
	open := Load{Clients: 1000, Requests: 101, Rate: 10}
	if got, want := Took(Server{Delay: 2 * time.Second}, open), 12*time.Second; got != want {
		t.Errorf("in the open loop %s, want %s", got, want)
	}
}

func TestABIdeal(t *testing.T) {
	if got := ABIdeal(5000, 100, 2*time.Second); math.Abs(got-49.0196) > 1e-4 {
		t.Errorf("%g requests/s, want 49.0196", got)
	}
}

// TestEndless checks that the prediction ends, although clients that are refused try again at once without end.
func TestEndless(t *testing.T) {
	for _, cores := range []int{0, 2} {
		s := Server{Places: 1, Queue: 0, Cores: cores, Delay: time.Hour, Refusal: 1}
		if got := len(Requests(s, Load{Clients: 100, Duration: time.Hour})); got != most {
			t.Errorf("%d cores: %d requests, want no more than %d", cores, got, most)
		}
	}
}

func BenchmarkRequests(b *testing.B) {
	s := Server{Places: 50, Queue: 1024, QueueTimeout: 30 * time.Second, Delay: 2 * time.Second, Refusal: time.Millisecond}
	for b.Loop() {
		Requests(s, Load{Clients: 100, Requests: 100_000})
	}
}

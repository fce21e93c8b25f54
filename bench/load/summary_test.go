package load

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// replies returns right replies with these times in seconds: {sent, ended}.
func replies(pairs ...[2]float64) (requests []Request) {
	for _, p := range pairs {
		requests = append(requests, Request{Sent: seconds(p[0]), Ended: seconds(p[1])})
	}
	return requests
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// lockstep returns a run in which clients get their replies together, k of them after every delay, until the end.
func lockstep(clients, k int, delay, end, jitter float64) (requests []Request) {
	noise := rand.New(rand.NewPCG(1, 2))
	free := make([]float64, k)
	sent := make([]float64, clients)
	for i := 0; ; i++ {
		client, place := i%clients, i%k
		start := max(free[place], sent[client])
		ended := start + delay + jitter*noise.Float64()
		if ended > end {
			for client := range clients {
				requests = append(requests, Request{Sent: seconds(sent[client]), Ended: seconds(end), Class: Unfinished})
			}
			return requests
		}
		requests = append(requests, Request{Sent: seconds(sent[client]), Ended: seconds(ended)})
		free[place], sent[client] = ended, ended
	}
}

// TestSteady checks that the rate is that of whole rounds, wherever the run is cut off.
func TestSteady(t *testing.T) {
	cases := []struct {
		name           string
		clients, k     int
		delay, jitter  float64
		ends           []float64
		want, tolerate float64
	}{
		{"100 clients at 2s", 100, 100, 2, 0, []float64{4, 5, 6.5, 7.99, 8, 9.9, 10, 11}, 50, 0},
		{"the same, not quite together", 100, 100, 2, 0.02, []float64{5, 6.5, 9.9, 10.005, 10.02, 11}, 100 / 2.01, 0.005},
		{"50 workers", 100, 50, 2, 0, []float64{4, 5, 6.5, 9.9, 10, 11}, 25, 0},
		{"30 workers, which do not divide the clients", 100, 30, 2, 0, []float64{6, 9, 10, 11}, 15, 0},
		{"one at a time", 100, 1, 2, 0, []float64{4, 5, 9, 60}, 0.5, 0},
	}
	for _, c := range cases {
		for _, end := range c.ends {
			s := Summarise(lockstep(c.clients, c.k, c.delay, end, c.jitter), 0, c.k)
			if math.Abs(s.PerSecond/c.want-1) > c.tolerate+1e-9 {
				t.Errorf("%s until %g s: %g requests/s, want %g", c.name, end, s.PerSecond, c.want)
			}
		}
	}
}

// TestSteadyIrregular checks that replies at random times are counted without a bias, except for the one of any rate
// from one reply to another: a few replies of the total, here some of 500.
func TestSteadyIrregular(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	sum, runs := 0.0, 400
	for range runs {
		var requests []Request
		for at := random.ExpFloat64() / 50; at < 10; at += random.ExpFloat64() / 50 {
			requests = append(requests, Request{Ended: seconds(at)})
		}
		sum += Summarise(requests, 0, 100).PerSecond
	}
	if mean := sum / float64(runs); math.Abs(mean/50-1) > 0.01 {
		t.Errorf("%g requests/s in the mean of %d runs, want 50", mean, runs)
	}
}

// TestTooShort checks that less than two rounds give no rate.
func TestTooShort(t *testing.T) {
	cases := []struct {
		name     string
		requests []Request
		round    int
		want     float64
	}{
		{"none", nil, 100, 0},
		{"one", replies([2]float64{0, 2}), 1, 0},
		{"one round", lockstep(100, 100, 2, 3, 0.01), 100, 0},
		{"fewer than the clients, one after the other", replies([2]float64{0, 2}, [2]float64{0, 4}, [2]float64{0, 6}), 100, 0.5},
	}
	for _, c := range cases {
		if got := Summarise(c.requests, 0, c.round).PerSecond; got != c.want {
			t.Errorf("%s: %g requests/s, want %g", c.name, got, c.want)
		}
	}
}

func TestWarmup(t *testing.T) {
	s := Summarise(replies([2]float64{0, 9}, [2]float64{0.9, 9.5}, [2]float64{1, 2}, [2]float64{2, 3}), time.Second, 1)
	if s.Count[Answered] != 2 || s.Waits.Longest().Duration > 1100*time.Millisecond {
		t.Errorf("%d requests, longest %v; want 2 that took 1s", s.Count[Answered], s.Waits.Longest())
	}
}

// TestWaits checks that a request that was given up counts with at least the time that the client waited.
func TestWaits(t *testing.T) {
	given := func(class Class, waits ...float64) (requests []Request) {
		for _, w := range waits {
			requests = append(requests, Request{Ended: seconds(w), Class: class})
		}
		return requests
	}
	join := func(all ...[]Request) (requests []Request) {
		for _, some := range all {
			requests = append(requests, some...)
		}
		return requests
	}
	cases := []struct {
		name               string
		requests           []Request
		p50, p90, p99, max Wait
		mean               Wait
	}{
		{"all answered", given(Answered, 1, 2, 3, 4), known(2), known(4), known(4), known(4), known(2.5)},
		{"cut off below what others took", join(given(Answered, 2, 2, 2, 2), given(Unfinished, 0.5, 1.9)),
			known(2), known(2), known(2), known(2), known(2)},
		{"one at a time, cut off at 6s", join(given(Answered, 2, 4, 6), given(Unfinished, 6, 6, 6, 6, 6, 6, 6)),
			beyond(6), beyond(6), beyond(6), beyond(6), beyond(5.4)},
		{"half of them", join(given(Answered, 1, 1, 1), given(Unfinished, 60, 60)),
			known(1), beyond(60), beyond(60), beyond(60), beyond(24.6)},
		{"a timeout is one that was given up", join(given(Answered, 1), given(Timeout, 30)),
			known(1), beyond(30), beyond(30), beyond(30), beyond(15.5)},
		{"refusals do not count", join(given(Answered, 1, 1), given(Refused, 0.001, 0.001)),
			known(1), known(1), known(1), known(1), known(1)},
		{"nothing answered", given(Unfinished, 5, 6), beyond(6), beyond(6), beyond(6), beyond(6), beyond(6)},
		// Kaplan and Meier: 4 of 5 are left after 1 s; of the 3 still waited for at 3 s, 1 ended: 8/15 are left.
		{"given up between", join(given(Answered, 1, 3), given(Unfinished, 2, 4, 5)),
			beyond(5), beyond(5), beyond(5), beyond(5), beyond(1 + 2*0.8 + 2*8./15)},
	}
	for _, c := range cases {
		w := Summarise(c.requests, 0, 1).Waits
		at := w.At(50, 90, 99)
		for _, pair := range []struct {
			what      string
			got, want Wait
		}{{"p50", at[0], c.p50}, {"p90", at[1], c.p90}, {"p99", at[2], c.p99}, {"longest", w.Longest(), c.max}, {"mean", w.Mean(), c.mean}} {
			off := math.Abs(pair.got.Duration.Seconds()/pair.want.Duration.Seconds() - 1)
			if pair.got.Beyond != pair.want.Beyond || off > 0.002 {
				t.Errorf("%s: %s is %v, want %v", c.name, pair.what, pair.got, pair.want)
			}
		}
	}
}

func known(s float64) Wait  { return Wait{Duration: seconds(s)} }
func beyond(s float64) Wait { return Wait{seconds(s), true} }

func TestMerge(t *testing.T) {
	a := Summarise(replies([2]float64{0, 1}, [2]float64{0, 1}), 0, 1).Waits
	a.Merge(Summarise(replies([2]float64{0, 3}, [2]float64{0, 3}), 0, 1).Waits)
	if got := a.Mean().Duration.Seconds(); math.Abs(got-2) > 0.01 {
		t.Errorf("mean of both is %g s, want 2", got)
	}
}

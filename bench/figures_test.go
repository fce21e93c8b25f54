package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/result"
)

// TestSampled: what follows from two clocks and a peak.
func TestSampled(t *testing.T) {
	n := result.Number[float64]
	idle := idle{result.Sample{Resident: n(10e6)}, 0.1}
	samples := []result.Sample{
		{At: 0, Resident: n(10e6), CPU: n(1), Switches: n(100), InFlight: n(0), Queued: n(0), Threads: n(7)},
		{At: 1, Resident: n(12e6), CPU: n(1.5), Switches: n(200), InFlight: n(50), Queued: n(50), Threads: n(9)},
		{At: 2, Resident: n(11e6), CPU: n(2), Switches: n(500), InFlight: n(10), Queued: n(0), Threads: nil},
	}
	var got result.Figures
	sampled(&got, idle, samples, 200)
	want := result.Figures{
		CPUPerRequest: n(0.004), SwitchesPerRequest: n(2), BytesPerInFlight: n(20e3), ServerCores: n(0.5), IdleBytes: n(10e6),
		Peak: &result.Sample{
			Resident: n(12e6), CPU: n(2), Switches: n(500), InFlight: n(50), Queued: n(50), Threads: n(9),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestSampledOfNothing: what was not seen is not known, and no division by zero.
func TestSampledOfNothing(t *testing.T) {
	var got result.Figures
	sampled(&got, idle{}, []result.Sample{{}, {}}, 0)
	if diff := cmp.Diff(result.Figures{Peak: &result.Sample{}}, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestTotal: counts add up, figures are means, of latencies the middle repeat counts.
func TestTotal(t *testing.T) {
	n := result.Number[float64]
	of := func(perSecond, p50 float64, answered int) result.Repeat {
		return result.Repeat{Figures: result.Figures{
			PerSecond: n(perSecond), P50: &result.Latency{Seconds: p50}, Counts: result.Counts{Answered: answered, Refused: 1},
			Peak: &result.Sample{Threads: n(perSecond)},
		}}
	}
	got := total([]result.Repeat{of(10, 1, 100), of(20, 9, 200), of(30, 2, 300)})
	want := result.Figures{
		PerSecond: n(20), P50: &result.Latency{Seconds: 2}, Counts: result.Counts{Answered: 600, Refused: 3},
		RefusedShare: n(3. / 603), Peak: &result.Sample{Threads: n(30)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

package bench

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/result"
)

// TestSampled checks the figures that follow from two clocks and a peak.
func TestSampled(t *testing.T) {
	n := result.Number[float64]
	idle := idle{result.Sample{Resident: n(10e6)}, 0.1, 50}
	samples := []result.Sample{
		{At: 0, Resident: n(10e6), CPU: n(1), Switches: n(100), InFlight: n(0), Queued: n(0), Threads: n(7)},
		{At: 1, Resident: n(12e6), CPU: n(1.5), Switches: n(200), InFlight: n(1000), Queued: n(1000), Threads: n(9)},
		{At: 2, Resident: n(11e6), CPU: n(2), Switches: n(500), InFlight: n(10), Queued: n(0), Threads: nil},
	}
	var got result.Figures
	sampled(&got, idle, samples, 200)
	want := result.Figures{
		CPUPerRequest: n(0.004), SwitchesPerRequest: n(1.5), BytesPerInFlight: n(1000), ServerCores: n(0.5), IdleBytes: n(10e6),
		Peak: &result.Sample{
			Resident: n(12e6), CPU: n(2), Switches: n(500), InFlight: n(1000), Queued: n(1000), Threads: n(9),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestSampledOfTooLittle checks that figures with too little data are left out.
func TestSampledOfTooLittle(t *testing.T) {
	n := result.Number[float64]
	all := []string{"CPU", "switches", "bytes", "cores"}
	cases := []struct {
		name                                                 string
		cpu, switches, resident, inFlight, took, idle, ended float64
		known                                                []string
	}{
		{"enough of all", 1, 2000, 20e6, 2000, 2, 0.1, 500, all},
		{"few in flight", 1, 2000, 20e6, 1999, 2, 0.1, 500, []string{"CPU", "switches", "cores"}},
		{"memory that shrinks", 1, 2000, 9e6, 2000, 2, 0.1, 500, []string{"CPU", "switches", "cores"}},
		{"few requests", 1, 2000, 20e6, 2000, 2, 0.1, 9, []string{"bytes", "cores"}},
		{"less than looking takes", 0.9, 900, 20e6, 2000, 5, 0.1, 500, []string{"bytes", "cores"}},
		{"a few ticks", 0.09, 99, 20e6, 2000, 2, 0, 500, []string{"bytes", "cores"}},
		{"a short time", 0.19, 2000, 20e6, 2000, 0.19, 0.1, 500, []string{"CPU", "switches", "bytes"}},
		{"no use at all", 0, 0, 20e6, 2000, 2, 0.1, 500, []string{"bytes", "cores"}},
	}
	for _, c := range cases {
		var got result.Figures
		sampled(&got, idle{result.Sample{Resident: n(10e6)}, c.idle, 1000 * c.idle}, []result.Sample{
			{At: 0, CPU: n(3), Switches: n(300), InFlight: n(0), Queued: n(0)},
			{At: c.took, CPU: n(3 + c.cpu), Switches: n(300 + c.switches), Resident: &c.resident, InFlight: &c.inFlight, Queued: n(0)},
		}, int(c.ended))
		var known []string
		for i, figure := range []*float64{got.CPUPerRequest, got.SwitchesPerRequest, got.BytesPerInFlight, got.ServerCores} {
			if figure != nil {
				known = append(known, all[i])
			}
		}
		if !slices.Equal(known, c.known) {
			t.Errorf("%s: known are %q, want %q", c.name, known, c.known)
		}
	}
}

// TestSampledOfNothing checks that missing data gives unknown figures and no division by zero.
func TestSampledOfNothing(t *testing.T) {
	var got result.Figures
	sampled(&got, idle{}, []result.Sample{{}, {}}, 0)
	if diff := cmp.Diff(result.Figures{Peak: &result.Sample{}}, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestTotal checks that counts are added up, figures averaged, and the median of latencies used.
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

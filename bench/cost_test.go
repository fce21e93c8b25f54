package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/load"
	"demo-server/bench/result"
)

// TestInFlight checks that clients count only up to the server's open files if it does not report its requests.
func TestInFlight(t *testing.T) {
	n := result.Number[float64]
	idle := result.Sample{OpenFiles: n(20)}
	for name, test := range map[string]struct {
		sample result.Sample
		want   float64
	}{
		"all accepted":                   {result.Sample{Busy: n(3000), OpenFiles: n(3020)}, 3000},
		"some wait in the kernel":        {result.Sample{Busy: n(3000), OpenFiles: n(1024)}, 1004},
		"it has not seen the last leave": {result.Sample{Busy: n(10), OpenFiles: n(50)}, 10},
		"it says so itself":              {result.Sample{Busy: n(3000), OpenFiles: n(1024), InFlight: n(900), Queued: n(100)}, 1000},
		"nobody knows its files":         {result.Sample{Busy: n(3000)}, 3000},
	} {
		if got := inFlight(idle, test.sample); got != test.want {
			t.Errorf("%s: %g, want %g", name, got, test.want)
		}
	}
}

// TestPerRequest checks that the growth at the fullest sample before the first reply counts.
func TestPerRequest(t *testing.T) {
	n := result.Number[float64]
	c := CostConfig{InFlight: 1000, Ramp: time.Second} // requests are due after 3 s
	idle := result.Sample{Resident: n(10e6), Threads: n(5), Goroutines: n(9)}
	samples := []result.Sample{
		{At: 0, Resident: n(10e6), Threads: n(5), Goroutines: n(9), InFlight: n(0), Queued: n(0)},
		{At: 2.9, Resident: n(12e6), Threads: n(55), Goroutines: n(1609), InFlight: n(500), Queued: n(300)},
		{At: 3, Resident: n(90e6), Threads: n(99), Goroutines: n(9999), InFlight: n(500), Queued: n(500)}, // while it replies
	}
	var got result.Cost
	c.perRequest(&got, idle, samples)
	want := result.Cost{
		InFlight: 800, Queued: 300, IdleBytes: n(10e6), PeakBytes: n(12e6), BytesPerRequest: n(2500), ThreadsPer: n(0.0625),
		GoroutinesPer: n(2), Notes: []string{"800 of the 1000 requests that were wanted were in the server at the same time"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestPerTooFewRequests checks that figures are left out if the server itself could explain them.
func TestPerTooFewRequests(t *testing.T) {
	n := result.Number[float64]
	const note = " requests are too few to tell their memory from the server's own; want at least 200"
	idle := result.Sample{Resident: n(10e6), Threads: n(5), Goroutines: n(9)}
	for _, c := range []struct {
		inFlight float64
		want     result.Cost
	}{
		{199, result.Cost{ThreadsPer: n(0), GoroutinesPer: n(1), Notes: []string{"199" + note}}},
		{99, result.Cost{Notes: []string{"99" + note}}},
	} {
		var got result.Cost
		CostConfig{InFlight: int(c.inFlight), Ramp: time.Second}.perRequest(&got, idle, []result.Sample{{
			At: 1, Resident: n(14e6), Threads: n(4), Goroutines: n(9 + c.inFlight), InFlight: n(c.inFlight), Queued: n(0),
		}})
		c.want.InFlight, c.want.IdleBytes, c.want.PeakBytes = int(c.inFlight), n(10e6), n(14e6)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
	}
}

// TestLateness checks that the lateness comes from Server-Timing, if there is one, and that failures are noted.
func TestLateness(t *testing.T) {
	c := CostConfig{Ramp: time.Second}
	delay := int32(c.Delay().Microseconds())
	requests := []load.Request{
		{Class: load.Answered, Worked: delay - 5}, {Class: load.Refused}, {Class: load.Broken}, {Class: load.Unfinished},
	}
	for late := range int32(100) {
		requests = append(requests, load.Request{Class: load.Answered, Worked: delay + 1000*(late+1)})
	}
	var got result.Cost
	c.lateness(&got, requests)
	n := result.Number[float64]
	want := result.Cost{
		LatenessP50: n(0.050), LatenessP99: n(0.099), Notes: []string{"2 of the 104 requests failed or were refused"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	var silent result.Cost
	c.lateness(&silent, []load.Request{{Class: load.Answered, Worked: -1}})
	if diff := cmp.Diff(result.Cost{}, silent); diff != "" {
		t.Errorf("of a server that does not say: want -, got +:\n%s", diff)
	}
}

// TestMiddleCost checks that the median repeat is used, and that a failed one counts as the largest.
func TestMiddleCost(t *testing.T) {
	of := func(bytes float64) result.Cost { return result.Cost{BytesPerRequest: &bytes} }
	failed := result.Cost{Failure: "died"}
	for name, test := range map[string]struct {
		costs []result.Cost
		want  result.Cost
	}{
		"of one":             {[]result.Cost{of(7)}, of(7)},
		"of three":           {[]result.Cost{of(9), of(1), of(5)}, of(5)},
		"of an even number":  {[]result.Cost{of(9), of(1)}, of(1)},
		"of two and failed":  {[]result.Cost{failed, of(9), of(1)}, of(9)},
		"of one that failed": {[]result.Cost{failed}, failed},
	} {
		if diff := cmp.Diff(test.want, middleCost(test.costs)); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
}

// TestCostOfMost checks that a row gets at most the requests that it can hold, with a note that gives the reason.
func TestCostOfMost(t *testing.T) {
	launch := launcher{binary: "/there/is/no/such/program"} // the measurement does not matter here
	row := Row{Name: "thread", Kind: result.KindMode, Most: 1000, WhyMost: "it refuses more at a time"}
	for _, test := range []struct {
		inFlight, wanted int
		note             string
	}{
		{18_000, 1000, "was sent 1000 requests instead of 18000: it refuses more at a time"},
		{1000, 1000, ""},
		{500, 500, ""},
	} {
		cost := CostConfig{InFlight: test.inFlight}.cost(t.Context(), launch, row)
		if notes := strings.Join(cost.Notes, "\n"); cost.Wanted != test.wanted || notes != test.note {
			t.Errorf("of %d: %d wanted, %q", test.inFlight, cost.Wanted, notes)
		}
	}
}

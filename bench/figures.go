package bench

import (
	"cmp"
	"slices"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
)

// summarised returns the figures that follow from requests alone.
func summarised(s load.Summary) result.Figures {
	f := result.Figures{Counts: counts(s), SteadySeconds: (s.To - s.From).Seconds()}
	if s.PerSecond > 0 {
		f.PerSecond = &s.PerSecond
	}
	waited(&f, s.Waits)
	f.RefusedShare = refusedShare(f.Counts)
	return f
}

func counts(s load.Summary) result.Counts {
	c := result.Counts{
		Answered: s.Count[load.Answered], Refused: s.Count[load.Refused], Unfinished: s.Count[load.Unfinished],
		Connect: s.Count[load.Connect], Timeout: s.Count[load.Timeout], Broken: s.Count[load.Broken],
		Status: s.Count[load.Status], Body: s.Count[load.Body],
	}
	c.Failed = c.Connect + c.Timeout + c.Broken + c.Status + c.Body
	return c
}

func refusedShare(c result.Counts) *float64 {
	if c.Answered+c.Refused == 0 {
		return nil
	}
	return result.Number(float64(c.Refused) / float64(c.Answered+c.Refused))
}

// waited sets the latencies if there are any.
func waited(f *result.Figures, waits *load.Waits) {
	if waits.Empty() {
		return
	}
	at := waits.At(50, 90, 99)
	f.P50, f.P90, f.P99 = latency(at[0]), latency(at[1]), latency(at[2])
	f.Mean, f.Longest = latency(waits.Mean()), latency(waits.Longest())
}

func latency(w load.Wait) *result.Latency {
	return &result.Latency{Seconds: w.Duration.Seconds(), Beyond: w.Beyond}
}

// curvePercents holds the points of the latency curve.
var curvePercents = []float64{0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100}

func curve(waits *load.Waits) (points []result.Point) {
	if waits.Empty() {
		return nil
	}
	for i, w := range waits.At(curvePercents...) {
		points = append(points, result.Point{Percent: curvePercents[i], Latency: *latency(w)})
	}
	return points
}

// The min values for a figure: with less, most of it would come from something else.
const (
	minEnded    = 10   // requests, for CPU and context switches per request
	minCPU      = 0.1  // seconds; the kernel counts in ticks of 10 ms
	minSwitches = 100  // context switches of the server's threads
	minSpan     = 0.2  // seconds, for CPU per second, because of the same ticks
	minInFlight = 2000 // requests, for memory per request: an idle server's memory varies by 1 to 2 MB
)

// sampled sets the figures that follow from samples. ended is the number of requests that ended.
func sampled(f *result.Figures, idle idle, samples []result.Sample, ended int) {
	if len(samples) == 0 {
		return
	}
	f.Peak = peak(samples)
	f.IdleBytes = idle.Resident
	first, last := samples[0], samples[len(samples)-1]
	took := last.At - first.At
	if used := difference(first.CPU, last.CPU); used != nil {
		if took >= minSpan {
			f.ServerCores = ratio(*used, took)
		}
		f.CPUPerRequest = perRequest(*used, idle.cores*took, minCPU, ended)
	}
	if switched := difference(first.Switches, last.Switches); switched != nil {
		f.SwitchesPerRequest = perRequest(*switched, idle.switches*took, minSwitches, ended)
	}
	f.BytesPerInFlight = bytesPerRequest(idle.Sample, f.Peak.Resident, mostInFlight(idle.Sample, samples), minInFlight)
}

// perRequest returns the server's use per ended request, without the cost of sampling. It returns nil if sampling is
// the larger part, or the rest is below least.
func perRequest(used, looking, least float64, ended int) *float64 {
	serving := used - looking
	if ended < minEnded || serving < max(looking, least) {
		return nil
	}
	return ratio(serving, float64(ended))
}

// bytesPerRequest returns the growth of memory per request in flight, or nil for fewer than least requests.
func bytesPerRequest(idle result.Sample, peak *float64, inFlight, least float64) *float64 {
	grown := difference(idle.Resident, peak)
	if grown == nil || *grown <= 0 || inFlight < least {
		return nil
	}
	return ratio(*grown, inFlight)
}

// inFlight returns the number of requests in the server. If the server does not report it, inFlight uses the requests
// that the clients wait for, up to the number of files that the server has opened since it was idle: the others wait in
// the kernel, where they cost it nothing.
func inFlight(idle, s result.Sample) float64 {
	opened := difference(idle.OpenFiles, s.OpenFiles)
	switch {
	case s.InFlight != nil && s.Queued != nil:
		return *s.InFlight + *s.Queued
	case s.Busy != nil && opened != nil:
		return min(*s.Busy, *opened)
	case s.Busy != nil:
		return *s.Busy
	}
	return 0
}

func mostInFlight(idle result.Sample, samples []result.Sample) (most float64) {
	for _, s := range samples {
		most = max(most, inFlight(idle, s))
	}
	return most
}

func difference(from, to *float64) *float64 {
	if from == nil || to == nil {
		return nil
	}
	return result.Number(*to - *from)
}

func ratio(a, b float64) *float64 {
	if b == 0 {
		return nil
	}
	return result.Number(a / b)
}

// peak returns the max of each figure.
func peak(samples []result.Sample) *result.Sample {
	most := samples[0]
	for _, s := range samples[1:] {
		pairs := []struct{ to, from **float64 }{
			{&most.Resident, &s.Resident}, {&most.CPU, &s.CPU}, {&most.Threads, &s.Threads},
			{&most.Switches, &s.Switches}, {&most.OpenFiles, &s.OpenFiles}, {&most.Goroutines, &s.Goroutines},
			{&most.InFlight, &s.InFlight}, {&most.Queued, &s.Queued},
			{&most.Connections, &s.Connections}, {&most.AcceptQueue, &s.AcceptQueue},
			{&most.Busy, &s.Busy}, {&most.Completed, &s.Completed},
		}
		for _, pair := range pairs {
			if *pair.to == nil || *pair.from != nil && **pair.from > **pair.to {
				*pair.to = *pair.from
			}
		}
	}
	return &most
}

// mean returns the mean of a figure over the samples in the window, and their number.
func mean(samples []result.Sample, from, to time.Duration, figure func(result.Sample) *float64) (mean float64, n int) {
	for _, s := range samples {
		if s.At < from.Seconds() || s.At > to.Seconds() {
			continue
		}
		if value := figure(s); value != nil {
			mean += *value
			n++
		}
	}
	if n == 0 {
		return 0, 0
	}
	return mean / float64(n), n
}

// median returns the median, or the longer of the two in the middle; nil if there are none.
func median(of []result.Latency) *result.Latency {
	if len(of) == 0 {
		return nil
	}
	slices.SortFunc(of, func(a, b result.Latency) int { return cmp.Compare(a.Seconds, b.Seconds) })
	return &of[len(of)/2]
}

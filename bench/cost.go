package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/originals"
	"demo-server/bench/result"
)

// A CostConfig describes the measurement of blocked requests.
type CostConfig struct {
	Binary   string
	Command  []string
	Version  string
	Rows     []Row         // Cost sets their delay
	InFlight int           // requests that block at the same time
	Ramp     time.Duration // time over which they are sent, and over which they become due
	Repeat   int

	Originals *originals.Set // nil if no row needs them
	Folder    string         // for the files of baselines; empty if there are none
}

// afterRamp is how long all requests are blocked together, enough for several samples.
const afterRamp = 2 * time.Second

// The load that measures CPU per request: clients on kept connections, without a delay.
const (
	cpuClients = 64
	cpuFor     = 3 * time.Second
)

// Delay returns how long a request blocks: until all are sent, and afterRamp longer.
func (c CostConfig) Delay() time.Duration { return c.Ramp + afterRamp }

// Took returns about how long the whole measurement takes.
func (c CostConfig) Took() time.Duration {
	one := c.Ramp + c.Delay() + cpuFor + 2*betweenRows
	return time.Duration(len(c.Rows)*c.Repeat) * one
}

// Cost measures the cost of a blocked request in each row.
func Cost(ctx context.Context, c CostConfig, progress *Progress) *result.Result {
	started := time.Now()
	out := &result.Result{Schema: result.Schema, Version: c.Version, Started: started, Command: c.Command, Machine: result.ThisMachine()}
	measured := make([][]result.Cost, len(c.Rows))
	launch := launcher{binary: c.Binary, originals: c.Originals, folder: c.Folder}
	for round := 1; round <= c.Repeat; round++ {
		for i, row := range c.Rows {
			if ctx.Err() != nil {
				break
			}
			progress.Begin(row.Name, round, c.Took()/time.Duration(len(c.Rows)*c.Repeat))
			measured[i] = append(measured[i], c.cost(ctx, launch, row))
			progress.End()
		}
	}
	for _, costs := range measured {
		if len(costs) > 0 {
			out.Costs = append(out.Costs, middleCost(costs))
		}
	}
	out.Interrupted, out.TookSeconds = ctx.Err() != nil, time.Since(started).Seconds()
	return out
}

// middleCost returns the repeat with the median bytes per request. A failed repeat counts as the largest.
func middleCost(costs []result.Cost) result.Cost {
	slices.SortStableFunc(costs, func(a, b result.Cost) int {
		switch {
		case (a.BytesPerRequest == nil) != (b.BytesPerRequest == nil):
			return map[bool]int{true: 1, false: -1}[a.BytesPerRequest == nil]
		case a.BytesPerRequest == nil || *a.BytesPerRequest == *b.BytesPerRequest:
			return 0
		case *a.BytesPerRequest < *b.BytesPerRequest:
			return -1
		}
		return 1
	})
	return costs[(len(costs)-1)/2]
}

func (c CostConfig) cost(ctx context.Context, launch launcher, row Row) result.Cost {
	out := result.Cost{Name: row.Name, Kind: row.Kind}
	if row.Most > 0 && row.Most < c.InFlight {
		out.Notes = append(out.Notes, fmt.Sprintf("was sent %d requests instead of %d: %s", row.Most, c.InFlight, row.WhyMost))
		c.InFlight = row.Most
	}
	out.Wanted = c.InFlight
	if row.Places == 1 {
		out.Notes = append(out.Notes, "works on one request at a time and leaves the others to the kernel: nothing blocks in it")
	} else if err := c.blocked(ctx, launch, row, &out); err != nil {
		out.Failure = err.Error()
		return out
	}
	if err := c.atNoDelay(ctx, launch, row, &out); err != nil {
		out.Failure = err.Error()
	}
	return out
}

// delayed returns the row with that delay.
func (row Row) delayed(delay time.Duration) Row {
	row.Delay = delay
	row.Args = append(slices.Clone(row.Args), fmt.Sprintf("--delay=%s", delay))
	return row
}

// blocked keeps all requests in the server at the same time, and measures the resources that they take.
func (c CostConfig) blocked(ctx context.Context, launch launcher, row Row, out *result.Cost) error {
	row = row.delayed(c.Delay())
	if row.Places > 0 && row.Most == 0 { // requests wait in the queue too, which also blocks them
		row.Args = append(row.Args, fmt.Sprintf("--queue=%d", c.InFlight), "--queue-timeout=1h")
	}
	target, err := launch.target(ctx, row)
	if err != nil {
		return err
	}
	server := target.child
	defer server.stop()
	generator := load.New(load.Config{
		Address: target.address, Path: target.path, Body: []byte(row.Body), Clients: c.InFlight, Requests: c.InFlight,
		Rate: float64(c.InFlight) / c.Ramp.Seconds(), Cut: c.Ramp + c.Delay() + afterRamp, Timeout: time.Hour,
	})
	sampler := newSampler(server, generator)
	idle := sampler.idle()
	var requests []load.Request
	samples := sampler.while(func() { requests, _ = generator.Run(ctx) })
	if server.dead() {
		return fmt.Errorf("died under load: %s", server.lastWords())
	}
	c.perRequest(out, idle.Sample, samples)
	c.lateness(out, requests)
	return server.stop()
}

// The min numbers of requests in flight: with fewer, most of a figure per request may come from something else. The min
// for memory is below minInFlight, because these requests neither come nor go: about 1 MB is the server's own.
const (
	minBlockedForMemory = 200
	minBlockedForCounts = 100
)

// perRequest divides the growth until all requests were sent, and none was answered, by their number in the server at
// that time. It ignores later samples, because writing replies takes memory of its own.
func (c CostConfig) perRequest(out *result.Cost, idle result.Sample, samples []result.Sample) {
	samples = slices.DeleteFunc(samples, func(s result.Sample) bool { return s.At >= c.Delay().Seconds() })
	if len(samples) == 0 {
		return
	}
	full := slices.MaxFunc(samples, func(a, b result.Sample) int { return cmp.Compare(inFlight(idle, a), inFlight(idle, b)) })
	peak := peak(samples)
	n := inFlight(idle, full)
	out.InFlight, out.IdleBytes, out.PeakBytes = int(n), idle.Resident, peak.Resident
	if full.Queued != nil {
		out.Queued = int(*full.Queued)
	}
	per := func(from, to *float64) *float64 {
		if grown := difference(from, to); grown != nil && n >= minBlockedForCounts {
			return ratio(max(0, *grown), n)
		}
		return nil
	}
	out.BytesPerRequest = bytesPerRequest(idle, peak.Resident, n, minBlockedForMemory)
	out.GoroutinesPer = per(idle.Goroutines, peak.Goroutines)
	out.ThreadsPer = per(idle.Threads, peak.Threads)
	if out.InFlight < c.InFlight {
		out.Notes = append(out.Notes, fmt.Sprintf("%d of the %d requests that were wanted were in the server at the same time",
			out.InFlight, c.InFlight))
	}
	if out.InFlight < minBlockedForMemory {
		out.Notes = append(out.Notes, fmt.Sprintf("%d requests are too few to tell their memory from the server's own; want at least %d",
			out.InFlight, minBlockedForMemory))
	}
}

// lateness records how much later than asked for the work ended, from the server's Server-Timing. It excludes the time
// that a connection waited in the kernel or a reply in the client.
func (c CostConfig) lateness(out *result.Cost, requests []load.Request) {
	var late []time.Duration
	failed := 0
	for _, r := range requests {
		switch {
		case r.Class == load.Answered && r.Worked >= 0:
			late = append(late, max(0, micros(r.Worked)-c.Delay()))
		case r.Class != load.Answered && r.Class != load.Unfinished:
			failed++
		}
	}
	if failed > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d of the %d requests failed or were refused", failed, len(requests)))
	}
	if late == nil {
		return
	}
	slices.Sort(late)
	at := func(share float64) *float64 {
		return result.Number(late[int(share*float64(len(late)-1))].Seconds())
	}
	out.LatenessP50 = at(0.5)
	if len(late) >= 100 {
		out.LatenessP99 = at(0.99)
	}
}

// atNoDelay measures the CPU of a request that does not block.
func (c CostConfig) atNoDelay(ctx context.Context, launch launcher, row Row, out *result.Cost) error {
	target, err := launch.target(ctx, row.delayed(0))
	if err != nil {
		return err
	}
	server := target.child
	defer server.stop()
	clients := cpuClients
	if row.Places == 1 {
		clients = 1 // a kept connection occupies the only place
	}
	generator := load.New(load.Config{
		Address: target.address, Path: target.path, Body: []byte(row.Body), Clients: clients, Duration: cpuFor, Cut: cpuFor + time.Second,
		Keepalive: true, Timeout: leastTimeout,
	})
	sampler := newSampler(server, generator)
	var requests []load.Request
	samples := sampler.while(func() { requests, _ = generator.Run(ctx) })
	if server.dead() {
		return fmt.Errorf("died under load: %s", server.lastWords())
	}
	summary := load.Summarise(requests, 0, 1)
	used := difference(samples[0].CPU, samples[len(samples)-1].CPU)
	if n := summary.Count[load.Answered]; used != nil && n > 0 {
		out.CPUPerRequest = ratio(*used, float64(n))
	}
	if summary.PerSecond > 0 {
		out.PerSecondAtNoWait = &summary.PerSecond
	}
	return server.stop()
}

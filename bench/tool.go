package bench

import (
	"context"
	"errors"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
	"demo-server/cores"
)

// ToolReady returns an error if the load generator of that name is not installed. probes reports whether it sends one
// request alone before the others.
func ToolReady(ctx context.Context, generator string) (probes bool, err error) {
	switch generator {
	case AB:
		return load.ABProbes(ctx)
	case WRK:
		return false, load.WRKInstalled()
	}
	return false, nil
}

// tool runs ab or wrk against a target, and samples the target during the run.
func (r *runner) tool(ctx context.Context, p Planned, t *target) (*measurement, error) {
	sampler := newSampler(t.child, nil)
	sampler.replies = r.progress.count
	idle := sampler.idle()
	loading, stop := t.whileAlive(ctx)
	defer stop()
	loading, stop = context.WithTimeout(loading, r.interruptAfter(p))
	defer stop()
	var report load.Report
	var err error
	samples := sampler.while(func() { report, err = r.runTool(loading, p, t) })
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = nil
	}
	m := &measurement{figures: reported(report), samples: samples, evidence: evidence{worked: -1}}
	m.figures.Ceiling = r.ceiling(p, r.probes)
	if p.wholeRounds > 0 {
		m.figures.PerSecond = p.toolRate(report.Answered)
		m.figures.SteadySeconds = float64(p.wholeRounds) * p.Delay.Seconds()
	}
	m.figures.ClientCores = ratio(report.CPU.Seconds(), sampler.span.took)
	m.figures.OtherCores = sampler.span.others(samples, report.CPU)
	sampled(&m.figures, idle, samples, report.Completed)
	return m, err
}

// interruptAfter returns when to interrupt a tool, which then prints its results so far. If the tool's own duration
// ends the run, it gets the timeout of a request in addition, but not more: ab does not end while a reply trickles in.
func (r *runner) interruptAfter(p Planned) time.Duration {
	if r.Requests > 0 || p.wholeRounds > 0 {
		return p.cut
	}
	return p.cut + time.Second + p.timeout // both take whole seconds
}

func (r *runner) runTool(ctx context.Context, p Planned, t *target) (load.Report, error) {
	address := "http://" + t.address + t.path
	if r.Generator == WRK {
		return load.WRK(ctx, load.WRKConfig{
			URL: address, Host: t.host, Clients: r.Concurrency, Duration: p.cut, Cores: cores.Whole(), Timeout: p.timeout,
		})
	}
	config := load.ABConfig{
		URL: address, Host: t.host, Clients: r.Concurrency, Requests: r.Requests, Keepalive: r.Keepalive, AnyBody: r.anyBody(p),
		Timeout: p.timeout,
	}
	if r.Requests == 0 {
		config.Duration = p.cut
	}
	return load.AB(ctx, config)
}

// reported returns the figures that a tool reports.
func reported(report load.Report) result.Figures {
	f := result.Figures{TookSeconds: report.Took.Seconds(), SteadySeconds: report.Took.Seconds()}
	f.Answered = report.Answered
	f.Connect, f.Timeout, f.Broken, f.Status = report.Connect, report.Timeout, report.Broken, report.Status
	f.Body = max(0, report.Length-report.Broken-report.Status) // Length includes most broken replies and other statuses
	f.Failed = f.Connect + f.Timeout + f.Broken + f.Status + f.Body
	if f.Status == 0 { // otherwise it may include refusals, which no tool counts separately
		f.RefusedShare = refusedShare(f.Counts)
	}
	if report.Answered == 0 {
		return f
	}
	f.PerSecond = ratio(float64(report.Answered), report.Took.Seconds())
	exactly := func(d time.Duration) *result.Latency { return &result.Latency{Seconds: d.Seconds()} }
	f.Mean, f.Longest = exactly(report.Mean), exactly(report.Longest)
	f.P50, f.P90, f.P99 = exactly(report.At(50)), exactly(report.At(90)), exactly(report.At(99))
	return f
}

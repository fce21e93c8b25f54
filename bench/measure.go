package bench

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
	"demo-server/bench/verdict"
)

// load loads a target and samples it during the load.
func (r *runner) load(ctx context.Context, p Planned, t *target) (*measurement, error) {
	if r.Generator != Builtin {
		return r.tool(ctx, p, t)
	}
	config := load.Config{
		Address: t.address, Host: t.host, Path: t.path, Clients: r.Concurrency, Requests: r.Requests, Cut: p.cut, Rate: r.Rate,
		Keepalive: r.Keepalive, Timeout: p.timeout,
	}
	if r.Requests == 0 {
		config.Duration = p.duration
	}
	if p.Known {
		config.Body = []byte(p.Body)
	}
	config.AnyBody = r.anyBody(p)
	generator := load.New(config)
	loading, stop := t.whileAlive(ctx)
	defer stop()
	sampler := newSampler(t.child, generator)
	sampler.replies = r.progress.count
	m := r.observe(loading, p, generator, sampler)
	if config.AnyBody {
		m.lengths = generator.Lengths()
	}
	return m, nil
}

// observe runs the generator, and samples until it has ended.
func (r *runner) observe(ctx context.Context, p Planned, generator *load.Generator, sampler *sampler) *measurement {
	idle := sampler.idle()
	var requests []load.Request
	var took time.Duration
	samples := sampler.while(func() { requests, took = generator.Run(ctx) })

	summary := load.Summarise(requests, r.Warmup, p.round)
	m := &measurement{figures: summarised(summary), waits: summary.Waits, samples: samples}
	m.figures.TookSeconds = took.Seconds()
	m.figures.Ceiling = r.ceiling(p, false)
	m.figures.ClientCores = ratio(sampler.span.own, took.Seconds())
	m.figures.OtherCores = sampler.span.others(samples, 0)
	sampled(&m.figures, idle, samples, len(requests)-summary.Count[load.Unfinished])
	shortOfCPU := p.Known && p.Delay == 0 || busy(m.figures)
	observed := observation{requests, summary, samples, sampler.moments}
	m.audits = observed.audits(shortOfCPU || p.Cores > 0)
	m.evidence = gather(requests, summary)
	_, m.late = generator.Late()
	return m
}

// anyBody reports whether every body of the row's server is right. Most external servers include a time or a number in
// each reply.
func (r *runner) anyBody(p Planned) bool { return p.Kind == result.KindAgainst && !r.SameBody }

// whileAlive returns a context that also ends with the child, because all later requests would fail to connect.
func (t *target) whileAlive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if t.child != nil {
		go func() {
			select {
			case <-t.child.ended:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// while takes samples while do runs.
func (s *sampler) while(do func()) []result.Sample {
	ctx, cancel := context.WithCancel(context.Background())
	end := beginSpan()
	var sampling sync.WaitGroup
	sampling.Go(func() { s.run(ctx) })
	do()
	cancel()
	sampling.Wait()
	s.span = end()
	if s.client != nil {
		s.client.CloseIdleConnections() // lets the server stop at once
	}
	return s.samples
}

// add adds a repeat to the row.
func (row *row) add(m *measurement, repeat result.Repeat) {
	out := &row.result
	if len(out.Repeats) == 0 {
		out.Series = m.samples
	}
	out.Repeats = append(out.Repeats, repeat)
	row.rounds = append(row.rounds, known(m.figures.PerSecond))
	row.reports = append(row.reports, m.evidence)
	out.Audits = worst(out.Audits, m.audits)
	if m.waits == nil {
		return
	}
	if row.waits == nil {
		row.waits = m.waits
	} else {
		row.waits.Merge(m.waits)
	}
}

// skip records a round without a result.
func (row *row) skip() { row.rounds = append(row.rounds, math.NaN()) }

func known(figure *float64) float64 {
	if figure == nil {
		return math.NaN()
	}
	return *figure
}

// worst keeps the worst repeat of each audit: a broken one, otherwise the one that is furthest off.
func worst(kept, audits []result.Audit) []result.Audit {
	for _, a := range audits {
		i := slices.IndexFunc(kept, func(k result.Audit) bool { return k.Name == a.Name })
		switch {
		case i < 0:
			kept = append(kept, a)
		case worse(a, kept[i]):
			kept[i] = a
		}
	}
	return kept
}

// worse reports whether a is worse than b. A skipped audit is never worse than one that was not skipped.
func worse(a, b result.Audit) bool {
	switch {
	case a.Broken != b.Broken:
		return a.Broken
	case (a.Skipped == "") != (b.Skipped == ""):
		return a.Skipped == ""
	}
	return math.Abs(a.Left-a.Right) > math.Abs(b.Left-b.Right)
}

// finish computes the figures of all repeats together.
func (r *runner) finish(row *row) {
	out := &row.result
	out.Total = total(out.Repeats)
	if row.waits != nil {
		waited(&out.Total, row.waits)
		out.Curve = curve(row.waits)
	}
	if mean, low, high, ok := verdict.Interval(row.rounds); ok {
		low = max(0, low) // a wide interval may include negative values, a rate cannot
		out.Total.PerSecond, out.Total.LowSecond, out.Total.HighSecond = &mean, &low, &high
	}
	for _, a := range out.Audits {
		out.Trusted = out.Trusted && !a.Broken
	}
	out.Notes = r.explain(row)
}

// total adds up the counts of all repeats, and takes the mean of their figures and the max of their peaks.
func total(repeats []result.Repeat) (f result.Figures) {
	var peaks []result.Sample
	for _, r := range repeats {
		f.Answered += r.Answered
		f.Refused += r.Refused
		f.Unfinished += r.Unfinished
		f.Failed += r.Failed
		f.Connect += r.Connect
		f.Timeout += r.Timeout
		f.Broken += r.Broken
		f.Status += r.Status
		f.Body += r.Body
		f.SteadySeconds += r.SteadySeconds
		f.TookSeconds += r.TookSeconds
		if r.Peak != nil {
			peaks = append(peaks, *r.Peak)
		}
	}
	if len(peaks) > 0 {
		f.Peak = peak(peaks)
	}
	f.RefusedShare = refusedShare(f.Counts)
	figures := func(f *result.Figures) []**float64 {
		return []**float64{
			&f.PerSecond, &f.Ceiling, &f.CPUPerRequest, &f.SwitchesPerRequest, &f.BytesPerInFlight, &f.ServerCores,
			&f.ClientCores, &f.OtherCores, &f.IdleBytes,
		}
	}
	for i, to := range figures(&f) {
		sum, n := 0.0, 0.0
		for j := range repeats {
			if value := *figures(&repeats[j].Figures)[i]; value != nil {
				sum += *value
				n++
			}
		}
		*to = ratio(sum, n)
	}
	latencies(&f, repeats)
	return f
}

// latencies sets the medians of the repeats' latencies, for tools that report only percentiles, which cannot be added.
func latencies(f *result.Figures, repeats []result.Repeat) {
	figures := func(f *result.Figures) []**result.Latency {
		return []**result.Latency{&f.Mean, &f.P50, &f.P90, &f.P99, &f.Longest}
	}
	for i, to := range figures(f) {
		var of []result.Latency
		for j := range repeats {
			if value := *figures(&repeats[j].Figures)[i]; value != nil {
				of = append(of, *value)
			}
		}
		*to = median(of)
	}
}

package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"demo-server/bench/load"
	"demo-server/bench/result"
	"demo-server/cores"
)

// An evidence holds data of a repeat that explains a deviation.
type evidence struct {
	late    time.Duration // 99th percentile of the generator's lateness in the open loop
	worked  time.Duration // mean work by Server-Timing of right replies; -1 if the server does not report it
	beside  time.Duration // mean of latency minus queue and work by Server-Timing
	slowest load.Request
	lengths load.Lengths // of bodies, if they may differ
	drift   float64      // of throughput in the window
}

func gather(requests []load.Request, s load.Summary) evidence {
	e := evidence{worked: -1, drift: s.Drift}
	var worked, beside time.Duration
	timed := 0
	for _, r := range requests {
		if r.Class != load.Answered {
			continue
		}
		if r.Latency() > e.slowest.Latency() {
			e.slowest = r
		}
		if r.Queued >= 0 && r.Worked >= 0 {
			timed++
			worked += micros(r.Worked)
			beside += r.Latency() - micros(r.Queued) - micros(r.Worked)
		}
	}
	if timed > 0 {
		e.worked, e.beside = worked/time.Duration(timed), beside/time.Duration(timed)
	}
	return e
}

func micros(n int32) time.Duration { return time.Duration(n) * time.Microsecond }

// differing describes how bodies differ in length, or returns "".
func differing(reports []evidence) string {
	var all load.Lengths
	for _, e := range reports {
		if e.lengths.Longest > 0 {
			all.Add(e.lengths.Shortest)
			all.Add(e.lengths.Longest)
		}
	}
	if all.Shortest == all.Longest {
		return ""
	}
	return fmt.Sprintf("its replies differ in length, from %d to %d bytes", all.Shortest, all.Longest)
}

// tolerated is the max relative deviation from a prediction that needs no explanation.
const tolerated = 0.02

// worthSaying is the min share of clients in the accept queue that is worth a note.
const worthSaying = 0.2

// explain returns notes on a row that a reader needs in addition to its figures.
func (r *runner) explain(row *row) (notes []string) {
	out := &row.result
	total := out.Total
	if out.Cut && total.Answered > 0 {
		notes = append(notes, fmt.Sprintf("measured for %s, where all of its %d requests would take %s",
			row.cut, r.Requests, r.full(row.Row, false).Round(time.Second)))
	}
	if overload := r.overload(row.Planned); overload != "" {
		notes = append(notes, overload)
	}
	if failed := failures(total.Counts); failed != "" {
		notes = append(notes, failed)
	}
	if differ := differing(row.reports); differ != "" {
		notes = append(notes, differ)
	}
	for _, a := range out.Audits {
		switch {
		case a.Broken:
			notes = append(notes, "not trustworthy: "+a.Text)
		case a.Name == acceptAudit && a.Left > auditLeast && a.Left > worthSaying*float64(r.Concurrency):
			notes = append(notes, a.Text)
		}
	}
	if total.PerSecond == nil {
		return notes
	}
	if out.Prediction != nil {
		if off := deviations(*out.Prediction, total); off != "" {
			return append(notes, off+": "+r.cause(row))
		}
	} else if busy := r.saturated(total); busy != "" {
		return append(notes, busy)
	}
	if wide := r.wideInterval(out); wide != "" {
		notes = append(notes, wide)
	}
	return notes
}

// wideInterval explains an interval that is wider than the margin, or returns "".
func (r *runner) wideInterval(row *result.Row) string {
	f := row.Total
	if f.LowSecond == nil || f.HighSecond == nil || *f.PerSecond == 0 {
		return ""
	}
	half := (*f.HighSecond - *f.LowSecond) / 2 / *f.PerSecond
	others := named(mostOthers(row.Repeats).OtherCores)
	if half <= r.Margin || others == "" {
		return ""
	}
	return fmt.Sprintf("requests/s ±%.1f%% over the rounds: %s in one of them", 100*half, others)
}

func failures(c result.Counts) string {
	var kinds []string
	for _, kind := range []struct {
		n    int
		name string
	}{
		{c.Connect, "found no connection"}, {c.Timeout, "had no reply in time"}, {c.Broken, "lost their connection"},
		{c.Status, "had another status"}, {c.Body, "had a wrong body"},
	} {
		if kind.n > 0 {
			kinds = append(kinds, fmt.Sprintf("%d %s", kind.n, kind.name))
		}
	}
	if kinds == nil {
		return ""
	}
	return "failed: " + strings.Join(kinds, ", ")
}

// deviations lists the figures that are more than 2% off the prediction, or returns "".
func deviations(predicted, measured result.Figures) string {
	var off []string
	compare := func(what string, p, m *float64) {
		if p == nil || m == nil || *p == 0 {
			return
		}
		if by := *m / *p - 1; math.Abs(by) > tolerated {
			off = append(off, fmt.Sprintf("%s %+.1f%%", what, 100*by))
		}
	}
	compare("requests/s", predicted.PerSecond, measured.PerSecond)
	compare("mean latency", exact(predicted.Mean), exact(measured.Mean))
	compare("longest", exact(predicted.Longest), exact(measured.Longest))
	if p, m := predicted.RefusedShare, measured.RefusedShare; p != nil && m != nil && math.Abs(*m-*p) > tolerated {
		off = append(off, fmt.Sprintf("share refused %.1f%% instead of %.1f%%", 100**m, 100**p))
	}
	if off == nil {
		return ""
	}
	return strings.Join(off, ", ") + " off the prediction"
}

func exact(l *result.Latency) *float64 {
	if l == nil || l.Beyond {
		return nil
	}
	return &l.Seconds
}

// cause explains a deviation as far as there is evidence, the strongest first.
func (r *runner) cause(row *row) string {
	total := row.result.Total
	typical := typical(row.reports)
	switch {
	case total.Failed > 0:
		return fmt.Sprintf("%d of %d requests failed", total.Failed, total.Failed+total.Answered+total.Refused)
	case row.Fault != "":
		return fmt.Sprintf("theory knows nothing of the fault %q", row.Fault)
	case total.Refused > 0 && row.result.Prediction.Refused == 0:
		return fmt.Sprintf("%d requests were refused, which theory does not expect", total.Refused)
	}
	if busy := r.saturated(total); busy != "" {
		return busy
	}
	if others := named(total.OtherCores); others != "" {
		return others
	}
	switch {
	case r.Rate > 0 && typical.late > time.Duration(tolerated*float64(row.Delay)):
		return fmt.Sprintf("the client was too slow: 1%% of the requests were sent %s late or more", short(typical.late))
	case total.Refused > 0:
		return fmt.Sprintf("%d tries were refused, and each took time of the client, the server and the queue", total.Refused)
	case row.Processes > 1 && row.room() > 0 && row.room()/row.Processes < r.Concurrency:
		return fmt.Sprintf("whoever accepts first serves: of %d processes one may have been full while another had room",
			row.Processes)
	case math.Abs(typical.drift) > tolerated:
		return fmt.Sprintf("the second half of the time served %+.1f%% against the first: a warm-up, or another load on"+
			" this machine; try --warmup", 100*typical.drift)
	}
	return r.late(row, typical)
}

// late names the part of a latency that is longer than predicted, in the mean or at least in the slowest request.
func (r *runner) late(row *row, e evidence) string {
	if e.worked < 0 {
		return "this server does not say where its time goes"
	}
	work := e.worked - row.Delay
	if limit := time.Duration(tolerated / 2 * float64(row.Delay)); work > limit || e.beside > limit {
		switch {
		case row.inside() && work > e.beside:
			return fmt.Sprintf("the work took %s with the wait inside of it, for %s", short(e.worked), row.Bound)
		case work > e.beside:
			return fmt.Sprintf("the work itself took %s where %s were asked for", short(e.worked), short(row.Delay))
		}
		return fmt.Sprintf("each request spent %s beside queue and work, connecting, sending and receiving", short(e.beside))
	}
	slowest := e.slowest
	if slowest.Worked < 0 {
		return "of the slowest request the server does not say where its time went"
	}
	return fmt.Sprintf("the slowest request spent %s in the queue, %s at work and %s beside both", short(micros(slowest.Queued)),
		short(micros(slowest.Worked)), short(slowest.Latency()-micros(slowest.Queued)-micros(slowest.Worked)))
}

// typical returns the median of each piece of evidence over the repeats, and the slowest request of all.
func typical(reports []evidence) evidence {
	e := evidence{
		late:   middle(reports, func(e evidence) time.Duration { return e.late }),
		worked: middle(reports, func(e evidence) time.Duration { return e.worked }),
		beside: middle(reports, func(e evidence) time.Duration { return e.beside }),
		drift:  middle(reports, func(e evidence) float64 { return e.drift }),
	}
	for _, report := range reports {
		if report.slowest.Latency() > e.slowest.Latency() {
			e.slowest = report.slowest
		}
	}
	return e
}

func middle[T time.Duration | float64](reports []evidence, of func(evidence) T) (none T) {
	var values []T
	for _, report := range reports {
		values = append(values, of(report))
	}
	if values == nil {
		return none
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// busyShare is the share of all cores that two processes can use next to a kernel.
const busyShare = 0.85

// busy reports whether requests may have waited for a core, whichever process used it.
func busy(f result.Figures) bool {
	used := known(f.ServerCores) + known(f.ClientCores)
	if f.OtherCores != nil {
		used += *f.OtherCores
	}
	return used >= busyShare*cores.Allowed()
}

// saturated says that the CPU was the limit and which process used it, or returns "".
func (c Config) saturated(f result.Figures) string {
	allowed := cores.Allowed()
	if f.ServerCores == nil || f.ClientCores == nil || *f.ServerCores+*f.ClientCores < busyShare*allowed {
		return ""
	}
	used := fmt.Sprintf("the CPU was the limit: of %s the server used %.2f and the load generator %.2f",
		inCores(allowed), *f.ServerCores, *f.ClientCores)
	if *f.ClientCores > *f.ServerCores && c.Generator != WRK {
		return used + "; the generator took more than the server, so that this is its limit and not the server's: try --generator wrk"
	}
	return used
}

// inCores formats a number of cores.
func inCores(n float64) string {
	if n == 1 {
		return "1 core"
	}
	return fmt.Sprintf("%.3g cores", n)
}

// short formats a duration with three digits.
func short(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

package report

import (
	"fmt"
	"math"

	"demo-server/bench/result"
)

// A column is one of the table of rows.
type column struct {
	head  string // in a terminal, up to two lines; empty for one that only the page has room for
	title string // on the page
	cell  func(*result.Row) cell
}

// A cell is what a table says of one row.
type cell struct {
	text  string
	mood  mood
	shade int    // of a heat table: 1 and a step, 0 for none
	small string // below the text, where the page has room
}

// A mood is how much a cell wants to be seen.
type mood int

const (
	calm    mood = iota
	careful      // refused, cut
	alarmed      // failed, not trustworthy
	absent       // not measured
)

// served are the columns of what the clients got, after the name.
var served = []column{
	{"req/s", "requests/s", plain(func(f *result.Figures) string { return rate(f.PerSecond) })},
	{"", "95% confidence", plain(confidence)},
	{"of\nceil.", "share of the ceiling", plain(func(f *result.Figures) string { return ratio(f.PerSecond, f.Ceiling) })},
	{"", "mean", wait(func(f *result.Figures) *result.Latency { return f.Mean })},
	{"p50", "p50", wait(func(f *result.Figures) *result.Latency { return f.P50 })},
	{"p90", "p90", wait(func(f *result.Figures) *result.Latency { return f.P90 })},
	{"p99", "p99", wait(func(f *result.Figures) *result.Latency { return f.P99 })},
	{"longest", "longest", wait(func(f *result.Figures) *result.Latency { return f.Longest })},
	{"", "answered", requestsThat(func(c result.Counts) int { return c.Answered }, calm)},
	{"failed", "failed", requestsThat(func(c result.Counts) int { return c.Failed }, alarmed)},
	{"re-\nfused", "refused", requestsThat(func(c result.Counts) int { return c.Refused }, careful)},
	{"", "unfinished", requestsThat(func(c result.Counts) int { return c.Unfinished }, careful)},
}

// taken are those of what the server took for it.
var taken = []column{
	{"CPU ms\n/req", "CPU per request, ms", plain(func(f *result.Figures) string { return scaled(f.CPUPerRequest, 1e3) })},
	{"", "context switches per request", plain(func(f *result.Figures) string { return scaled(f.SwitchesPerRequest, 1) })},
	{"", "cores, server", plain(func(f *result.Figures) string { return cores(f.ServerCores) })},
	{"", "cores, load generator", plain(func(f *result.Figures) string { return cores(f.ClientCores) })},
	{"memory\n/req", "memory per request in flight", plain(func(f *result.Figures) string {
		return size(f.BytesPerInFlight)
	})},
	{"", "memory, idle", plain(func(f *result.Figures) string { return size(f.IdleBytes) })},
	{"", "memory, most", most(func(s *result.Sample) *float64 { return s.Resident }, size)},
	{"OS\nthreads", "OS threads", most(func(s *result.Sample) *float64 { return s.Threads }, figure)},
	{"", "goroutines", most(func(s *result.Sample) *float64 { return s.Goroutines }, figure)},
	{"", "open files", most(func(s *result.Sample) *float64 { return s.OpenFiles }, figure)},
}

// theory is last in a terminal; the page has a table of its own for it.
var theory = column{"theory\nreq/s", "predicted, requests/s", prediction}

// foretold are the columns of what theory predicted beside what was measured.
var foretold = []column{
	{"", "predicted, requests/s", prediction},
	{"", "measured", plain(func(f *result.Figures) string { return rate(f.PerSecond) })},
	{"", "off", off(func(f *result.Figures) *float64 { return f.PerSecond })},
	{"", "predicted, mean", foretells(func(f *result.Figures) string { return latency(f.Mean) })},
	{"", "measured", plain(func(f *result.Figures) string { return latency(f.Mean) })},
	{"", "off", off(func(f *result.Figures) *float64 { return known(f.Mean) })},
	{"", "predicted, longest", foretells(func(f *result.Figures) string { return latency(f.Longest) })},
	{"", "measured", plain(func(f *result.Figures) string { return latency(f.Longest) })},
	{"", "off", off(func(f *result.Figures) *float64 { return known(f.Longest) })},
	{"", "predicted, refused", foretells(refusedShare)},
	{"", "measured", plain(refusedShare)},
}

func foretells(text func(*result.Figures) string) func(*result.Row) cell {
	return func(row *result.Row) cell {
		if row.Prediction == nil {
			return cell{text: unknown}
		}
		return cell{text: text(row.Prediction)}
	}
}

// off is by how much what was measured differs from what was predicted.
func off(figure func(*result.Figures) *float64) func(*result.Row) cell {
	return func(row *result.Row) cell {
		if row.Prediction == nil {
			return cell{text: unknown}
		}
		predicted, measured := figure(row.Prediction), figure(&row.Total)
		if predicted == nil || measured == nil || *predicted == 0 {
			return cell{text: unknown}
		}
		return cell{text: fmt.Sprintf("%+.1f%%", 100*(*measured / *predicted - 1))}
	}
}

// known is a latency that is known, and not only what it is beyond.
func known(l *result.Latency) *float64 {
	if l == nil || l.Beyond {
		return nil
	}
	return &l.Seconds
}

func refusedShare(f *result.Figures) string {
	if f.RefusedShare == nil {
		return unknown
	}
	return share(*f.RefusedShare)
}

func plain(text func(*result.Figures) string) func(*result.Row) cell {
	return func(row *result.Row) cell { return cell{text: text(&row.Total)} }
}

func wait(of func(*result.Figures) *result.Latency) func(*result.Row) cell {
	return func(row *result.Row) cell {
		l := of(&row.Total)
		if l != nil && l.Beyond {
			return cell{text: latency(l), mood: careful}
		}
		return cell{text: latency(l)}
	}
}

func requestsThat(of func(result.Counts) int, mood mood) func(*result.Row) cell {
	return func(row *result.Row) cell {
		switch n := of(row.Total.Counts); {
		case len(row.Repeats) == 0:
			return cell{text: unknown}
		case n > 0:
			return cell{text: count(n), mood: mood}
		}
		return cell{text: "0"}
	}
}

func most(of func(*result.Sample) *float64, text func(*float64) string) func(*result.Row) cell {
	return func(row *result.Row) cell {
		if row.Total.Peak == nil {
			return cell{text: unknown}
		}
		return cell{text: text(of(row.Total.Peak))}
	}
}

func prediction(row *result.Row) cell {
	if row.Prediction == nil {
		return cell{text: unknown}
	}
	return cell{text: rate(row.Prediction.PerSecond)}
}

// confidence is half of the confidence interval, as percent of the rate: ±0.1%.
func confidence(f *result.Figures) string {
	if f.PerSecond == nil || f.LowSecond == nil || f.HighSecond == nil || *f.PerSecond == 0 {
		return unknown
	}
	half := max(*f.HighSecond-*f.PerSecond, *f.PerSecond-*f.LowSecond) / *f.PerSecond
	return "±" + decimal(math.Max(100*half, 0.01), 2) + "%"
}

// moodOf is how a row's name is shown.
func moodOf(row *result.Row) mood {
	switch {
	case row.Failure != "" || !row.Trusted:
		return alarmed
	case row.Cut:
		return careful
	}
	return calm
}

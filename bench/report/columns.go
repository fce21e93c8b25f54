package report

import (
	"math"
	"slices"

	"demo-server/bench/result"
)

// A column describes one column of the table of rows.
type column struct {
	head  string // in a terminal, up to two lines
	title string // on the page
	cell  func(*result.Row) cell

	group group  // terminal table that --wide puts the column into
	rank  int    // order of removal in a terminal, highest first; 0 stays
	hint  string // name in the list of hidden columns; empty to leave it out of the list
	zero  bool   // hide in a terminal if 0 in all rows
}

// onlyWide is the rank of columns that a terminal shows only with --wide.
const onlyWide = 9

// A group is the title of columns that share a table if not all columns fit into one.
type group string

const (
	ofThroughput group = "Throughput"
	ofLatency    group = "Latency"
	ofCPU        group = "CPU"
	ofMemory     group = "Memory, threads and files"
)

// A cell holds a table's text on one row.
type cell struct {
	text  string
	mood  mood
	shade int    // in a heat table, 1 + index in steps; 0 for none
	small string // second line on the page
}

// A mood is the emphasis of a cell.
type mood int

const (
	calm    mood = iota
	careful      // refused, cut
	alarmed      // failed, not trustworthy
	absent       // not measured
)

// served lists the columns after the name on what the clients received.
var served = []column{
	{head: "requests/s", title: "requests/s", group: ofThroughput, cell: plain(func(f *result.Figures) string { return rate(f.PerSecond) })},
	{head: "95% CI", title: "95% confidence", group: ofThroughput, rank: 5, hint: "95% confidence", cell: plain(confidence)},
	{
		head: "of\nceiling", title: "share of the ceiling", group: ofThroughput, rank: onlyWide, hint: "share of the ceiling",
		cell: plain(func(f *result.Figures) string { return ratio(f.PerSecond, f.Ceiling) }),
	},
	{
		head: "latency\nmean", title: "mean", group: ofLatency, rank: onlyWide, hint: "mean",
		cell: wait(func(f *result.Figures) *result.Latency { return f.Mean }),
	},
	{
		head: "latency\np50", title: "p50", group: ofLatency, rank: 3, hint: "p50",
		cell: wait(func(f *result.Figures) *result.Latency { return f.P50 }),
	},
	{
		head: "latency\np90", title: "p90", group: ofLatency, rank: onlyWide, hint: "p90",
		cell: wait(func(f *result.Figures) *result.Latency { return f.P90 }),
	},
	{
		head: "latency\np99", title: "p99", group: ofLatency, rank: 3, hint: "p99",
		cell: wait(func(f *result.Figures) *result.Latency { return f.P99 }),
	},
	{
		head: "latency\nlongest", title: "longest", group: ofLatency, rank: 4, hint: "longest",
		cell: wait(func(f *result.Figures) *result.Latency { return f.Longest }),
	},
	{
		head: "answered", title: "answered", group: ofThroughput, rank: onlyWide,
		cell: requestsThat(func(c result.Counts) int { return c.Answered }, calm),
	},
	{
		head: "failed", title: "failed", group: ofThroughput, rank: 1, zero: true, hint: "failed",
		cell: requestsThat(func(c result.Counts) int { return c.Failed }, alarmed),
	},
	{
		head: "refused", title: "refused", group: ofThroughput, rank: 1, zero: true, hint: "refused",
		cell: requestsThat(func(c result.Counts) int { return c.Refused }, careful),
	},
	{
		head: "unfinished", title: "unfinished", group: ofThroughput, rank: onlyWide, zero: true,
		cell: requestsThat(func(c result.Counts) int { return c.Unfinished }, careful),
	},
}

// taken lists the columns on the resources that the server used.
var taken = []column{
	{
		head: "ms per\nrequest", title: cpuTitle, group: ofCPU, rank: onlyWide, hint: "CPU",
		cell: plain(func(f *result.Figures) string { return scaled(f.CPUPerRequest, 1e3) }),
	},
	{
		head: "switches\n/request", title: "context switches per request", group: ofCPU, rank: onlyWide,
		cell: plain(func(f *result.Figures) string { return scaled(f.SwitchesPerRequest, 1) }),
	},
	{
		head: "cores,\nserver", title: "cores, server", group: ofCPU, rank: onlyWide,
		cell: plain(func(f *result.Figures) string { return cores(f.ServerCores) }),
	},
	{
		head: "cores,\nclients", title: "cores, load generator", group: ofCPU, rank: onlyWide,
		cell: plain(func(f *result.Figures) string { return cores(f.ClientCores) }),
	},
	{
		head: "cores,\nothers", title: "cores, all others", group: ofCPU, rank: onlyWide,
		cell: plain(func(f *result.Figures) string { return cores(f.OtherCores) }),
	},
	{
		head: "memory/req\nin flight", title: memoryTitle, group: ofMemory, rank: onlyWide,
		cell: plain(func(f *result.Figures) string { return size(f.BytesPerInFlight) }),
	},
	{
		head: "memory,\nidle", title: "memory, idle", group: ofMemory, rank: onlyWide,
		cell: plain(func(f *result.Figures) string { return size(f.IdleBytes) }),
	},
	{
		head: "memory,\npeak", title: "memory, peak", group: ofMemory, rank: onlyWide, hint: "memory",
		cell: most(func(s *result.Sample) *float64 { return s.Resident }, size),
	},
	{
		head: "threads,\npeak", title: "OS threads, peak", group: ofMemory, rank: onlyWide, hint: "threads",
		cell: most(func(s *result.Sample) *float64 { return s.Threads }, figure),
	},
	{
		head: "goroutines,\npeak", title: "goroutines, peak", group: ofMemory, rank: onlyWide,
		cell: most(func(s *result.Sample) *float64 { return s.Goroutines }, figure),
	},
	{
		head: "files,\npeak", title: "open files, peak", group: ofMemory, rank: onlyWide,
		cell: most(func(s *result.Sample) *float64 { return s.OpenFiles }, figure),
	},
}

const (
	cpuTitle    = "CPU per request, ms"
	memoryTitle = "memory per request in flight"
)

// theory follows the measured throughput in a terminal. The page has a separate table for predictions.
var theory = column{head: "predicted\nrequests/s", title: "predicted, requests/s", group: ofThroughput, rank: 2, hint: "predicted", cell: prediction}

// columnsFor returns the columns of a terminal, with heads and marks for the load.
func columnsFor(l result.Load) []column {
	all := slices.Concat(served, taken)
	for i := range all {
		switch all[i].title {
		case cpuTitle:
			all[i].head = map[bool]string{false: "CPU ms/req\nnew conns", true: "CPU ms/req\nkept conns"}[l.Keepalive]
		case "failed":
			if l.Generator != "builtin" { // ab and wrk count refusals as failures
				all[i].head = "failed or\nrefused"
			}
		}
		if all[i].group == ofLatency {
			all[i].cell = marking(l, all[i].cell)
		}
	}
	return slices.Insert(all, 2, theory)
}

// mark follows latencies for which mixesLatencies returns true.
const mark = "*"

// marking returns latency, extended to mark rows for which the load generator mixed refusals and failures into it.
func marking(l result.Load, latency func(*result.Row) cell) func(*result.Row) cell {
	return func(row *result.Row) cell {
		c := latency(row)
		if c.text != unknown && mixesLatencies(l, row) {
			c.text, c.mood = c.text+mark, careful
		}
		return c
	}
}

// foretold lists the columns that compare predicted and measured figures.
var foretold = []column{
	{title: "predicted, requests/s", cell: prediction},
	{title: "measured", cell: plain(func(f *result.Figures) string { return rate(f.PerSecond) })},
	{title: "off", cell: off(func(f *result.Figures) *float64 { return f.PerSecond })},
	{title: "predicted, mean", cell: foretells(func(f *result.Figures) string { return latency(f.Mean) })},
	{title: "measured", cell: plain(func(f *result.Figures) string { return latency(f.Mean) })},
	{title: "off", cell: off(func(f *result.Figures) *float64 { return known(f.Mean) })},
	{title: "predicted, longest", cell: foretells(func(f *result.Figures) string { return latency(f.Longest) })},
	{title: "measured", cell: plain(func(f *result.Figures) string { return latency(f.Longest) })},
	{title: "off", cell: off(func(f *result.Figures) *float64 { return known(f.Longest) })},
	{title: "predicted, refused", cell: foretells(refusedShare)},
	{title: "measured", cell: plain(refusedShare)},
}

func foretells(text func(*result.Figures) string) func(*result.Row) cell {
	return func(row *result.Row) cell {
		if row.Prediction == nil {
			return cell{text: unknown}
		}
		return cell{text: text(row.Prediction)}
	}
}

// off returns the relative difference of a measured figure from its prediction, in percent.
func off(figure func(*result.Figures) *float64) func(*result.Row) cell {
	return func(row *result.Row) cell {
		if row.Prediction == nil {
			return cell{text: unknown}
		}
		predicted, measured := figure(row.Prediction), figure(&row.Total)
		if predicted == nil || measured == nil || *predicted == 0 {
			return cell{text: unknown}
		}
		return cell{text: signed(100 * (*measured / *predicted - 1))}
	}
}

// known returns a latency in seconds, or nil if it is unknown or only a lower bound.
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

// confidence returns half of the confidence interval in percent of the rate: ±0.1%.
func confidence(f *result.Figures) string {
	if f.PerSecond == nil || f.LowSecond == nil || f.HighSecond == nil || *f.PerSecond == 0 {
		return unknown
	}
	half := max(*f.HighSecond-*f.PerSecond, *f.PerSecond-*f.LowSecond) / *f.PerSecond
	return "±" + decimal(math.Max(100*half, 0.01), 2) + "%"
}

// moodOf returns the emphasis of a row's name.
func moodOf(row *result.Row) mood {
	switch {
	case row.Failure != "" || !row.Trusted:
		return alarmed
	case row.Cut:
		return careful
	}
	return calm
}

package report

import (
	"io"

	"demo-server/bench/result"
)

// CostText writes the table of what a blocked request costs, and what there is to know of each mode.
func CostText(w io.Writer, r *result.Result, o Options) error {
	t := &writer{Options: o}
	var rows [][]cell
	for i := range r.Costs {
		rows = append(rows, costCells(&r.Costs[i]))
	}
	var heads []string
	for _, column := range costColumns {
		heads = append(heads, column.head)
	}
	t.table(heads, rows)
	t.costNotes(r.Costs)
	t.verdict(r)
	return t.flush(w)
}

// A costColumn is one of the table of costs.
type costColumn struct {
	head, title string // in a terminal, on the page
	text        func(*result.Cost) string
}

// costColumns are those of the table of costs, after the name.
var costColumns = []costColumn{
	{"blocked", "blocked at the same time", func(c *result.Cost) string { return count(c.InFlight) }},
	{"of these\nqueued", "of these queued", func(c *result.Cost) string { return count(c.Queued) }},
	{"bytes\n/req", "bytes per request", func(c *result.Cost) string { return figure(c.BytesPerRequest) }},
	{"gorou-\ntines", "goroutines per request", func(c *result.Cost) string { return scaled(c.GoroutinesPer, 1) }},
	{"OS\nthreads", "OS threads per request", func(c *result.Cost) string { return scaled(c.ThreadsPer, 1) }},
	{"late\np50", "lateness, p50", func(c *result.Cost) string { return duration(c.LatenessP50) }},
	{"late\np99", "lateness, p99", func(c *result.Cost) string { return duration(c.LatenessP99) }},
	{"CPU µs\n/req", "CPU per request without a delay, µs", func(c *result.Cost) string {
		return scaled(c.CPUPerRequest, 1e6)
	}},
	{"req/s\nno delay", "requests/s without a delay", func(c *result.Cost) string { return rate(c.PerSecondAtNoWait) }},
}

// costCells are a line of the table, the name first. Of a mode that failed before, what was not measured is not 0.
func costCells(c *result.Cost) []cell {
	if c.Failure == "" {
		cells := []cell{{text: c.Name}}
		for _, column := range costColumns {
			cells = append(cells, cell{text: column.text(c)})
		}
		return cells
	}
	cells := []cell{{text: c.Name, mood: alarmed}}
	for _, column := range costColumns {
		text := column.text(c)
		if text == "0" {
			text = unknown
		}
		cells = append(cells, cell{text: text})
	}
	return cells
}

func (t *writer) costNotes(costs []result.Cost) {
	noted := false
	for i := range costs {
		c := &costs[i]
		if len(c.Notes) == 0 && c.Failure == "" {
			continue
		}
		if !noted {
			t.section("Notes")
			noted = true
		}
		for _, note := range c.Notes {
			t.say(c.Name, calm, note)
		}
		if c.Failure != "" {
			t.failure(c.Name, c.Failure)
		}
	}
}

// duration writes a number of seconds that may be unknown.
func duration(s *float64) string {
	if s == nil {
		return unknown
	}
	return seconds(*s)
}

package report

import (
	"io"

	"demo-server/bench/result"
)

// CostText writes the table of the costs of a blocked request, notes on the modes, and the verdict.
func CostText(w io.Writer, r *result.Result, o Options) error {
	t := &writer{Options: o}
	t.section(measured(r))
	t.costTables(r.Costs)
	t.costLegend()
	t.costNotes(r.Costs)
	t.verdict(r)
	return t.flush(w)
}

// A costColumn describes one column of the table of costs.
type costColumn struct {
	head, title string // in a terminal, on the page
	text        func(*result.Cost) string
	hint        string // name of a column that a terminal shows only with --wide; else empty
}

// costColumns lists the columns of the table of costs, after the name.
var costColumns = []costColumn{
	{"requests\nblocked", "blocked at the same time", func(c *result.Cost) string { return count(c.InFlight) }, ""},
	{"of these\nqueued", "of these queued", func(c *result.Cost) string { return count(c.Queued) }, "the number of queued requests"},
	{"bytes/\nrequest", "bytes per request", func(c *result.Cost) string { return figure(c.BytesPerRequest) }, ""},
	{"goroutines\n/request", "goroutines per request", func(c *result.Cost) string { return perRequest(c.GoroutinesPer) }, ""},
	{"threads\n/request", "OS threads per request", func(c *result.Cost) string { return perRequest(c.ThreadsPer) }, ""},
	{"late by\np50", "lateness, p50", func(c *result.Cost) string { return duration(c.LatenessP50) }, "the p50 of late by"},
	{"late by\np99", "lateness, p99", func(c *result.Cost) string { return duration(c.LatenessP99) }, ""},
	{"CPU µs/\nrequest", "CPU per request without a delay, µs", func(c *result.Cost) string {
		return scaled(c.CPUPerRequest, 1e6)
	}, ""},
	{"requests\n/s", "requests/s without a delay", func(c *result.Cost) string { return rate(c.PerSecondAtNoWait) }, ""},
}

// atNoDelay is the number of columns at the end of costColumns that come from a separate run without a delay.
const atNoDelay = 2

// costTables writes one table, or two if not all columns fit into one.
func (t *writer) costTables(costs []result.Cost) {
	heads, rows := t.costTable(costs, costColumns)
	if t.fits(heads, rows) {
		t.table(heads, rows)
		return
	}
	split := len(costColumns) - atNoDelay
	heads, rows = t.costTable(costs, costColumns[:split])
	t.titled("While requests block", heads, rows)
	heads, rows = t.costTable(costs, costColumns[split:])
	t.titled("Without a delay", heads, rows)
}

// costTable returns heads and lines of columns. Without --wide, it leaves out columns with a hint.
func (t *writer) costTable(costs []result.Cost, columns []costColumn) (heads []string, rows [][]cell) {
	for i := range costs {
		rows = append(rows, []cell{costName(&costs[i])})
	}
	for _, column := range columns {
		if column.hint != "" && !t.Wide {
			continue
		}
		heads = append(heads, column.head)
		for i := range costs {
			rows[i] = append(rows[i], column.cell(&costs[i]))
		}
	}
	return heads, rows
}

// costLegend writes the meaning of the columns, and which columns are hidden.
func (t *writer) costLegend() {
	t.section("")
	t.say("", calm, "bytes, goroutines, threads: growth of the server, divided by the requests blocked in it at the same time.")
	t.say("", calm, "late by: time from the end of its delay to the end of a request's work.")
	t.say("", calm, "CPU, requests/s: from a run of its own, without a delay, on kept connections.")
	var hidden []string
	for _, column := range costColumns {
		if column.hint != "" && !t.Wide {
			hidden = append(hidden, column.hint)
		}
	}
	if hidden != nil {
		t.say("", calm, "--wide adds "+list(hidden)+".")
	}
}

// costCells returns a line of the table, with the name first.
func costCells(c *result.Cost) []cell {
	cells := []cell{costName(c)}
	for _, column := range costColumns {
		cells = append(cells, column.cell(c))
	}
	return cells
}

func costName(c *result.Cost) cell {
	if c.Failure != "" {
		return cell{text: c.Name, mood: alarmed}
	}
	return cell{text: c.Name}
}

// cell returns the cell of a row. If the measurement failed, 0 becomes unknown.
func (column costColumn) cell(c *result.Cost) cell {
	text := column.text(c)
	if c.Failure != "" && text == "0" {
		text = unknown
	}
	return cell{text: text}
}

func (t *writer) costNotes(costs []result.Cost) {
	var notes []note
	var failures []failure
	for _, c := range costs {
		for _, text := range c.Notes {
			notes = append(notes, note{c.Name, calm, text})
		}
		if c.Failure != "" {
			failures = append(failures, failure{c.Name, c.Failure})
		}
	}
	t.notes(notes, failures)
}

// duration formats seconds, or returns unknown for nil.
func duration(s *float64) string {
	if s == nil {
		return unknown
	}
	return seconds(*s)
}

package report

import (
	"fmt"
	"io"
	"slices"
	"time"

	"demo-server/bench/result"
)

// PlanText writes the planned run, the predictions, and when the run will end. plan is a result without measurements
// whose times are the expected ones. Text continues where PlanText ends.
func PlanText(w io.Writer, plan *result.Result, now time.Time, o Options) error {
	t := &writer{Options: o}
	t.header(plan)
	if m := result.MatrixOf(plan.Rows); m != nil {
		t.across(m, "Predicted requests/s", orAbsent(prediction))
	} else {
		t.predictions(plan.Rows)
	}
	t.section("")
	t.planNotes(plan.Rows)
	end := now.Add(time.Duration(plan.TookSeconds * float64(time.Second)))
	t.say("", calm, fmt.Sprintf("All of it takes about %s, until %s.", span(plan.TookSeconds), end.Format(time.TimeOnly)))
	t.left(plan.Left)
	t.section("")
	return t.flush(w)
}

// header writes the description of the run, with short labels in a column of their own.
func (t *writer) header(r *result.Result) {
	const longest = 14 // width of a label with two spaces
	lines := slices.Concat(header(r), rowMeanings(r.Rows))
	indent := 0
	for _, line := range lines {
		if width := textWidth(line.Label) + 2; width <= longest {
			indent = max(indent, width)
		}
	}
	for _, line := range lines {
		t.labelled(line, indent)
	}
}

// planColumns lists the columns of the table of predictions, after the name.
var planColumns = []column{
	{head: "predicted\nrequests/s", cell: prediction},
	{head: "latency\nmean", rank: 2, cell: foretells(func(f *result.Figures) string { return latency(f.Mean) })},
	{head: "latency\nlongest", rank: 1, cell: foretells(func(f *result.Figures) string { return latency(f.Longest) })},
	{head: "refused", rank: 3, zero: true, cell: foretells(refusedShare)},
	{head: "takes", rank: 4, cell: takes},
	{head: "capacity", rank: 5, cell: capacity},
}

// predictions writes the table of predictions.
func (t *writer) predictions(rows []result.Row) {
	columns := shown(planColumns, rows)
	if takeTheSame(rows) { // the total is enough then
		columns = slices.DeleteFunc(columns, func(c column) bool { return c.head == "takes" })
	}
	named := func(row *result.Row) string { return row.Name }
	heads, lines := laidOut(t.roomy(columns, rows, named), rows, named)
	t.table(heads, lines)
}

// takeTheSame reports whether the repeats of all rows take equally long.
func takeTheSame(rows []result.Row) bool {
	return !slices.ContainsFunc(rows, func(row result.Row) bool { return takes(&row).text != takes(&rows[0]).text })
}

// takes returns how long a repeat of the row takes.
func takes(row *result.Row) cell {
	c := cell{text: span(row.Total.TookSeconds)}
	if row.Cut {
		c.mood = careful
	}
	return c
}

// capacity returns how many requests a server handles in each delay, in words.
func capacity(row *result.Row) cell {
	switch {
	case row.Bound != "":
		return cell{text: row.Bound}
	case row.Prediction != nil:
		return cell{text: "unlimited"}
	}
	return cell{text: unknown}
}

// planNotes writes which rows have no prediction and why, and which rows will be cut off.
func (t *writer) planNotes(rows []result.Row) {
	var notes []note
	for _, row := range rows {
		if row.Why != "" {
			notes = append(notes, note{row.Name, calm, "no prediction: " + row.Why})
		}
		if row.Cut {
			notes = append(notes, note{row.Name, careful, "would take longer, and is cut off after " + span(row.Total.TookSeconds)})
		}
	}
	for _, g := range groupNotes(notes) {
		t.say(t.folded(g.names), g.mood, g.text())
	}
}

func rounds(n int) string {
	if n == 1 {
		return "1 round"
	}
	return fmt.Sprintf("%d rounds", n)
}

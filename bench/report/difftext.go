package report

import (
	"fmt"
	"io"
	"math"
	"slices"

	"demo-server/bench/result"
)

// DiffText writes how two runs compare. Each comparison is of a row of the old run, A, with one of the new run, B.
func DiffText(w io.Writer, older, newer *result.Result, comparisons []result.Comparison, o Options) error {
	t := &writer{Options: o}
	var rows [][]cell
	for _, c := range comparisons {
		rows = append(rows, diffCells(older, newer, c))
	}
	t.table([]string{"old\nreq/s", "new\nreq/s", "change", "low", "high", "verdict"}, rows)
	t.unlike(older, newer, comparisons)
	return t.flush(w)
}

func diffCells(older, newer *result.Result, c result.Comparison) []cell {
	name, mood := c.A, calm
	if c.B != c.A {
		name += " → " + c.B
	}
	if c.Verdict == result.Different {
		mood = careful
	}
	change, low, high := unknown, unknown, unknown
	if c.Rounds > 0 {
		change = percent(c.Ratio)
	}
	if c.Rounds > 1 {
		low, high = percent(c.Low), percent(c.High)
	}
	return []cell{
		{text: name}, {text: perSecond(older, c.A)}, {text: perSecond(newer, c.B)}, {text: change, mood: mood}, {text: low}, {text: high},
		{text: c.Verdict, mood: mood},
	}
}

// percent writes a ratio as the change that it is: +1.2%.
func percent(ratio float64) string {
	change := 100 * (ratio - 1)
	if !(math.Abs(change) < mostPlain) {
		return decimal(change, 4) + "%"
	}
	return fmt.Sprintf("%+.1f%%", change)
}

func perSecond(r *result.Result, name string) string {
	if i := slices.IndexFunc(r.Rows, func(row result.Row) bool { return row.Name == name }); i >= 0 {
		return rate(r.Rows[i].Total.PerSecond)
	}
	return unknown
}

// unlike says what else the runs differ in: a comparison means little where that is more than the program.
func (t *writer) unlike(older, newer *result.Result, comparisons []result.Comparison) {
	t.section("")
	t.say("", calm, fmt.Sprintf("old: %s, %s; new: %s, %s",
		older.Version, when(older.Started), newer.Version, when(newer.Started)))
	if older.Machine != newer.Machine {
		t.say("", careful, fmt.Sprintf("The machines differ: %s; %s.",
			machineInWords(older.Machine), machineInWords(newer.Machine)))
	}
	if older.Load != newer.Load {
		t.say("", careful, fmt.Sprintf("The loads differ: %s. %s.", loadInWords(older.Load), loadInWords(newer.Load)))
	}
	for _, side := range []struct {
		run  string
		rows []result.Row
		name func(result.Comparison) string
	}{
		{"old", older.Rows, func(c result.Comparison) string { return c.A }},
		{"new", newer.Rows, func(c result.Comparison) string { return c.B }},
	} {
		for _, row := range side.rows {
			if !slices.ContainsFunc(comparisons, func(c result.Comparison) bool { return side.name(c) == row.Name }) {
				t.say(row.Name, absent, "only in the "+side.run+" run, or not measured in the other")
			}
		}
	}
}

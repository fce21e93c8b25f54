package report

import (
	"fmt"
	"slices"
	"strings"

	"demo-server/bench/result"
)

// A step is a range of shares with its own shade. The figure stands in each cell as well.
type step struct {
	least float64 // smallest share of the range
	words string
	code  string // SGR background and text colours, legible on any terminal
}

// steps lists the steps from the faintest to the strongest. The page has a class for each, h0 to h4.
var steps = []step{
	{0, "under 5%", "48;5;255;38;5;16"},
	{0.05, "5% to 20%", "48;5;195;38;5;16"},
	{0.20, "20% to 50%", "48;5;153;38;5;16"},
	{0.50, "50% to 90%", "48;5;111;38;5;16"},
	{0.90, "90% and more", "48;5;33;38;5;16"},
}

// stepOf returns the index of a share's step. It rounds as the table does: 89.96% is 90.0%.
func stepOf(part float64) int {
	for i := len(steps) - 1; i > 0; i-- {
		if part+0.0005 >= steps[i].least {
			return i
		}
	}
	return 0
}

// heatTitle is the title of the heat table.
const heatTitle = "Share of the client's ceiling"

// heatCell returns the heat table's cell of a row. A nil row is missing from the matrix.
func heatCell(row *result.Row) cell {
	if row == nil {
		return cell{text: unknown, mood: absent}
	}
	part := row.Total.Share()
	if part == nil {
		return cell{text: unknown, mood: moodOf(row)}
	}
	c := cell{text: share(*part), mood: moodOf(row), shade: 1 + stepOf(*part)}
	if predicted := row.Prediction.Share(); predicted != nil {
		c.small = share(*predicted) + " predicted"
	}
	return c
}

// matrix writes the main figures, with servers down and kinds of work across. --wide adds a table for each kind of
// work.
func (t *writer) matrix(m *result.Matrix, r *result.Result) {
	t.across(m, heatTitle, func(row *result.Row) cell {
		c := heatCell(row)
		c.text = fmt.Sprintf("%6s", c.text) // equal widths for the shades
		return c
	})
	hidden := []string{"a table for each kind of work"}
	if t.Wide {
		hidden = nil
		for _, kind := range m.Kinds {
			t.section("Work: " + kind)
			t.rows(ofKind(r.Rows, kind), r.Load, (*result.Row).Server)
		}
	} else {
		p99 := marking(r.Load, wait(func(f *result.Figures) *result.Latency { return f.P99 }))
		t.across(m, "Latency, p99", orAbsent(p99))
		t.trouble(m, r)
	}
	if others := ofKind(r.Rows, ""); others != nil {
		t.section("Servers whose work is not known")
		t.rows(others, r.Load, (*result.Row).Server)
	}
	t.legend(r, hidden)
}

// trouble writes the numbers of failed or refused requests, if there are any.
func (t *writer) trouble(m *result.Matrix, r *result.Result) {
	bad := func(c result.Counts) int { return c.Failed + c.Refused }
	if !slices.ContainsFunc(r.Rows, func(row result.Row) bool { return row.Work != "" && bad(row.Total.Counts) > 0 }) {
		return
	}
	t.across(m, "Failed or refused", orAbsent(requestsThat(bad, alarmed)))
}

// orAbsent returns of, extended by a cell for nil rows.
func orAbsent(of func(*result.Row) cell) func(*result.Row) cell {
	return func(row *result.Row) cell {
		if row == nil {
			return cell{text: unknown, mood: absent}
		}
		return of(row)
	}
}

func ofKind(rows []result.Row, kind string) (some []result.Row) {
	for _, row := range rows {
		if row.Work == kind {
			some = append(some, row)
		}
	}
	return some
}

// across writes a table with servers down and kinds of work across.
func (t *writer) across(m *result.Matrix, title string, of func(*result.Row) cell) {
	var lines [][]cell
	for _, server := range m.Servers {
		line := []cell{{text: server}}
		for _, kind := range m.Kinds {
			line = append(line, of(m.At(server, kind)))
		}
		lines = append(lines, line)
	}
	t.titled(title, m.Kinds, lines)
}

// heatTable returns the heat table of the page. ok is false if the result is not a matrix.
func heatTable(r *result.Result) (table pageTable, ok bool) {
	m := result.MatrixOf(r.Rows)
	if m == nil {
		return pageTable{}, false
	}
	table = pageTable{
		Title: heatTitle, Heads: m.Kinds,
		Notes: []string{"Each cell is a server (down) with a kind of work (across): the share of the ceiling that it served, and" +
			" below it the share that theory predicts."},
	}
	for i, s := range steps {
		table.Legend = append(table.Legend, legendItem{Class: shadeClass(i + 1), Text: s.words})
	}
	var lines []tableLine
	for _, server := range m.Servers {
		line := tableLine{Name: server}
		for _, kind := range m.Kinds {
			row := m.At(server, kind)
			if line.About == "" && row != nil {
				line.About = row.About
			}
			line.Cells = append(line.Cells, pageHeatCell(row))
		}
		lines = append(lines, line)
	}
	table.Groups = []tableGroup{{Lines: lines}}
	table.explain()
	return table, true
}

// pageHeatCell returns a heat cell with its row's problems in words, because badges do not fit into the table.
func pageHeatCell(row *result.Row) pageCell {
	c := pageCellOf(heatCell(row))
	if row == nil {
		return c
	}
	for _, b := range badges(row) {
		c.Small += "\n" + b.Text
	}
	c.Small = strings.TrimSpace(c.Small)
	return c
}

// A legendItem holds a shade and its meaning.
type legendItem struct{ Class, Text string }

// shadeClass returns the CSS class of a cell's shade, which counts from 1.
func shadeClass(shade int) string { return fmt.Sprintf("h%d", shade-1) }

package report

import (
	"slices"
	"strings"

	"demo-server/bench/result"
)

// A pageTable has a line for each row of the result, or for each server's cost.
type pageTable struct {
	Title  string
	Notes  []string     // sentences above the table
	Legend []legendItem // of a heat table, else nil
	Heads  []string
	Groups []tableGroup
	Marks  []string // meanings of the signs in it
}

// A tableGroup holds the lines of a kind of work.
type tableGroup struct {
	Title string // empty for the only group
	Lines []tableLine
}

// A tableLine has a cell for each of the table's heads.
type tableLine struct {
	Name, About string
	Badges      []badge
	Cells       []pageCell
}

// A pageCell holds a table cell. Small stands below the text.
type pageCell struct{ Text, Small, Class string }

// Columns returns the number of columns, with the one for names.
func (t *pageTable) Columns() int { return len(t.Heads) + 1 }

// pageCellOf returns the cell with its CSS classes.
func pageCellOf(c cell) pageCell {
	class := c.mood.class()
	if c.shade > 0 {
		class = strings.TrimSpace(shadeClass(c.shade) + " " + class)
	}
	return pageCell{c.text, c.small, class}
}

// class returns the CSS class of a mood.
func (m mood) class() string {
	return [...]string{calm: "", careful: "careful", alarmed: "alarmed", absent: "absent"}[m]
}

// tableOf returns the table of all rows. It leaves out columns without any known figure.
func tableOf(r *result.Result, title string, columns []column) pageTable {
	t := pageTable{Title: title}
	var known []column
	for _, column := range columns {
		if slices.ContainsFunc(r.Rows, func(row result.Row) bool { return column.pageCell(&row, r.Load).Text != unknown }) {
			known = append(known, column)
			t.Heads = append(t.Heads, column.pageTitle(r.Load))
		}
	}
	for _, g := range groupsOf(r.Rows) {
		group := tableGroup{Title: g.title}
		for _, e := range g.entries {
			line := tableLine{Name: e.name, About: e.About, Badges: badges(e.Row)}
			for _, column := range known {
				line.Cells = append(line.Cells, column.pageCell(e.Row, r.Load))
			}
			group.Lines = append(group.Lines, line)
		}
		t.Groups = append(t.Groups, group)
	}
	t.explain()
	if t.has(func(c pageCell) bool { return strings.HasSuffix(c.Text, mark) }) {
		t.Marks = append(t.Marks, mark+" "+mixedNote(r.Load)+".")
	}
	return t
}

// pageTitle returns the title of a column on the page.
func (c column) pageTitle(l result.Load) string {
	if c.title == "failed" {
		return failedTitle(l)
	}
	return c.title
}

// failedTitle returns the name of failed requests. ab and wrk count refusals as failures.
func failedTitle(l result.Load) string {
	if l.Generator != "builtin" {
		return "failed or refused"
	}
	return "failed"
}

// pageCell returns the cell of a row. For ab and wrk, it marks latencies that include failed requests, and shows
// refusals as unknown.
func (c column) pageCell(row *result.Row, l result.Load) pageCell {
	show := c.cell
	switch {
	case l.Generator == "builtin":
	case c.shows(row, func(f *result.Figures) { f.Refused, f.RefusedShare = f.Refused+1, result.Number(0.5) }):
		return pageCell{Text: unknown}
	case c.shows(row, func(f *result.Figures) { f.Mean, f.P50, f.P90, f.P99, f.Longest = nil, nil, nil, nil, nil }):
		show = marking(l, show)
	}
	return pageCellOf(show(row))
}

// shows reports whether the column shows a measured figure that change modifies.
func (c column) shows(row *result.Row, change func(*result.Figures)) bool {
	changed := *row
	change(&changed.Total)
	return c.cell(&changed).text != c.cell(row).text
}

// explain adds the meanings of the signs in the table.
func (t *pageTable) explain() {
	if t.has(func(c pageCell) bool { return c.Text == unknown }) {
		t.Marks = append(t.Marks, unknown+" not known.")
	}
	if t.has(func(c pageCell) bool { return strings.HasPrefix(c.Text, ">") }) {
		t.Marks = append(t.Marks, "> at least that: replies were still missing when the measurement ended.")
	}
}

func (t *pageTable) has(is func(pageCell) bool) bool {
	return slices.ContainsFunc(t.Groups, func(g tableGroup) bool {
		return slices.ContainsFunc(g.Lines, func(l tableLine) bool { return slices.ContainsFunc(l.Cells, is) })
	})
}

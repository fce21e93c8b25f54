package report

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// table writes as many tables as the width requires, each with the names first.
func (t *writer) table(heads []string, rows [][]cell) { t.titled("", heads, rows) }

// titled is table with a title above each table.
func (t *writer) titled(title string, heads []string, rows [][]cell) {
	if len(rows) == 0 {
		return
	}
	longest := longestName(rows)
	for from := 0; from < len(heads); {
		to, gap := fit(widths(heads, rows, from), t.width()-min(longest, leastName))
		to += from
		used := 0
		for _, width := range widths(heads, rows, from)[:to-from] {
			used += width + gap
		}
		if title != "" && from == 0 {
			t.section(title)
		} else if title != "" {
			t.section(title + ", continued")
		}
		t.section("")
		t.part(heads[from:to], rows, from, gap, min(longest, t.width()-used))
		from = to
	}
}

// fits reports whether all columns fit into one table.
func (t *writer) fits(heads []string, rows [][]cell) bool {
	if len(heads) == 0 {
		return true
	}
	n, _ := fit(widths(heads, rows, 0), t.width()-min(longestName(rows), leastName))
	return n == len(heads)
}

func longestName(rows [][]cell) (longest int) {
	for _, row := range rows {
		longest = max(longest, text.StringWidth(clean(row[0].text)))
	}
	return longest
}

// fit returns how many columns fit next to the name, at least one, and the number of spaces between columns.
func fit(widths []int, room int) (n, gap int) {
	const narrow, wide = 1, 2
	total := 0
	for _, width := range widths {
		total += width
	}
	if total+wide*len(widths) <= room {
		return len(widths), wide
	}
	used := 0
	for used += widths[0] + narrow; n < len(widths) && (n == 0 || used <= room); used += narrow {
		if n++; n < len(widths) {
			used += widths[n]
		}
	}
	return n, narrow
}

// widths returns the widths of the columns from index from on.
func widths(heads []string, rows [][]cell, from int) (all []int) {
	for i := from; i < len(heads); i++ {
		width := text.LongestLineLen(heads[i])
		for _, row := range rows {
			width = max(width, text.StringWidth(row[i+1].text))
		}
		all = append(all, width)
	}
	return all
}

// part writes one table.
func (t *writer) part(heads []string, rows [][]cell, from, gap, name int) {
	out := table.NewWriter()
	header := table.Row{""}
	configs := []table.ColumnConfig{{Number: 1}}
	for i, head := range heads {
		header = append(header, head)
		configs = append(configs, table.ColumnConfig{
			Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight, VAlignHeader: text.VAlignBottom,
		})
	}
	out.AppendHeader(header)
	for _, row := range rows {
		line := table.Row{t.paint(broken(clean(row[0].text), name), row[0].mood)}
		for _, cell := range row[from+1 : from+1+len(heads)] {
			line = append(line, t.shade(cell))
		}
		out.AppendRow(line)
	}
	out.SetColumnConfigs(configs)
	out.SetStyle(light(gap))
	out.SuppressTrailingSpaces()
	for line := range strings.Lines(out.Render()) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, rule) { // it includes the last column's padding
			line = strings.TrimSuffix(line, strings.Repeat(rule, gap))
		}
		fmt.Fprintln(&t.out, line)
	}
}

// rule is the character of the line below the heads.
const rule = "─"

// light returns a table style whose only line is below the heads.
func light(gap int) table.Style {
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", gap)
	return style
}

// broken breaks a name into lines of at most width characters, after punctuation if possible. A line has at least one
// character, however small width is.
func broken(name string, width int) string {
	var lines []string
	line, used := "", 0
	for _, piece := range pieces(name) {
		if used > 0 && used+text.StringWidth(piece) > width {
			lines, line, used = append(lines, line), "", 0
		}
		from := 0
		for at, r := range piece {
			wide := text.RuneWidth(r)
			if used > 0 && used+wide > width {
				lines, line, from, used = append(lines, line+piece[from:at]), "", at, 0
			}
			used += wide
		}
		line += piece[from:]
	}
	return strings.Join(append(lines, line), "\n")
}

// pieces returns the parts of a name that should stay whole.
func pieces(name string) (parts []string) {
	for name != "" {
		end := strings.IndexAny(name, ",-(:/") + 1
		if end == 0 {
			end = len(name)
		}
		parts = append(parts, name[:end])
		name = name[end:]
	}
	return parts
}

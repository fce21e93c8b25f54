package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"demo-server/bench/result"
)

// Options say what a terminal can do.
type Options struct {
	Color bool
	Width int // in characters; 0 is 100
}

const (
	usualWidth = 100
	leastWidth = 40 // narrower, a table would be cut to single letters
	leastName  = 12 // characters of a name before it is broken
)

func (o Options) width() int {
	if o.Width == 0 {
		return usualWidth
	}
	return max(o.Width, leastWidth)
}

// paint colours a text, where that was asked for. It says nothing that the text does not say as well.
func (o Options) paint(text string, m mood) string {
	code := [...]string{calm: "", careful: "33", alarmed: "31", absent: "2"}[m]
	if !o.Color || code == "" || text == "" {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = "\x1b[" + code + "m" + line + "\x1b[0m"
	}
	return strings.Join(lines, "\n")
}

// shade paints a cell, with the background of its step where it has one.
func (o Options) shade(c cell) string {
	if !o.Color || c.shade == 0 {
		return o.paint(c.text, c.mood)
	}
	return "\x1b[" + steps[c.shade-1].code + "m" + c.text + "\x1b[0m"
}

// Text writes the table of the rows, what there is to know of each, and the verdict.
func Text(w io.Writer, r *result.Result, o Options) error {
	t := &writer{Options: o}
	if m := result.MatrixOf(r.Rows); m != nil {
		t.matrix(m, r.Rows)
	} else {
		t.rows(r.Rows, func(row *result.Row) string { return row.Name })
	}
	t.notes(r)
	t.left(r.Left)
	t.verdict(r)
	return t.flush(w)
}

// rows writes the table of some rows, under what names them.
func (t *writer) rows(rows []result.Row, named func(*result.Row) string) {
	var heads []string
	var lines [][]cell
	for i := range rows {
		lines = append(lines, []cell{{text: named(&rows[i]), mood: moodOf(&rows[i])}})
	}
	for _, column := range slices.Concat(served, taken, []column{theory}) {
		if column.head == "" {
			continue
		}
		heads = append(heads, column.head)
		for i := range rows {
			lines[i] = append(lines[i], column.cell(&rows[i]))
		}
	}
	t.table(heads, lines)
}

// A writer gathers what is written: of several sections there is an empty line between two.
type writer struct {
	Options
	out strings.Builder
}

func (t *writer) flush(w io.Writer) error {
	_, err := io.WriteString(w, t.out.String())
	return err
}

func (t *writer) section(title string) {
	if t.out.Len() > 0 {
		t.out.WriteByte('\n')
	}
	if title != "" {
		fmt.Fprintln(&t.out, title)
	}
}

// table writes as many tables as it takes for the width, each with the names in front.
func (t *writer) table(heads []string, rows [][]cell) {
	if len(rows) == 0 {
		return
	}
	longest := 0
	for _, row := range rows {
		longest = max(longest, text.StringWidth(clean(row[0].text)))
	}
	for from := 0; from < len(heads); {
		room := t.width() - min(longest, leastName)
		to, gap := fit(widths(heads, rows, from), room)
		to += from
		used := 0
		for _, width := range widths(heads, rows, from)[:to-from] {
			used += width + gap
		}
		t.section("")
		t.part(heads[from:to], rows, from, gap, min(longest, t.width()-used))
		from = to
	}
}

// fit returns how many columns have room beside the name, at least one, and how many spaces are between two.
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

// widths are those of the columns from one on.
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
		if strings.HasPrefix(line, rule) { // it goes on below the padding of the last column
			line = strings.TrimSuffix(line, strings.Repeat(rule, gap))
		}
		fmt.Fprintln(&t.out, line)
	}
}

// rule is what the line under the head is made of.
const rule = "─"

// light is a table without lines but one under its head.
func light(gap int) table.Style {
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", gap)
	return style
}

// broken breaks a name over lines of so many characters, after punctuation where there is some. A line has one character
// at least, however narrow it should be.
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

// pieces are the parts of a name that should stay whole.
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

// say writes a sentence, or what there is to say of a name, in as many lines as it takes.
func (t *writer) say(name string, m mood, sentence string) {
	if name != "" {
		name = clean(name) + ":"
		sentence = name + " " + sentence
	}
	indent := "  "
	for i, line := range strings.Split(text.WrapSoft(clean(sentence), min(t.width(), usualWidth)-4), "\n") {
		line = strings.TrimRight(line, " ")
		if rest, whole := strings.CutPrefix(line, name); i == 0 && whole {
			line = t.paint(name, m) + rest
		}
		fmt.Fprintln(&t.out, indent+line)
		indent = "    "
	}
}

// notes says what there is to know of each row.
func (t *writer) notes(r *result.Result) {
	if !slices.ContainsFunc(r.Rows, func(row result.Row) bool { return len(row.Notes) > 0 || row.Failure != "" }) &&
		intervals(r.Rows) == "" {
		return
	}
	t.section("Notes")
	for i := range r.Rows {
		row := &r.Rows[i]
		for _, note := range row.Notes {
			t.say(row.Name, moodOf(row), note)
		}
		if row.Failure != "" {
			t.failure(row.Name, row.Failure)
		}
	}
	if all := intervals(r.Rows); all != "" {
		t.say("", calm, all)
	}
}

// failure is a reason, and the last lines of a log.
func (t *writer) failure(name, failure string) {
	reason, log, _ := strings.Cut(failure, "\n")
	t.say(name, alarmed, reason)
	for line := range strings.Lines(log) {
		for _, line := range strings.Split(text.WrapHard(clean(strings.TrimSpace(line)), t.width()-6), "\n") {
			fmt.Fprintln(&t.out, t.paint("    | "+line, absent))
		}
	}
}

// intervals are the confidence intervals, for which the table has no room.
func intervals(rows []result.Row) string {
	var all []string
	for i := range rows {
		if half := confidence(&rows[i].Total); half != unknown {
			all = append(all, rows[i].Name+" "+rate(rows[i].Total.PerSecond)+" "+half)
		}
	}
	if all == nil {
		return ""
	}
	return "requests/s with 95% confidence: " + strings.Join(all, ", ")
}

// left names the rows that were not measured.
func (t *writer) left(left []result.Left) {
	if len(left) == 0 {
		return
	}
	t.section("Left out")
	for _, l := range left {
		t.say(l.Name, absent, l.Why)
	}
}

func (t *writer) verdict(r *result.Result) {
	if r.Interrupted {
		t.section("")
		t.say("", calm, "Interrupted: this is what was measured until then.")
	}
	if len(r.Verdict) == 0 {
		return
	}
	t.section("Verdict")
	for _, sentence := range r.Verdict {
		t.say("", calm, sentence)
	}
}

package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"demo-server/bench/result"
)

// Options describe a terminal and how much to show.
type Options struct {
	Color bool
	Width int  // in characters; 0 means 80
	Wide  bool // show all columns, in as many tables as necessary
}

const (
	usualWidth = 80
	widestText = 100 // longer lines do not make sentences easier to read
	leastWidth = 40  // narrower tables would break words into letters
	leastName  = 12  // minimum space for a name, in characters
)

func (o Options) width() int {
	if o.Width == 0 {
		return usualWidth
	}
	return max(o.Width, leastWidth)
}

// paint colours a text if o.Color is set. The text must be clear without the colour.
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

// shade paints a cell with the background of its step, if it has one.
func (o Options) shade(c cell) string {
	if !o.Color || c.shade == 0 {
		return o.paint(c.text, c.mood)
	}
	return "\x1b[" + steps[c.shade-1].code + "m" + c.text + "\x1b[0m"
}

// Text writes the result: the table of rows, the notes on them, and the verdict. PlanText describes the run and what
// it leaves out, so Text does not.
func Text(w io.Writer, r *result.Result, o Options) error {
	t := &writer{Options: o}
	t.section(measured(r))
	if m := result.MatrixOf(r.Rows); m != nil {
		t.matrix(m, r)
	} else {
		hidden := t.rows(r.Rows, r.Load, func(row *result.Row) string { return row.Name })
		t.legend(r, hidden)
	}
	t.notes(notesOf(r.Rows), failuresOf(r.Rows))
	t.verdict(r)
	t.expectations(r.Expectations)
	return t.flush(w)
}

// measured returns the title of a result: its duration and number of cores.
func measured(r *result.Result) string {
	title := "Measured in " + span(r.TookSeconds)
	if r.Machine.Cores > 0 {
		title += " on " + plural(r.Machine.Cores, "core")
	}
	return title
}

// rows writes the table of rows. named returns the name of a row. rows returns the hints of hidden columns.
func (t *writer) rows(rows []result.Row, load result.Load, named func(*result.Row) string) (hidden []string) {
	columns := shown(columnsFor(load), rows)
	if t.Wide {
		t.groups(columns, rows, named)
		return nil
	}
	roomy := t.roomy(columns, rows, named)
	heads, lines := laidOut(roomy, rows, named)
	t.table(heads, lines)
	for _, c := range columns {
		if c.hint != "" && !slices.ContainsFunc(roomy, func(shown column) bool { return shown.title == c.title }) {
			hidden = append(hidden, c.hint)
		}
	}
	return hidden
}

// groups writes all columns: in one table if there is room, and otherwise in one table per group.
func (t *writer) groups(columns []column, rows []result.Row, named func(*result.Row) string) {
	heads, lines := laidOut(columns, rows, named)
	if t.fits(heads, lines) {
		t.table(heads, lines)
		return
	}
	for _, group := range []group{ofThroughput, ofLatency, ofCPU, ofMemory} {
		others := func(c column) bool { return c.group != group }
		heads, lines := laidOut(slices.DeleteFunc(slices.Clone(columns), others), rows, named)
		t.titled(string(group), heads, lines)
	}
}

// shown returns the columns with a figure in any row, and all columns of rank 0.
func shown(columns []column, rows []result.Row) []column {
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return c.rank > 0 && !slices.ContainsFunc(rows, func(row result.Row) bool {
			text := c.cell(&row).text
			return text != unknown && !(c.zero && (text == "0" || text == share(0)))
		})
	})
}

// roomy returns the columns that fit into one table. It removes columns of the highest rank first, from the right.
func (t *writer) roomy(columns []column, rows []result.Row, named func(*result.Row) string) []column {
	columns = slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.rank == onlyWide })
	for {
		heads, lines := laidOut(columns, rows, named)
		highest := 0
		for i := range columns {
			if columns[i].rank > 0 && columns[i].rank >= columns[highest].rank {
				highest = i
			}
		}
		if t.fits(heads, lines) || len(columns) == 0 || columns[highest].rank == 0 {
			return columns
		}
		columns = slices.Delete(columns, highest, highest+1)
	}
}

// laidOut returns the heads of columns, and a line of cells for each row, with its name first.
func laidOut(columns []column, rows []result.Row, named func(*result.Row) string) (heads []string, lines [][]cell) {
	for i := range rows {
		lines = append(lines, []cell{{text: named(&rows[i]), mood: moodOf(&rows[i])}})
	}
	for _, column := range columns {
		heads = append(heads, column.head)
		for i := range rows {
			lines[i] = append(lines[i], column.cell(&rows[i]))
		}
	}
	return heads, lines
}

// A writer collects the output. It puts an empty line between sections.
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

// say writes a sentence, after a name and a colon unless the name is empty. It wraps lines.
func (t *writer) say(name string, m mood, sentence string) {
	if name != "" {
		name = clean(name) + ":"
		sentence = name + " " + sentence
	}
	indent := "  "
	for i, line := range strings.Split(text.WrapSoft(clean(sentence), min(t.width(), widestText)-4), "\n") {
		line = strings.TrimRight(line, " ")
		if rest, whole := strings.CutPrefix(line, name); i == 0 && whole {
			line = t.paint(name, m) + rest
		}
		fmt.Fprintln(&t.out, indent+line)
		indent = "    "
	}
}

// legend writes below the tables which columns are hidden, and the meanings of marks.
func (t *writer) legend(r *result.Result, hidden []string) {
	t.section("")
	if slices.ContainsFunc(r.Rows, func(row result.Row) bool { return mixesLatencies(r.Load, &row) }) {
		t.say("", calm, mark+" "+mixedNote(r.Load))
	}
	if slices.ContainsFunc(r.Rows, beyond) {
		t.say("", calm, "> is for requests that had no reply yet when the measuring ended.")
	}
	if text := untroubled(r); text != "" {
		t.say("", calm, text)
	}
	if hidden != nil {
		t.say("", calm, "--wide adds "+strings.Join(hidden, ", ")+".")
	}
	if t.Wide && lacksMemory(r.Rows) {
		t.say("", calm, "Too few requests were in flight to measure the memory of one: see demo-server bench cost.")
	}
}

// beyond reports whether a latency of the row is only a lower bound.
func beyond(row result.Row) bool {
	return slices.ContainsFunc([]*result.Latency{row.Total.P50, row.Total.P99, row.Total.Longest}, func(l *result.Latency) bool {
		return l != nil && l.Beyond
	})
}

// untroubled returns a sentence that no request failed or was refused, as far as that is true, or "".
func untroubled(r *result.Result) string {
	var total result.Counts
	repeats := 0
	for i := range r.Rows {
		c := &r.Rows[i].Total.Counts
		total.Failed, total.Refused = total.Failed+c.Failed, total.Refused+c.Refused
		repeats += len(r.Rows[i].Repeats)
	}
	switch {
	case repeats == 0 || total.Failed > 0 && total.Refused > 0:
		return ""
	case total.Failed > 0 && r.Load.Generator != "builtin": // they may have been refused
		return ""
	case total.Failed > 0:
		return "No request was refused."
	case total.Refused > 0:
		return "No request failed."
	}
	return "No request failed or was refused."
}

// lacksMemory reports whether memory was sampled, but memory per request in flight is unknown for all rows.
func lacksMemory(rows []result.Row) bool {
	modes := 0
	for i := range rows {
		if rows[i].Total.BytesPerInFlight != nil {
			return false
		}
		if rows[i].Kind == result.KindMode && rows[i].Total.Peak != nil {
			modes++
		}
	}
	return modes > 0
}

// labelled writes a label and next to it a sentence, in columns. If the label is too long, it starts the sentence.
func (t *writer) labelled(l headerLine, indent int) {
	label, sentence := clean(l.Label), clean(l.Text)
	if textWidth(label)+2 > indent {
		label, sentence = "", label+": "+sentence
	}
	for i, line := range strings.Split(text.WrapSoft(sentence, min(t.width(), widestText)-indent), "\n") {
		left := label + strings.Repeat(" ", indent-textWidth(label))
		if label == "" && i == 0 {
			left = ""
		}
		fmt.Fprintln(&t.out, left+strings.TrimRight(line, " "))
		label = ""
	}
}

func textWidth(s string) int { return text.StringWidth(clean(s)) }

func failuresOf(rows []result.Row) (failures []failure) {
	for _, row := range rows {
		if row.Failure != "" {
			failures = append(failures, failure{row.Name, row.Failure})
		}
	}
	return failures
}

func (t *writer) failure(f failure) {
	reason, log, _ := strings.Cut(f.text, "\n")
	t.say(f.name, alarmed, reason)
	for line := range strings.Lines(log) {
		for _, line := range strings.Split(text.WrapHard(clean(strings.TrimSpace(line)), t.width()-6), "\n") {
			fmt.Fprintln(&t.out, t.paint("    | "+line, absent))
		}
	}
}

// left writes the rows that were not measured, and why.
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

// expectations writes whether each condition was met, with the measured figure.
func (t *writer) expectations(all []result.Expectation) {
	if len(all) == 0 {
		return
	}
	t.section("Expected")
	for _, e := range all {
		name, mood := "met", calm
		if !e.Met {
			name, mood = "NOT MET", alarmed
		}
		text := e.Text
		if e.Why != "" {
			text += " (" + strings.TrimSuffix(e.Why, ".") + ")"
		}
		t.say(name, mood, text)
	}
}

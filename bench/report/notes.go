package report

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"demo-server/bench/result"
)

// A note is a sentence about a row, or about the costs of a mode.
type note struct {
	name string
	mood mood
	text string
}

// notesOf returns the notes of all rows.
func notesOf(rows []result.Row) (notes []note) {
	for i := range rows {
		for _, text := range rows[i].Notes {
			notes = append(notes, note{rows[i].Name, moodOf(&rows[i]), text})
		}
	}
	return notes
}

// A failure holds why a measurement ended early: a reason, and the last lines of a log.
type failure struct{ name, text string }

// notes writes each note once with the names of all its rows, and then the failures.
func (t *writer) notes(notes []note, failures []failure) {
	if notes == nil && failures == nil {
		return
	}
	t.section("Notes")
	for _, g := range groupNotes(notes) {
		t.say(t.folded(g.names), g.mood, g.text())
	}
	for _, f := range failures {
		t.failure(f)
	}
}

// maxNames is the maximum number of names in a list without --wide.
const maxNames = 4

// folded lists names. If they are too many, it lists the first ones and the number of the others.
func (t *writer) folded(names []string) string {
	if more := len(names) - maxNames; more > 1 && !t.Wide {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), more)
	}
	return strings.Join(names, ", ")
}

// A noteGroup holds notes of several rows that differ only in their figures.
type noteGroup struct {
	names      []string
	mood       mood
	deviations []string // of all rows; nil if the notes are not about a prediction
	causes     []string // one per row
}

// offThePrediction separates a note's deviations from its cause.
const offThePrediction = " off the prediction: "

// groupNotes groups notes by cause, in the order of their first occurrence.
func groupNotes(notes []note) (groups []*noteGroup) {
	byCause := map[string]*noteGroup{}
	for _, n := range notes {
		deviations, cause, off := strings.Cut(n.text, offThePrediction)
		if !off {
			cause = n.text
		}
		key := fmt.Sprint(off, pattern(cause))
		g := byCause[key]
		if g == nil {
			g = &noteGroup{}
			byCause[key], groups = g, append(groups, g)
		}
		g.names = appendNew(g.names, n.name)
		g.mood = max(g.mood, n.mood)
		g.causes = append(g.causes, cause)
		if off {
			g.deviations = append(g.deviations, strings.Split(deviations, ", ")...)
		}
	}
	return groups
}

// text returns one note for all rows of the group, with the ranges of their figures.
func (g *noteGroup) text() string {
	cause := mergeFigures(g.causes)
	if g.deviations == nil {
		return cause
	}
	var patterns, words []string
	for _, deviation := range g.deviations {
		patterns = appendNew(patterns, pattern(deviation))
	}
	for _, p := range patterns {
		same := slices.DeleteFunc(slices.Clone(g.deviations), func(d string) bool { return pattern(d) != p })
		word := mergeFigures(same)
		if len(same) < len(g.causes) { // other rows do not deviate in this
			word += fmt.Sprintf(" (%d of %d)", len(same), len(g.causes))
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ") + offThePrediction + cause
}

// noteFigure matches figures in which notes of the same cause may differ: numbers, percentages and durations. A
// figure starts a word.
var noteFigure = regexp.MustCompile(`(?:^|[^\pL\d.,+-])([+-]?\d+(?:[.,]\d+)*(?:%|(?:h|ms|m|s|µs|ns)(?:\d+(?:\.\d+)?(?:m|ms|s))*\b)?)`)

// pattern returns a text with each figure replaced by its unit.
func pattern(text string) string {
	parts, found := splitFigures(text)
	var out strings.Builder
	for i, part := range parts {
		out.WriteString(part)
		if i < len(found) {
			out.WriteString("\x00" + unitOf(found[i]))
		}
	}
	return out.String()
}

// splitFigures returns the figures of a text, and the parts around them. There is one more part than figures.
func splitFigures(text string) (parts, found []string) {
	from := 0
	for _, at := range noteFigure.FindAllStringSubmatchIndex(text, -1) {
		parts, found = append(parts, text[from:at[2]]), append(found, text[at[2]:at[3]])
		from = at[3]
	}
	return append(parts, text[from:]), found
}

// unitOf returns the unit of a figure: %, s for durations, or "". Figures of different units are not compared.
func unitOf(figure string) string {
	switch {
	case strings.HasSuffix(figure, "%"):
		return "%"
	case strings.HasSuffix(figure, "s"), strings.HasSuffix(figure, "m"), strings.HasSuffix(figure, "h"):
		return "s"
	}
	return ""
}

// numberIn returns the number in a figure, in seconds for a duration.
func numberIn(figure string) float64 {
	if unitOf(figure) == "s" {
		d, _ := time.ParseDuration(strings.ReplaceAll(figure, ",", ""))
		return d.Seconds()
	}
	f, _ := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSuffix(figure, "%"), ",", ""), 64)
	return f
}

// mergeFigures returns one text for several with the same pattern. Figures in which they differ become a range.
func mergeFigures(texts []string) string {
	parts, first := splitFigures(texts[0])
	low, high := slices.Clone(first), slices.Clone(first)
	for _, text := range texts[1:] {
		_, found := splitFigures(text)
		for i, figure := range found {
			if numberIn(figure) < numberIn(low[i]) {
				low[i] = figure
			}
			if numberIn(figure) > numberIn(high[i]) {
				high[i] = figure
			}
		}
	}
	var out strings.Builder
	for i, part := range parts {
		out.WriteString(part)
		switch {
		case i == len(first):
		case low[i] == high[i]:
			out.WriteString(low[i])
		case numberIn(high[i]) < 0: // the smaller deviation first
			out.WriteString(high[i] + " to " + low[i])
		default:
			out.WriteString(low[i] + " to " + high[i])
		}
	}
	return out.String()
}

package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"demo-server/bench/result"
	"demo-server/bench/verdict"
)

// DiffText writes a comparison of two runs: a table with the throughput of each row and its other figures that
// changed, then the unchanged figures, and other differences between the runs.
func DiffText(w io.Writer, older, newer *result.Result, changes []verdict.Change, o Options) error {
	t := &writer{Options: o}
	var rows [][]cell
	var folded phrases
	for _, row := range byRow(changes) {
		for i, c := range row {
			if i == 0 || stands(c) {
				rows = append(rows, diffCells(i == 0, c))
			}
		}
		if words := foldedWords(row[1:]); words != "" {
			folded.add(words, row[0].A)
		}
	}
	t.table([]string{"old", "new", "change", ""}, rows)
	t.section("")
	for _, phrase := range folded {
		t.say(list(phrase.names), calm, phrase.words)
	}
	if len(changes) > 0 {
		t.say("", calm, margins(changes))
	}
	if slices.ContainsFunc(changes, func(c verdict.Change) bool { return c.Verdict == result.TooFew && c.Confidence == 0 }) {
		t.say("", calm, "One or two repeats show obvious differences only: try --repeat 6.")
	}
	t.runs(older, newer, changes)
	return t.flush(w)
}

// byRow groups changes by row. Changes of the same row must be adjacent.
func byRow(changes []verdict.Change) (rows [][]verdict.Change) {
	for i, c := range changes {
		if i == 0 || c.A != changes[i-1].A {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], c)
	}
	return rows
}

// stands reports whether a figure has its own line: it changed, or both runs know it but not both exactly.
func stands(c verdict.Change) bool {
	return c.Verdict == result.Different || c.Verdict == verdict.NotCompared && c.Old.Known() && c.New.Known()
}

// diffCells returns the line of a figure. The first line of a row shows the row's name, the others the figure's name.
func diffCells(first bool, c verdict.Change) []cell {
	name, emphasis := "  "+c.Figure.Name, calm
	if first {
		name = c.A
	}
	if c.Changed() {
		emphasis = careful
	}
	return []cell{
		{text: name}, {text: valueOf(c.Figure, c.Old)}, {text: valueOf(c.Figure, c.New)}, {text: change(c), mood: emphasis},
		{text: c.Verdict, mood: emphasis},
	}
}

// valueOf formats a figure with its unit.
func valueOf(f verdict.Figure, v verdict.Value) string {
	switch {
	case !v.Known():
		return unknown
	case f.Unit == verdict.Seconds:
		return latency(&result.Latency{Seconds: v.Mean, Beyond: v.Beyond})
	case f.Unit == verdict.Bytes:
		return size(&v.Mean)
	}
	return rate(&v.Mean)
}

// change formats the change of a figure. If the verdict is undecided and there is an interval, it returns the
// interval.
func change(c verdict.Change) string {
	switch {
	case c.Verdict == verdict.NotCompared:
		return unknown
	case c.Verdict == result.TooFew && c.Confidence > 0:
		return percent(c.Low) + " to " + percent(c.High)
	}
	return percent(c.Ratio)
}

// percent formats a ratio as a change: +1.2%.
func percent(ratio float64) string {
	by := 100 * (ratio - 1)
	switch {
	case !(math.Abs(by) < mostPlain):
		return decimal(by, 4) + "%"
	case by >= 1000:
		return "+" + decimal(by, 4) + "%"
	}
	return signed(by)
}

// A phrase holds words that apply to several rows.
type phrase struct {
	words string
	names []string
}

type phrases []phrase

func (p *phrases) add(words, name string) {
	i := slices.IndexFunc(*p, func(other phrase) bool { return other.words == words })
	if i < 0 {
		i, *p = len(*p), append(*p, phrase{words: words})
	}
	(*p)[i].names = append((*p)[i].names, name)
}

// foldedWords returns why figures of a row lack a line of their own.
func foldedWords(changes []verdict.Change) string {
	var why phrases
	for _, c := range changes {
		if !stands(c) {
			why.add(foldedBecause(c), c.Figure.Name)
		}
	}
	var words []string
	for _, phrase := range why {
		words = append(words, phrase.words+" "+list(phrase.names))
	}
	return strings.Join(words, "; ")
}

func foldedBecause(c verdict.Change) string {
	switch {
	case c.Verdict == result.Same:
		return "the same"
	case c.Verdict == result.TooFew:
		return "too few repeats to tell"
	case c.Old.Known():
		return "only the old run has"
	case c.New.Known():
		return "only the new run has"
	}
	return "neither run has"
}

// margins returns a sentence on how large a change must be to matter.
func margins(changes []verdict.Change) string {
	var all phrases
	for _, c := range byRow(changes)[0] {
		all.add(plainly(strconv.FormatFloat(100*c.Margin, 'g', 3, 64))+"%", c.Figure.Name)
	}
	var words []string
	for _, phrase := range all {
		words = append(words, phrase.words+" of "+list(phrase.names))
	}
	return "The first line of a row is requests/s. Changes that do not matter: up to " + strings.Join(words, ", ") + "."
}

// runs writes the two runs and their other differences. If more than the program differs, the comparison means
// little.
func (t *writer) runs(older, newer *result.Result, changes []verdict.Change) {
	t.section("")
	t.say("", calm, fmt.Sprintf("old: %s, %s", older.Version, when(older.Started)))
	t.say("", calm, fmt.Sprintf("new: %s, %s", newer.Version, when(newer.Started)))
	t.differing("machine", differing(fields(older.Machine, newer.Machine)))
	t.differing("load", differing(fields(older.Load, newer.Load)))
	t.settings(older, newer)
	t.differing("command line", commandWords(older.Command, newer.Command))
	t.doubts("old", older, changes)
	t.doubts("new", newer, changes)
}

func (t *writer) differing(name, words string) {
	if words != "" {
		t.say(name, careful, words)
	}
}

// settings writes the rows with different settings.
func (t *writer) settings(older, newer *result.Result) {
	rows := map[string]*result.Row{}
	for i := range newer.Rows {
		rows[newer.Rows[i].Name] = &newer.Rows[i]
	}
	var all phrases
	for i := range older.Rows {
		row := &older.Rows[i]
		if other := rows[row.Name]; other != nil {
			if words := differing(rowFields(row, other)); words != "" {
				all.add(words, row.Name)
			}
		}
	}
	for _, phrase := range all {
		t.say(list(phrase.names), careful, phrase.words)
	}
}

// doubts writes the rows of a run that failed, cannot be trusted, or are missing in the other run.
func (t *writer) doubts(run string, r *result.Result, changes []verdict.Change) {
	compared := map[string]bool{}
	for _, c := range changes {
		compared[c.A] = true
	}
	for _, doubt := range []struct {
		words string
		mood  mood
		is    func(result.Row) bool
	}{
		{"only in the " + run + " run", absent, func(row result.Row) bool { return !compared[row.Name] }},
		{"failed in the " + run + " run", alarmed, func(row result.Row) bool { return row.Failure != "" }},
		{"not trustworthy in the " + run + " run: an audit is broken", alarmed, func(row result.Row) bool { return !row.Trusted }},
	} {
		var names []string
		for _, row := range r.Rows {
			if doubt.is(row) {
				names = append(names, row.Name)
			}
		}
		if names != nil {
			t.say(list(names), doubt.mood, doubt.words)
		}
	}
}

// A field holds the values of a setting in both runs.
type field struct{ name, older, newer string }

// differing returns the fields that differ, each with both values.
func differing(fields []field) string {
	var words []string
	for _, f := range fields {
		if f.older != f.newer {
			words = append(words, fmt.Sprintf("%s %s → %s", f.name, orNone(f.older), orNone(f.newer)))
		}
	}
	return strings.Join(words, ", ")
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// fields returns the fields of two structs of one type. Names are from the JSON tags, without units.
func fields(older, newer any) (all []field) {
	a, b := reflect.ValueOf(older), reflect.ValueOf(newer)
	for i := range a.NumField() {
		tag := a.Type().Field(i).Tag.Get("json")
		name := strings.TrimSuffix(strings.TrimSuffix(tag, "_seconds"), "_bytes")
		write := func(v reflect.Value) string { return fmt.Sprint(v.Interface()) }
		switch {
		case strings.HasSuffix(tag, "_seconds"):
			write = func(v reflect.Value) string { return delayOf(v.Float()) }
		case strings.HasSuffix(tag, "_bytes"):
			write = func(v reflect.Value) string { return size(result.Number(v.Int())) }
		}
		all = append(all, field{strings.ReplaceAll(name, "_", " "), write(a.Field(i)), write(b.Field(i))})
	}
	return all
}

// delayOf formats seconds as settings do: 200ms.
func delayOf(seconds float64) string { return strings.ReplaceAll(short(seconds), " ", "") }

// rowFields returns the settings of a row in two runs.
func rowFields(older, newer *result.Row) []field {
	delay := func(row *result.Row) string {
		if row.Delay == nil {
			return ""
		}
		return delayOf(*row.Delay)
	}
	places := func(row *result.Row) string {
		if row.Places == 0 {
			return ""
		}
		return strconv.Itoa(row.Places)
	}
	all := []field{
		{"kind", older.Kind, newer.Kind}, {"mode", older.Mode, newer.Mode}, {"work", older.Work, newer.Work},
		{"delay", delay(older), delay(newer)}, {"places", places(older), places(newer)},
	}
	names := slices.Collect(maps.Keys(older.Settings))
	for name := range newer.Settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !slices.ContainsFunc(all, func(f field) bool { return f.name == name }) {
			all = append(all, field{name, older.Settings[name], newer.Settings[name]})
		}
	}
	return all
}

// commandWords returns the flags that only one of two command lines has. Flags that name output files do not count.
func commandWords(older, newer []string) string {
	a, b := flags(older), flags(newer)
	return strings.TrimSpace(differing([]field{{"", strings.Join(without(a, b), " "), strings.Join(without(b, a), " ")}}))
}

// flags returns the words of a command line after the program, with each flag and its value joined. It leaves out
// flags that name output files.
func flags(command []string) (all []string) {
	for i := 1; i < len(command); i++ {
		word := command[i]
		if isFlag(word) && !strings.Contains(word, "=") && i+1 < len(command) && !isFlag(command[i+1]) {
			i++
			word += " " + command[i]
		}
		name, _, _ := strings.Cut(strings.ReplaceAll(word, "=", " "), " ")
		if !slices.Contains([]string{"--json", "--csv", "--report"}, name) {
			all = append(all, word)
		}
	}
	return all
}

func isFlag(word string) bool { return strings.HasPrefix(word, "-") }

// without returns words minus others. A repeated word is removed as often as others has it.
func without(words, others []string) (left []string) {
	times := map[string]int{}
	for _, other := range others {
		times[other]++
	}
	for _, word := range words {
		if times[word]--; times[word] < 0 {
			left = append(left, word)
		}
	}
	return left
}

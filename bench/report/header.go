package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"demo-server/bench/result"
)

// A headerLine describes one aspect of a run.
type headerLine struct{ Label, Text string }

// header returns what was run: what each request did, the load, and the meaning of "ceiling". It returns nil for a
// result without rows.
func header(r *result.Result) []headerLine {
	if len(r.Rows) == 0 {
		return nil
	}
	return []headerLine{
		{"Request", requestInWords(r.Rows)}, {"Load", loadLine(r.Load)}, {"Ceiling", ceilingInWords(r)},
	}
}

// workSentence returns how a request spends the delay. about may be empty in results of an older version.
func workSentence(kind, about, delay string) string {
	if about == "" {
		return fmt.Sprintf("%s of work %s", delay, kind)
	}
	return fmt.Sprintf("%s of work %s: %s", delay, kind, about)
}

// requestInWords returns what each request did: the delay, the kind of work, and how the rows differ in these.
func requestInWords(rows []result.Row) string {
	var kinds, unknown, python []string
	var about string
	var delays []float64
	for i := range rows {
		row := &rows[i]
		if row.Delay == nil {
			unknown = appendNew(unknown, row.Name)
			continue
		}
		delays = appendNew(delays, *row.Delay)
		if row.Kind == result.KindOriginal {
			python = append(python, row.Name)
			continue
		}
		kinds, about = appendNew(kinds, row.Work), row.WorkAbout
	}
	if delays == nil {
		return "whatever the server does for it"
	}
	text := knownRequest(kinds, about, delays)
	if kinds != nil && python != nil {
		text += "; in Python, time.sleep"
	}
	text += faultInWords(rows)
	if unknown != nil {
		text += "; " + list(unknown) + ": whatever the server does for it"
	}
	return text
}

// faultInWords returns which faults are injected, or "".
func faultInWords(rows []result.Row) string {
	var faults []string
	for i := range rows {
		if rows[i].Kind == result.KindMode {
			faults = appendNew(faults, rows[i].Fault)
		}
	}
	switch {
	case len(faults) > 1:
		return "; some rows inject faults"
	case faults == nil || faults[0] == "":
		return ""
	}
	return "; with the fault " + faults[0]
}

// knownRequest is requestInWords for rows with a known delay. kinds is nil if all are Python programs.
func knownRequest(kinds []string, about string, delays []float64) string {
	delay := alternatives(delays)
	switch {
	case slices.Max(delays) == 0:
		return "no delay: the server answers at once"
	case kinds == nil:
		return fmt.Sprintf("waits %s in time.sleep", delay)
	case len(kinds) == 1:
		return workSentence(kinds[0], about, delay)
	}
	return fmt.Sprintf("does one kind of work for %s: %s", strings.TrimSuffix(delay, ","), either(kinds))
}

// alternatives lists delays. If there are several, the row names show which row has which.
func alternatives(delays []float64) string {
	var words []string
	for _, delay := range slices.Sorted(slices.Values(delays)) {
		words = append(words, short(delay))
	}
	switch len(words) {
	case 0:
		return "a delay"
	case 1:
		return words[0]
	}
	return either(words) + ", by row,"
}

// either lists alternatives: a, b or c.
func either(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// delaysOf returns the distinct delays of rows with a kind of work.
func delaysOf(rows []result.Row, kind string) (delays []float64) {
	for i := range rows {
		if rows[i].Work == kind && rows[i].Delay != nil {
			delays = appendNew(delays, *rows[i].Delay)
		}
	}
	return delays
}

// aboutWork returns the rows' description of a kind of work.
func aboutWork(rows []result.Row, kind string) string {
	i := slices.IndexFunc(rows, func(row result.Row) bool { return row.Work == kind })
	return rows[i].WorkAbout
}

// appendNew appends one unless all contains it.
func appendNew[T comparable](all []T, one T) []T {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// loadLine describes the load on each row in one line.
func loadLine(l result.Load) string {
	words := []string{plural(l.Concurrency, "client")}
	if l.Loop == "open" {
		words[0] = plainly(decimal(l.Rate, 4)) + " requests/s"
	}
	if l.Requests > 0 {
		words = append(words, plural(l.Requests, "request"))
	} else {
		words[0] += " for " + short(l.DurationSeconds)
	}
	words = append(words, rounds(l.Repeat))
	if l.WarmupSeconds > 0 {
		words = append(words, short(l.WarmupSeconds)+" of warm-up")
	}
	if l.Keepalive {
		words = append(words, "on kept connections")
	} else {
		words = append(words, "a new connection per request")
	}
	if l.Loop == "open" {
		words = append(words, fmt.Sprintf("%s may wait", count(l.Concurrency)))
	}
	if l.Generator != "builtin" {
		words = append(words, "by "+l.Generator)
	}
	return strings.Join(words, ", ")
}

// ceilingInWords returns the meaning of the ceiling, with its figure if all rows have the same one.
func ceilingInWords(r *result.Result) string {
	l := r.Load
	if l.Loop == "open" {
		return fmt.Sprintf("%s requests/s, the rate of the load", plainly(decimal(l.Rate, 4)))
	}
	var ceilings, delays []float64
	for i := range r.Rows {
		row := &r.Rows[i]
		if ceiling := cmp.Or(row.Total.Ceiling, predictedCeiling(row)); ceiling != nil && row.Delay != nil && *row.Delay > 0 {
			ceilings, delays = appendNew(ceilings, *ceiling), appendNew(delays, *row.Delay)
		}
	}
	clients := plural(l.Concurrency, "client")
	switch {
	case ceilings == nil && slices.ContainsFunc(r.Rows, func(row result.Row) bool { return row.Delay != nil }):
		return "none: without a delay, the clients ask for as much as they get"
	case ceilings == nil:
		return "not known: it follows from the delay, and none is known"
	case len(ceilings) > 1:
		return fmt.Sprintf("clients / delay, the most that %s can ask for", clients)
	case digits(ceilings[0], 4) != digits(float64(l.Concurrency)/delays[0], 4):
		return fmt.Sprintf("%s requests/s, the most that %s can count with %s", plainly(decimal(ceilings[0], 4)), l.Generator, clients)
	}
	return fmt.Sprintf("%s requests/s, the most that %s can ask for (%d / %s)", plainly(decimal(ceilings[0], 4)), clients,
		l.Concurrency, short(delays[0]))
}

func predictedCeiling(row *result.Row) *float64 {
	if row.Prediction == nil {
		return nil
	}
	return row.Prediction.Ceiling
}

// rowMeanings returns the meanings of row names, for rows that have settings of their own, repeat another row, or are
// not modes. If there are several kinds of work, it adds how each spends the delay.
func rowMeanings(rows []result.Row) (lines []headerLine) {
	seen := map[string]bool{}
	for i := range rows {
		server := rows[i].Server()
		if seen[server] {
			continue
		}
		seen[server] = true
		if text := meaning(&rows[i], seen); text != "" {
			lines = append(lines, headerLine{server, text})
		}
	}
	if m := result.MatrixOf(rows); m != nil {
		for _, kind := range m.Kinds {
			label := strings.TrimLeft(result.Times, " ") + kind
			lines = append(lines, headerLine{label, workSentence(kind, aboutWork(rows, kind), alternatives(delaysOf(rows, kind)))})
		}
	}
	return lines
}

// meaning returns the meaning of a row's name, or "" if it is just the name of a mode. earlier holds the servers of
// the rows before it.
func meaning(row *result.Row, earlier map[string]bool) string {
	switch row.Kind {
	case result.KindOriginal:
		return "Python: " + row.About
	case result.KindAgainst:
		return row.About
	}
	if first, _, numbered := strings.Cut(row.Server(), "#"); numbered && earlier[first] {
		return "the same as " + first + " once more"
	}
	var settings []string
	for _, name := range slices.Sorted(maps.Keys(row.Settings)) {
		if name == "work" && strings.HasSuffix(row.Name, result.Times+row.Work) {
			continue
		}
		settings = append(settings, name+"="+row.Settings[name])
	}
	if settings == nil {
		return ""
	}
	return "mode " + row.Mode + " with " + list(settings)
}

// cpuMeasured returns on which connections the CPU per request was measured: a new connection per request costs more.
func cpuMeasured(l result.Load) string {
	if l.Keepalive {
		return "on kept connections"
	}
	return "on new connections"
}

// mixesLatencies reports whether the row's latencies include replies that were refused or failed. The built-in
// generator separates them. ab counts everything that it receives. wrk counts every status, and a timeout as a
// request of that duration.
func mixesLatencies(l result.Load, row *result.Row) bool {
	c := row.Total.Counts
	switch l.Generator {
	case "ab":
		return c.Status+c.Broken+c.Body > 0
	case "wrk":
		return c.Status+c.Timeout > 0
	}
	return false
}

// mixedNote explains the mark of latencies for which mixesLatencies returns true.
func mixedNote(l result.Load) string {
	return l.Generator + " counts refused and failed requests in its latencies"
}

package report

import (
	"fmt"
	"math"
	"strings"

	"demo-server/bench/result"
)

// The functions here return gists. A gist is the line next to the title of a closed section, with its most important
// figure.

// A knownFigure holds a figure of an entry and its text.
type knownFigure struct {
	value float64
	text  string
}

// extremes returns the range of a figure over the entries, with the rows at both ends, or "" if no entry has it. of
// returns nil for an unknown figure.
func extremes(groups []rowGroup, of func(entry) *knownFigure) string {
	var least, most *knownFigure
	var leastName, mostName string
	known := 0
	for _, g := range groups {
		for _, e := range g.entries {
			figure := of(e)
			if figure == nil {
				continue
			}
			known++
			if least == nil || figure.value < least.value {
				least, leastName = figure, clean(e.Name)
			}
			if most == nil || figure.value > most.value {
				most, mostName = figure, clean(e.Name)
			}
		}
	}
	switch {
	case known == 0:
		return ""
	case known == 1:
		return fmt.Sprintf("%s (%s)", least.text, leastName)
	case least.text == most.text:
		return least.text + " in all rows"
	}
	return fmt.Sprintf("%s (%s) to %s (%s)", least.text, leastName, most.text, mostName)
}

// figureOf returns a function for extremes that reads a figure and formats it.
func figureOf(of func(*result.Figures) *float64, text func(*float64) string) func(entry) *knownFigure {
	return func(e entry) *knownFigure {
		value := of(&e.Total)
		if value == nil {
			return nil
		}
		return &knownFigure{*value, text(value)}
	}
}

// latencyOf is like figureOf, but for a latency. A lower bound counts as longer than all exact latencies.
func latencyOf(l result.Load, of func(*result.Figures) *result.Latency) func(entry) *knownFigure {
	return func(e entry) *knownFigure {
		value := of(&e.Total)
		if value == nil {
			return nil
		}
		figure := &knownFigure{value.Seconds, latency(value)}
		if value.Beyond {
			figure.value = math.Inf(1)
		}
		if mixesLatencies(l, e.Row) {
			figure.text += mark
		}
		return figure
	}
}

// prefixed returns a word and a text, or "" if the text is empty.
func prefixed(word, text string) string {
	if text == "" {
		return ""
	}
	return word + " " + text
}

func throughputGist(groups []rowGroup) string {
	return prefixed("requests/s:", extremes(groups, figureOf(func(f *result.Figures) *float64 { return f.PerSecond }, rate)))
}

// clientsGist returns the range of p99, and the numbers of refused and failed requests.
func clientsGist(groups []rowGroup, l result.Load) string {
	p99 := func(f *result.Figures) *result.Latency { return f.P99 }
	parts := []string{prefixed("p99:", extremes(groups, latencyOf(l, p99)))}
	refused, failed := 0, 0
	for _, g := range groups {
		for _, e := range g.entries {
			refused += e.Total.Refused
			failed += e.Total.Failed
		}
	}
	if refused > 0 {
		parts = append(parts, count(refused)+" refused")
	}
	if failed > 0 {
		parts = append(parts, count(failed)+" "+failedTitle(l))
	}
	return joined(parts)
}

func latencyGist(groups []rowGroup, l result.Load) string {
	p50 := func(f *result.Figures) *result.Latency { return f.P50 }
	return prefixed("half of the requests took at most", extremes(groups, latencyOf(l, p50)))
}

func serversGist(groups []rowGroup) string {
	text := func(f *float64) string { return scaled(f, 1e3) + " ms" }
	return prefixed("CPU per request:", extremes(groups, figureOf(func(f *result.Figures) *float64 { return f.CPUPerRequest }, text)))
}

// theoryGist returns how many rows serve as predicted within the margin, and which row is furthest off.
func theoryGist(groups []rowGroup, margin float64) string {
	within, predicted := 0, 0
	furthest, name := 0.0, ""
	for _, g := range groups {
		for _, e := range g.entries {
			if e.Prediction == nil || e.Prediction.PerSecond == nil || *e.Prediction.PerSecond == 0 || e.Total.PerSecond == nil {
				continue
			}
			predicted++
			off := *e.Total.PerSecond / *e.Prediction.PerSecond - 1
			if math.Abs(off) <= margin {
				within++
			}
			if math.Abs(off) > math.Abs(furthest) {
				furthest, name = off, clean(e.Name)
			}
		}
	}
	if predicted == 0 {
		return "no row is predicted"
	}
	gist := fmt.Sprintf("requests/s within %s of the prediction: %d of %s", plainly(decimal(100*margin, 3))+"%", within, plural(predicted, "row"))
	if within < predicted {
		gist += fmt.Sprintf("; furthest off: %s (%s)", signed(100*furthest), name)
	}
	return gist
}

// insideGist returns the longest queue.
func insideGist(groups []rowGroup) string {
	longest, name := 0.0, ""
	for _, g := range groups {
		for _, e := range g.entries {
			queued, _ := typical(e.Series, func(s *result.Sample) *float64 { return s.Queued })
			accept, _ := typical(e.Series, func(s *result.Sample) *float64 { return s.AcceptQueue })
			if queued+accept > longest {
				longest, name = queued+accept, clean(e.Name)
			}
		}
	}
	if name == "" {
		return "no request waits in a queue"
	}
	return fmt.Sprintf("longest queue: %s (%s)", plural(int(longest), "request"), name)
}

func resourcesGist(groups []rowGroup) string {
	peaks := func(e entry) *knownFigure {
		most, known := highest(e.Series, func(s *result.Sample) *float64 { return s.Resident })
		if !known {
			return nil
		}
		return &knownFigure{most, size(&most)}
	}
	return prefixed("resident memory at the peak:", extremes(groups, peaks))
}

func notesGist(groups []pageNotes) string {
	notes, rows := 0, 0
	var failed []string
	for _, g := range groups {
		for _, row := range g.Rows {
			notes += len(row.Notes)
			if len(row.Notes) > 0 {
				rows++
			}
			if row.Failure != "" {
				failed = append(failed, prefixedName(g.Title, row.Name))
			}
		}
	}
	var parts []string
	if notes > 0 {
		parts = append(parts, fmt.Sprintf("%s on %s", plural(notes, "note"), plural(rows, "row")))
	}
	if failed != nil {
		parts = append(parts, "failed: "+listNames(failed))
	}
	return joined(parts)
}

// prefixedName returns a row's name as the rest of the page writes it.
func prefixedName(kind, server string) string {
	if kind == "" || kind == otherWork {
		return server
	}
	return server + result.Times + kind
}

func leftGist(left []result.Left) string {
	var names []string
	for _, l := range left {
		names = append(names, clean(l.Name))
	}
	return listNames(names)
}

// costsGist returns the range of CPU per request. The picture shows the range of memory.
func costsGist(costs []result.Cost) string {
	var g rowGroup
	for i := range costs {
		row := &result.Row{Name: costs[i].Name}
		row.Total.CPUPerRequest = costs[i].CPUPerRequest
		g.entries = append(g.entries, entry{Row: row, name: costs[i].Name})
	}
	text := func(f *float64) string { return scaled(f, 1e6) + " µs" }
	return prefixed("CPU per request:", extremes([]rowGroup{g}, figureOf(func(f *result.Figures) *float64 { return f.CPUPerRequest }, text)))
}

// joined joins the non-empty parts.
func joined(parts []string) string {
	var some []string
	for _, part := range parts {
		if part != "" {
			some = append(some, part)
		}
	}
	return strings.Join(some, "; ")
}

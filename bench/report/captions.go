package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"demo-server/bench/result"
)

// atCeiling is the share of its ceiling that an unlimited row reaches.
const atCeiling = 0.98

// throughputCaption returns which rows reach the ceiling, and what limits the others.
func throughputCaption(entries []entry) string {
	var reach, free []string
	var below []entry
	ceilings := map[float64]bool{}
	for _, e := range entries {
		switch {
		case e.Total.PerSecond == nil:
		case e.Total.Ceiling == nil:
			free = append(free, e.name)
		case *e.Total.PerSecond >= atCeiling**e.Total.Ceiling:
			reach = append(reach, e.name)
			ceilings[*e.Total.Ceiling] = true
		default:
			below = append(below, e)
		}
	}
	var sentences []string
	if reach != nil {
		sentences = append(sentences, fmt.Sprintf("%s %s the ceiling%s: the load asks for no more, so it does not show how"+
			" much more %s could do.", listNames(reach), verb(reach, "reaches", "reach"), the(ceilings), verb(reach, "it", "they")))
	}
	if below != nil {
		sentences = append(sentences, "Below the ceiling: "+strings.Join(limits(below), "; ")+".")
	}
	if free != nil {
		sentences = append(sentences, fmt.Sprintf("No ceiling is known for %s.", listNames(free)))
	}
	return clean(strings.Join(sentences, " "))
}

// the returns the ceiling in words, or "" if rows have different ones.
func the(ceilings map[float64]bool) string {
	if len(ceilings) != 1 {
		return ""
	}
	for ceiling := range ceilings {
		return " of " + plainly(decimal(ceiling, 4)) + " requests/s"
	}
	return ""
}

func verb(of []string, one, many string) string {
	if len(of) == 1 {
		return one
	}
	return many
}

// limits returns the share of the ceiling that the entries reach, grouped by what limits them. It names no limit if
// there are more than maxListed.
func limits(entries []entry) (clauses []string) {
	var bounds []string
	byBound := map[string][]entry{}
	for _, e := range entries {
		bound := e.Bound
		if predicted := e.Prediction.Share(); predicted != nil && *predicted >= atCeiling {
			bound = "" // room for the whole load
		}
		if byBound[bound] == nil {
			bounds = append(bounds, bound)
		}
		byBound[bound] = append(byBound[bound], e)
	}
	if len(bounds) > maxListed {
		return []string{reached(entries)}
	}
	for _, bound := range bounds {
		clause := reached(byBound[bound])
		if bound != "" {
			clause += " (" + bound + ")"
		}
		clauses = append(clauses, clause)
	}
	return clauses
}

// reached returns the names of entries and the share of the ceiling that they reach.
func reached(entries []entry) string {
	var least, most *float64
	for _, e := range entries {
		part := e.Total.Share()
		if least == nil || *part < *least {
			least = part
		}
		if most == nil || *part > *most {
			most = part
		}
	}
	names := listNames(namesOf(entries))
	if share(*least) == share(*most) {
		return fmt.Sprintf("%s at %s", names, share(*least))
	}
	return fmt.Sprintf("%s at %s to %s", names, share(*least), share(*most))
}

// alike is the relative difference up to which two medians count as equal.
const alike = 0.02

// latencyCaption returns the medians, the slowest request and the lines that end early. lines is the number of lines.
func latencyCaption(entries []entry, lines int) string {
	var known []entry
	drawn := 0
	for _, e := range entries {
		if e.Total.P50 != nil && !e.Total.P50.Beyond {
			known = append(known, e)
		}
		if logarithms(e.Curve) != nil {
			drawn++
		}
	}
	var sentences []string
	if known != nil {
		sentences = append(sentences, medians(known))
	}
	if slowest := slowest(entries); slowest != nil {
		sentences = append(sentences, fmt.Sprintf("The slowest request took %s (%s).", latency(slowest.Total.Longest), slowest.name))
	}
	sentences = append(sentences, endings(entries)...)
	if lines < drawn {
		sentences = append(sentences, "Rows whose lines would lie on one another share a line.")
	}
	return clean(strings.Join(sentences, " "))
}

// medians returns the entries grouped by similar medians, fastest first. If there are more than four groups, it
// returns only the first and last.
func medians(entries []entry) string {
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.Total.P50.Seconds, b.Total.P50.Seconds) })
	var groups []string
	for rest := entries; len(rest) > 0; {
		first := rest[0].Total.P50.Seconds
		n := 1
		for n < len(rest) && rest[n].Total.P50.Seconds <= first*(1+alike) {
			n++
		}
		groups = append(groups, fmt.Sprintf("%s with %s", seconds(rest[n-1].Total.P50.Seconds), listNames(namesOf(rest[:n]))))
		rest = rest[n:]
	}
	if len(groups) > 4 {
		return fmt.Sprintf("Medians go from %s to %s.", groups[0], groups[len(groups)-1])
	}
	return "Half of the requests took at most " + strings.Join(groups, "; ") + "."
}

// slowest returns the entry with the slowest request of exactly known latency, or nil.
func slowest(entries []entry) (slowest *entry) {
	for i := range entries {
		longest := entries[i].Total.Longest
		if longest == nil || longest.Beyond {
			continue
		}
		if slowest == nil || longest.Seconds > slowest.Total.Longest.Seconds {
			slowest = &entries[i]
		}
	}
	return slowest
}

// endings returns which lines end early or are missing, and why. It gives figures for single lines only.
func endings(entries []entry) (sentences []string) {
	var early, none []entry
	for _, e := range entries {
		switch {
		case firstBeyond(e) == nil:
		case logarithms(e.Curve) == nil:
			none = append(none, e)
		default:
			early = append(early, e)
		}
	}
	const because = "their replies were still missing when the measurement ended."
	switch len(early) {
	case 0:
	case 1:
		sentences = append(sentences, earlyEnd(early[0]))
	default:
		sentences = append(sentences, fmt.Sprintf("The lines of %s end early: %s", listNames(namesOf(early)), because))
	}
	switch len(none) {
	case 0:
	case 1:
		sentences = append(sentences, fmt.Sprintf("%s has no line: its requests took longer than %s.", none[0].name,
			atLeast(firstBeyond(none[0]).Seconds)))
	default:
		sentences = append(sentences, fmt.Sprintf("%s have no line: %s", listNames(namesOf(none)), because))
	}
	return sentences
}

// firstBeyond returns the first point that is only a lower bound, or nil.
func firstBeyond(e entry) *result.Point {
	i := slices.IndexFunc(e.Curve, func(p result.Point) bool { return p.Beyond })
	if i < 0 {
		return nil
	}
	return &e.Curve[i]
}

// earlyEnd returns a sentence on where the line of an entry ends.
func earlyEnd(e entry) string {
	first, last := firstBeyond(e), 0.0
	for _, percent := range percents {
		if percent < first.Percent {
			last = percent
		}
	}
	return fmt.Sprintf("The line of %s ends at %s%%: from %s%% on, requests took longer than %s.", e.name,
		plainly(decimal(last, 3)), plainly(decimal(first.Percent, 4)), atLeast(first.Seconds))
}

// insideCaption returns a sentence on where a row's requests are.
func insideCaption(row entry) string {
	running, some := typical(row.Series, func(s *result.Sample) *float64 { return s.InFlight })
	if !some {
		busy, _ := typical(row.Series, func(s *result.Sample) *float64 { return s.Busy })
		return fmt.Sprintf("%s does not report what happens inside: %s.", row.name, waiting(busy, "for a reply"))
	}
	var rest []string
	if queued, _ := typical(row.Series, func(s *result.Sample) *float64 { return s.Queued }); queued >= 1 {
		rest = append(rest, waiting(queued, "in its queue"))
	}
	if accept, _ := typical(row.Series, func(s *result.Sample) *float64 { return s.AcceptQueue }); accept >= 1 {
		rest = append(rest, waiting(accept, "in the kernel's accept queue"))
	}
	if refused := row.Total.RefusedShare; refused != nil && *refused > 0.0005 {
		rest = append(rest, refusals(*refused)+" are refused")
	}
	works := fmt.Sprintf("%s works on %s at a time", row.name, plural(int(running), "request"))
	if rest == nil {
		return works + ", and none waits."
	}
	return works + ": " + list(rest) + "."
}

// refusals formats the share of refused requests. It never rounds up to 100%.
func refusals(part float64) string {
	if part < 1 && share(part) == share(1) {
		return "almost all"
	}
	return share(part)
}

func waiting(n float64, where string) string {
	if n == 1 {
		return "1 waits " + where
	}
	return count(int(n)) + " wait " + where
}

// typical returns the median of a figure over samples, rounded to an integer. some is false if no sample has the
// figure.
func typical(samples []result.Sample, of func(*result.Sample) *float64) (middle float64, some bool) {
	var values []float64
	for i := range samples {
		if value := of(&samples[i]); value != nil {
			values = append(values, *value)
		}
	}
	if values == nil {
		return 0, false
	}
	slices.Sort(values)
	return math.Round(values[len(values)/2]), true
}

// caption returns which servers hold most of a resource, and which hold least.
func (k resource) caption(entries []entry) string {
	holders := map[string][]string{} // names by formatted figure
	var most, least *float64
	for _, e := range entries {
		peak, known := highest(e.Series, k.of)
		if !known {
			continue
		}
		text := k.text(&peak)
		holders[text] = append(holders[text], e.name)
		if most == nil || peak > *most {
			most = &peak
		}
		if least == nil || peak < *least {
			least = &peak
		}
	}
	high, low := k.text(most), k.text(least)
	if high == low {
		return fmt.Sprintf("At the peak: %s%s with %s.", high, k.thing, listNames(holders[high]))
	}
	return fmt.Sprintf("Most at the peak: %s%s with %s. Least: %s with %s.", high, k.thing, listNames(holders[high]), low,
		listNames(holders[low]))
}

// highest returns the maximum of a figure over samples. known is false if no sample has the figure.
func highest(samples []result.Sample, of func(*result.Sample) *float64) (most float64, known bool) {
	for i := range samples {
		if value := of(&samples[i]); value != nil && (!known || *value > most) {
			most, known = *value, true
		}
	}
	return most, known
}

// blockedCaption returns a sentence on the range of the costs.
func blockedCaption(all []bar) string {
	least := slices.MinFunc(all, func(a, b bar) int { return cmp.Compare(a.length, b.length) })
	most := slices.MaxFunc(all, func(a, b bar) int { return cmp.Compare(a.length, b.length) })
	if len(all) == 1 || most.length < 1.1*least.length {
		return fmt.Sprintf("A request that blocks takes %s of memory.", most.value)
	}
	return fmt.Sprintf("A request that blocks takes the least memory in %s, %s, and the most in %s, %s: %s times as much.",
		least.name, least.value, most.name, most.value, decimal(most.length/least.length, 2))
}

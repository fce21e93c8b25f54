package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"demo-server/bench/result"
)

// atCeiling is the share of its ceiling that a row reaches which is bound by nothing else.
const atCeiling = 0.98

// throughputCaption says who reaches the ceiling, and what bounds the others.
func throughputCaption(r *result.Result) string {
	var reach, below, free []string
	ceilings := map[float64]bool{}
	for i := range r.Rows {
		row := &r.Rows[i]
		switch {
		case row.Total.PerSecond == nil:
		case row.Total.Ceiling == nil:
			free = append(free, row.Name+" ("+rate(row.Total.PerSecond)+" requests/s)")
		case *row.Total.PerSecond >= atCeiling**row.Total.Ceiling:
			reach = append(reach, row.Name)
			ceilings[*row.Total.Ceiling] = true
		default:
			below = append(below, row.Name+" at "+ratio(row.Total.PerSecond, row.Total.Ceiling)+because(row))
		}
	}
	var sentences []string
	if reach != nil {
		sentences = append(sentences, fmt.Sprintf("%s %s the ceiling%s: the load asks for no more, so that it cannot tell"+
			" what more %s could do.", list(reach), verb(reach, "reaches", "reach"), the(ceilings), verb(reach, "it", "they")))
	}
	if below != nil {
		sentences = append(sentences, fmt.Sprintf("Below the ceiling %s %s.", verb(below, "stays", "stay"), list(below)))
	}
	if free != nil {
		sentences = append(sentences, fmt.Sprintf("No ceiling is known for %s.", list(free)))
	}
	return clean(strings.Join(sentences, " "))
}

// the names the ceiling, where there is one for all.
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

func because(row *result.Row) string {
	if row.Bound == "" {
		return ""
	}
	return " (" + row.Bound + ")"
}

// alike is how far two medians may lie apart and still be one line to the eye.
const alike = 0.02

// latencyCaption says how long half of the requests took, which was the slowest, and which lines end early.
func latencyCaption(r *result.Result) string {
	var known []*result.Row
	var endings []string
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Total.P50 != nil && !row.Total.P50.Beyond {
			known = append(known, row)
		}
		if ending := ends(row); ending != "" {
			endings = append(endings, ending)
		}
	}
	var sentences []string
	if known != nil {
		sentences = append(sentences, medians(known))
	}
	if slowest := slowest(r.Rows); slowest != nil {
		sentences = append(sentences, fmt.Sprintf("The slowest request of all took %s (%s).",
			latency(slowest.Total.Longest), slowest.Name))
	}
	return clean(strings.Join(append(sentences, endings...), " "))
}

// medians puts rows together whose medians are alike.
func medians(rows []*result.Row) string {
	slices.SortStableFunc(rows, func(a, b *result.Row) int {
		return cmp.Compare(a.Total.P50.Seconds, b.Total.P50.Seconds)
	})
	var groups []string
	for len(rows) > 0 {
		first := rows[0].Total.P50.Seconds
		n := 1
		for n < len(rows) && rows[n].Total.P50.Seconds <= first*(1+alike) {
			n++
		}
		var names []string
		for _, row := range rows[:n] {
			names = append(names, row.Name)
		}
		groups = append(groups, fmt.Sprintf("%s with %s", seconds(rows[n-1].Total.P50.Seconds), list(names)))
		rows = rows[n:]
	}
	return "Half of the requests took at most " + strings.Join(groups, "; ") + "."
}

// slowest is the row with the slowest request of which the time is known.
func slowest(rows []result.Row) (slowest *result.Row) {
	for i := range rows {
		longest := rows[i].Total.Longest
		if longest == nil || longest.Beyond {
			continue
		}
		if slowest == nil || longest.Seconds > slowest.Total.Longest.Seconds {
			slowest = &rows[i]
		}
	}
	return slowest
}

// ends says where a row's line stops, and why; empty for one that goes on to the end.
func ends(row *result.Row) string {
	i := slices.IndexFunc(row.Curve, func(p result.Point) bool { return p.Beyond })
	if i < 0 {
		return ""
	}
	longer := "it is only known that they take longer than " + atLeast(row.Curve[i].Seconds)
	last := math.Inf(-1)
	for _, percent := range percents {
		if percent < row.Curve[i].Percent {
			last = percent
		}
	}
	if math.IsInf(last, -1) {
		return fmt.Sprintf("%s has no line: of its requests %s.", row.Name, longer)
	}
	return fmt.Sprintf("The line of %s ends at %s%%: from %s%% on %s.", row.Name, plainly(decimal(last, 3)),
		plainly(decimal(row.Curve[i].Percent, 4)), longer)
}

// insideCaption says where most of a row's requests are.
func insideCaption(row *result.Row) string {
	running, some := typical(row.Series, func(s *result.Sample) *float64 { return s.InFlight })
	if !some {
		busy, _ := typical(row.Series, func(s *result.Sample) *float64 { return s.Busy })
		return fmt.Sprintf("%s does not tell what goes on inside: %s.", clean(row.Name), waiting(busy, "for a reply"))
	}
	var rest []string
	if queued, _ := typical(row.Series, func(s *result.Sample) *float64 { return s.Queued }); queued >= 1 {
		rest = append(rest, waiting(queued, "in its queue"))
	}
	if accept, _ := typical(row.Series, func(s *result.Sample) *float64 { return s.AcceptQueue }); accept >= 1 {
		rest = append(rest, waiting(accept, "in the kernel's accept queue"))
	}
	if refused := row.Total.RefusedShare; refused != nil && *refused > 0.0005 {
		rest = append(rest, share(*refused)+" are refused")
	}
	works := fmt.Sprintf("%s works on %s at a time", clean(row.Name), plural(int(running), "request"))
	if rest == nil {
		return works + ", and none waits."
	}
	return works + ": " + list(rest) + "."
}

func waiting(n float64, where string) string {
	if n == 1 {
		return "1 waits " + where
	}
	return count(int(n)) + " wait " + where
}

// typical is the median of what is known of the samples.
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

// caption says who takes the most of a resource, and who the least.
func (k resource) caption(rows []result.Row) string {
	type peak struct {
		name  string
		value float64
	}
	var peaks []peak
	for i := range rows {
		most := math.Inf(-1)
		for j := range rows[i].Series {
			if value := k.of(&rows[i].Series[j]); value != nil {
				most = max(most, *value)
			}
		}
		if !math.IsInf(most, -1) {
			peaks = append(peaks, peak{clean(rows[i].Name), most})
		}
	}
	slices.SortStableFunc(peaks, func(a, b peak) int { return cmp.Compare(a.value, b.value) })
	least, most := peaks[0], peaks[len(peaks)-1]
	if least.value == most.value {
		return fmt.Sprintf("All hold %s at their peak.", k.text(&most.value)+k.thing)
	}
	return fmt.Sprintf("At its peak %s holds the most, %s, and %s the least, %s.", most.name, k.text(&most.value)+k.thing,
		least.name, k.text(&least.value))
}

// blockedCaption says how far the costs lie apart.
func blockedCaption(all []bar) string {
	least := slices.MinFunc(all, func(a, b bar) int { return cmp.Compare(a.length, b.length) })
	most := slices.MaxFunc(all, func(a, b bar) int { return cmp.Compare(a.length, b.length) })
	if len(all) == 1 || most.length < 1.1*least.length {
		return fmt.Sprintf("A request that blocks takes %s of memory.", most.value)
	}
	return fmt.Sprintf("A request that blocks takes the least memory in %s, %s, and the most in %s, %s: %s times as much.",
		least.name, least.value, most.name, most.value, decimal(most.length/least.length, 2))
}

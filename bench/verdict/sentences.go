package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"demo-server/bench/result"
)

// Sentences says in plain words what the comparisons of a result's rows came to, the fastest rows first.
func Sentences(r *result.Result) (sentences []string) {
	if m := result.MatrixOf(r.Rows); m != nil {
		sentences = matrixSentences(m)
	} else {
		sentences = comparing(r)
	}
	for _, row := range r.Rows {
		switch {
		case row.Failure != "":
			sentences = append(sentences, fmt.Sprintf("%s failed: %s.", row.Name, firstLine(row.Failure)))
		case row.Total.PerSecond == nil:
			sentences = append(sentences, fmt.Sprintf("%s: too few replies to count a rate.", row.Name))
		}
		if !row.Trusted {
			sentences = append(sentences, fmt.Sprintf("%s breaks its audit: do not trust its figures.", row.Name))
		}
	}
	return sentences
}

// comparing is of rows that are compared with each other.
func comparing(r *result.Result) (sentences []string) {
	s := speech{comparisons: map[[2]string]result.Comparison{}, load: r.Load}
	for _, c := range r.Comparisons {
		s.comparisons[[2]string{c.A, c.B}] = c
	}
	groups := s.groups(r.Rows)
	var doubtful []result.Row
	for i, group := range groups {
		switch {
		case i > 0 && s.of(groups[0][0], group[0]).Verdict == result.TooFew:
			doubtful = append(doubtful, group...)
		case i > 0:
			sentences = append(sentences, s.against(groups[0][0], group))
		case len(group) == 1:
			sentences = append(sentences, fmt.Sprintf("%s serves %s requests/s%s.", group[0].Name, rate(group[0]), s.reason(group[0])))
		default:
			sentences = append(sentences, fmt.Sprintf("%s serve the same, %s requests/s%s.", names(group), rates(group), s.reason(group[0])))
		}
	}
	if doubtful != nil {
		sentences = append(sentences, s.tooFew(groups[0][0], doubtful))
	}
	return sentences
}

// speech is what sentences are made of.
type speech struct {
	comparisons map[[2]string]result.Comparison
	load        result.Load
}

// of returns the comparison of b with a, in whatever order it was made.
func (s speech) of(a, b result.Row) result.Comparison {
	if c, ok := s.comparisons[[2]string{a.Name, b.Name}]; ok {
		return c
	}
	c := s.comparisons[[2]string{b.Name, a.Name}]
	if c.Ratio > 0 {
		c.Ratio = 1 / c.Ratio
	}
	if c.Low > 0 {
		c.Low, c.High = 1/c.High, 1/c.Low
	}
	return c
}

// groups puts rows together that are all the same as each other, the fastest first.
func (s speech) groups(rows []result.Row) (groups [][]result.Row) {
	rows = slices.DeleteFunc(slices.Clone(rows), func(row result.Row) bool { return row.Total.PerSecond == nil })
	slices.SortStableFunc(rows, func(a, b result.Row) int { return cmp.Compare(*b.Total.PerSecond, *a.Total.PerSecond) })
	for _, row := range rows {
		i := slices.IndexFunc(groups, func(group []result.Row) bool {
			return !slices.ContainsFunc(group, func(member result.Row) bool { return s.of(member, row).Verdict != result.Same })
		})
		if i < 0 {
			groups = append(groups, []result.Row{row})
		} else {
			groups[i] = append(groups[i], row)
		}
	}
	return groups
}

// against says how a group compares with the reference.
func (s speech) against(reference result.Row, group []result.Row) string {
	c := s.of(reference, group[0])
	who, serve := names(group), "serves"
	if len(group) > 1 {
		who, serve = who+", the same as each other,", "serve"
	}
	if c.Verdict == result.Different {
		return fmt.Sprintf("%s %s %s %s%s.", who, serve, share(c.Ratio), reference.Name, expected(group[0]))
	}
	// As the reference, but not as all of its group.
	return fmt.Sprintf("%s %s the same as %s, %s requests/s.", who, serve, reference.Name, rates(group))
}

// usual is how many rounds are enough on a quiet machine, and the default of the command.
const usual = 6

// tooFew says which rows cannot be told from the reference, and what would help.
func (s speech) tooFew(reference result.Row, rows []result.Row) string {
	var each []string
	repeats := usual
	for _, row := range rows {
		c := s.of(reference, row)
		if c.Rounds < 2 {
			each = append(each, fmt.Sprintf("%s (%s requests/s)", row.Name, rate(row)))
			continue
		}
		each = append(each, fmt.Sprintf("%s (%+.1f%% to %+.1f%%)", row.Name, 100*(c.Low-1), 100*(c.High-1)))
		if c.Rounds >= usual {
			repeats = max(repeats, s.enough(c))
		}
	}
	return fmt.Sprintf("Too few repeats to tell %s from %s: try --repeat %d.", list(each), reference.Name, repeats)
}

// enough is about how many rounds would tell: the interval narrows with their root. It means little of fewer than usual.
func (s speech) enough(c result.Comparison) int {
	half := (math.Log(c.High) - math.Log(c.Low)) / 2
	room := math.Abs(math.Abs(math.Log(c.Ratio)) - math.Log1p(s.load.Margin))
	needed := math.Ceil(float64(c.Rounds) * (half / room) * (half / room))
	return int(min(max(needed, float64(c.Rounds+1)), mostRepeats))
}

// mostRepeats is as many as the command takes.
const mostRepeats = 1000

// shares are words for ratios.
var shares = []struct {
	ratio float64
	words string
}{
	{2, "twice as many requests as"}, {1. / 2, "half of"}, {1. / 3, "a third of"}, {1. / 4, "a quarter of"},
	{1. / 5, "a fifth of"}, {1. / 10, "a tenth of"},
}

// share is a ratio in words, where there are some within 3%.
func share(ratio float64) string {
	for _, s := range shares {
		if math.Abs(ratio/s.ratio-1) < 0.03 {
			return s.words
		}
	}
	part := math.Round(1 / ratio)
	switch {
	case part >= 6 && math.Abs(part*ratio-1) < 0.03:
		return fmt.Sprintf("1/%.0f of", part)
	case ratio > 1.1:
		return fmt.Sprintf("%.3g times as many requests as", ratio)
	case ratio > 1:
		return fmt.Sprintf("%.1f%% more than", 100*(ratio-1))
	case ratio > 0.9:
		return fmt.Sprintf("%.1f%% less than", 100*(1-ratio))
	}
	return fmt.Sprintf("%.3g of", ratio)
}

// predicted is how far off theory may be to have expected it.
const predicted = 0.02

// reason says why a row serves as much as it does, where that is known.
func (s speech) reason(row result.Row) string {
	ceiling := row.Total.Ceiling
	if ceiling == nil || math.Abs(*row.Total.PerSecond / *ceiling - 1) > predicted {
		return expected(row)
	}
	if s.load.Loop == "open" {
		return ": all that is asked for"
	}
	return fmt.Sprintf(": the client is the bound, %d of them / %s = %.4g", s.load.Concurrency, seconds(*row.Delay), *ceiling)
}

// seconds is a delay as it is written in settings.
func seconds(s float64) string { return time.Duration(s * float64(time.Second)).String() }

// expected says whether theory knew, and why.
func expected(row result.Row) string {
	if row.Prediction == nil || row.Prediction.PerSecond == nil {
		return ""
	}
	theory := *row.Prediction.PerSecond
	if math.Abs(*row.Total.PerSecond/theory-1) > predicted {
		return fmt.Sprintf(", though theory predicts %.4g", theory)
	}
	if row.Bound == "" {
		return ", as predicted"
	}
	return ", as predicted: " + row.Bound
}

func rate(row result.Row) string { return fmt.Sprintf("%.4g", *row.Total.PerSecond) }

// rates are those of rows that are sorted, the fastest first.
func rates(rows []result.Row) string {
	low, high := rate(rows[len(rows)-1]), rate(rows[0])
	if low == high {
		return low
	}
	return low + " to " + high
}

// names lists the rows.
func names(rows []result.Row) string {
	var all []string
	for _, row := range rows {
		all = append(all, row.Name)
	}
	return list(all)
}

func list(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

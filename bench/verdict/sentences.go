package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"demo-server/bench/result"
)

// Sentences returns the verdict on a result's rows in plain sentences, in the order of the rows.
func Sentences(r *result.Result) (sentences []string) {
	if m := result.MatrixOf(r.Rows); m != nil {
		sentences = matrixSentences(m)
	} else {
		sentences = comparing(r)
	}
	return slices.Concat(sentences, untrusted(r.Rows), unmeasured(r.Rows))
}

// comparing returns sentences that compare the rows with the reference.
func comparing(r *result.Result) (sentences []string) {
	first := reference(r.Rows)
	if first == nil {
		return nil
	}
	s := speech{reference: *first, load: r.Load}
	for _, c := range r.Comparisons {
		s.add(c, r.Rows)
	}
	if skipped := r.Rows[0]; skipped.Name != first.Name && len(r.Comparisons) > 0 {
		why := "has no rate to compare with"
		if skipped.Failure != "" {
			why = "failed"
		}
		sentences = append(sentences, fmt.Sprintf("%s %s: %s is the reference.", skipped.Name, why, first.Name))
	}
	sentences = append(sentences, fmt.Sprintf("%s serves %s requests/s%s.", first.Name, rate(*first), s.reason(*first)))
	if s.same != nil {
		sentences = append(sentences, fmt.Sprintf("%s %s the same as %s (%s requests/s, within %s).",
			names(s.same), verb(s.same, "serves", "serve"), first.Name, rateSpan(s.same), short(r.Load.Margin)))
	}
	for _, d := range s.different {
		sentences = append(sentences, fmt.Sprintf("%s %s %s.", names(d.rows), verb(d.rows, "serves", "serve"), d.words))
	}
	if s.near != nil {
		sentences = append(sentences, s.notYet())
	}
	if s.doubtful != nil {
		sentences = append(sentences, s.tooFew())
	}
	return sentences
}

// A speech groups the rows by the sentence to say about them.
type speech struct {
	reference result.Row
	load      result.Load

	same      []result.Row
	different []difference
	near      []result.Row        // within the margin in each of too few rounds
	apart     float64             // largest relative difference of near from the reference in a round
	doubtful  []result.Row        // other rows without a clear verdict
	unclear   []result.Comparison // comparisons of doubtful
}

// A difference holds rows and how they differ from the reference, in words.
type difference struct {
	words string
	rows  []result.Row
}

// add adds the row of a comparison with the reference to its group.
func (s *speech) add(c result.Comparison, rows []result.Row) {
	row := rows[slices.IndexFunc(rows, func(row result.Row) bool { return row.Name == c.B })]
	apart := furthest(s.rounds(row))
	switch {
	case c.Verdict == result.Same:
		s.same = append(s.same, row)
	case c.Verdict == result.Different:
		s.differs(row, share(c.Ratio)+" "+s.reference.Name+expected(row))
	case c.Rounds > 0 && c.Rounds < minRounds && apart <= s.load.Margin:
		s.near, s.apart = append(s.near, row), max(s.apart, apart)
	default:
		s.doubtful, s.unclear = append(s.doubtful, row), append(s.unclear, c)
	}
}

// differs adds a row to the rows that differ in the same words.
func (s *speech) differs(row result.Row, words string) {
	i := slices.IndexFunc(s.different, func(d difference) bool { return d.words == words })
	if i < 0 {
		i, s.different = len(s.different), append(s.different, difference{words: words})
	}
	s.different[i].rows = append(s.different[i].rows, row)
}

// rounds returns the logarithm of the ratio of a row to the reference, for each round.
func (s *speech) rounds(row result.Row) []float64 { return ratios(rates(s.reference), rates(row)) }

// furthest returns the largest relative difference in a round.
func furthest(logarithms []float64) (by float64) {
	for _, x := range logarithms {
		by = max(by, math.Expm1(math.Abs(x)))
	}
	return by
}

// enoughRounds is the number of rounds that suffices on a quiet machine. It is the default of the command.
const enoughRounds = 6

// notYet returns a sentence on how close rows were to the reference in too few rounds to call them the same.
func (s *speech) notYet() string {
	rounds := "the only round"
	if slices.ContainsFunc(s.near, func(row result.Row) bool { return len(s.rounds(row)) > 1 }) {
		rounds = "both rounds"
	}
	return fmt.Sprintf("%s %s within %.1f%% of %s in %s; more rounds would show whether that is a difference: --repeat %d.",
		names(s.near), verb(s.near, "was", "were"), max(0.1, math.Ceil(1000*s.apart)/10), s.reference.Name, rounds, enoughRounds)
}

// tooFew returns a sentence that names the rows without a clear verdict, and how many rounds to try.
func (s *speech) tooFew() string {
	var each []string
	repeats := enoughRounds
	for i, row := range s.doubtful {
		c := s.unclear[i]
		each = append(each, fmt.Sprintf("%s (%s)", row.Name, s.changes(row, c)))
		if c.Rounds >= enoughRounds {
			repeats = max(repeats, s.enough(c))
		}
	}
	return fmt.Sprintf("Too few repeats to tell %s from %s: try --repeat %d.", list(each), s.reference.Name, repeats)
}

// changes returns how a row differed from the reference: the interval, or each round if there are few.
func (s *speech) changes(row result.Row, c result.Comparison) string {
	if c.Rounds >= minRounds {
		return fmt.Sprintf("%+.1f%% to %+.1f%%", 100*(c.Low-1), 100*(c.High-1))
	}
	var each []string
	for _, x := range s.rounds(row) {
		each = append(each, fmt.Sprintf("%+.1f%%", 100*math.Expm1(x)))
	}
	if each == nil {
		return "no round has both"
	}
	return list(each)
}

// enough returns about how many rounds a clear verdict needs: the interval narrows with their square root. It is a
// rough guess for fewer than enoughRounds.
func (s *speech) enough(c result.Comparison) int {
	half := (math.Log(c.High) - math.Log(c.Low)) / 2
	room := math.Abs(math.Abs(math.Log(c.Ratio)) - math.Log1p(s.load.Margin))
	needed := math.Ceil(float64(c.Rounds) * (half / room) * (half / room))
	return int(min(max(needed, float64(c.Rounds+1)), maxRepeats))
}

// maxRepeats is the maximum number of repeats that the command accepts.
const maxRepeats = 1000

// shares lists words for ratios.
var shares = []struct {
	ratio float64
	words string
}{
	{2, "twice as many requests as"}, {1. / 2, "half of"}, {1. / 3, "a third of"}, {1. / 4, "a quarter of"},
	{1. / 5, "a fifth of"}, {1. / 10, "a tenth of"},
}

// share returns a ratio in words. It uses a fraction or a multiple within 3% of the ratio, if there is one.
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

// predicted is the relative error up to which a rate counts as predicted.
const predicted = 0.02

// reason returns why a row serves as much as it does, or "" if that is unknown.
func (s *speech) reason(row result.Row) string {
	ceiling := row.Total.Ceiling
	switch {
	case ceiling == nil || math.Abs(*row.Total.PerSecond / *ceiling - 1) > predicted:
		return expected(row)
	case s.load.Loop == "open":
		return ": all that is asked for"
	case row.Delay == nil:
		return ""
	}
	return fmt.Sprintf(": the clients are the bottleneck, %d / %s = %.4g", s.load.Concurrency, seconds(*row.Delay), *ceiling)
}

// seconds formats a delay as settings do.
func seconds(s float64) string { return time.Duration(s * float64(time.Second)).String() }

// expected returns whether theory predicted the rate, and the limit.
func expected(row result.Row) string {
	switch {
	case row.Prediction == nil || row.Prediction.PerSecond == nil:
		return ""
	case !asPredicted(row, predicted):
		return fmt.Sprintf(", though theory predicts %.4g", *row.Prediction.PerSecond)
	case row.Bound == "":
		return ", as predicted"
	}
	return ", as predicted: " + row.Bound
}

// untrusted returns a sentence that names the rows that break an audit, or nil.
func untrusted(rows []result.Row) []string {
	rows = slices.DeleteFunc(slices.Clone(rows), func(row result.Row) bool { return row.Trusted })
	if len(rows) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s %s: do not trust %s figures.", names(rows), verb(rows, "breaks its audit", "break their audits"),
		verb(rows, "its", "their"))}
}

// unmeasured returns sentences on why rows have no rate, or were not measured to their end.
func unmeasured(rows []result.Row) (sentences []string) {
	for _, row := range rows {
		total := row.Total
		switch {
		case row.Failure != "":
			sentences = append(sentences, fmt.Sprintf("%s failed: %s.", row.Name, firstLine(row.Failure)))
		case total.PerSecond != nil:
		case len(row.Repeats) == 0:
			sentences = append(sentences, row.Name+" was not measured.")
		case total.Answered == 0:
			sentences = append(sentences, fmt.Sprintf("%s: no right reply: %s.", row.Name, otherReplies(total.Counts)))
		default:
			sentences = append(sentences, fmt.Sprintf("%s: %d right %s: too few to count a rate.", row.Name, total.Answered,
				plural(total.Answered, "reply", "replies")))
		}
	}
	return sentences
}

// otherReplies counts the requests without a right reply, by outcome.
func otherReplies(c result.Counts) string {
	var all []string
	for _, kind := range []struct {
		n    int
		name string
	}{
		{c.Refused, "refused"}, {c.Connect, "without a connection"}, {c.Timeout, "timed out"}, {c.Broken, "broken off"},
		{c.Status, "with another status"}, {c.Body, "with a wrong body"}, {c.Unfinished, "unfinished"},
	} {
		if kind.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", kind.n, kind.name))
		}
	}
	if all == nil {
		return "no request was sent"
	}
	return strings.Join(all, ", ")
}

func rate(row result.Row) string { return fmt.Sprintf("%.4g", *row.Total.PerSecond) }

// rateSpan returns the range of rates of the rows.
func rateSpan(rows []result.Row) string {
	perSecond := func(row result.Row) float64 { return *row.Total.PerSecond }
	slowest := slices.MinFunc(rows, func(a, b result.Row) int { return cmp.Compare(perSecond(a), perSecond(b)) })
	fastest := slices.MaxFunc(rows, func(a, b result.Row) int { return cmp.Compare(perSecond(a), perSecond(b)) })
	low, high := rate(slowest), rate(fastest)
	if low == high {
		return low
	}
	return low + " to " + high
}

// short formats a relative difference that a user chose, such as 2%.
func short(part float64) string { return strconv.FormatFloat(100*part, 'g', 3, 64) + "%" }

// verb returns the verb form for this number of rows.
func verb(rows []result.Row, one, several string) string { return plural(len(rows), one, several) }

func plural(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// names returns the names of the rows as a list in words.
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

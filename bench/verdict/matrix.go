package verdict

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"demo-server/bench/result"
)

// unbound is the predicted share of the ceiling from which only the clients limit a row.
const unbound = 0.95

// noticeable is the relative difference between a share and its prediction above which sentences mention it.
const noticeable = 0.1

// matrixSentences returns sentences on which limits hold which rows of a matrix. It names each limit once, with all
// its rows, and leaves out predicted figures of single rows.
func matrixSentences(m *result.Matrix) (sentences []string) {
	if kinds := freeKinds(m); kinds != nil {
		sentences = append(sentences, fmt.Sprintf("%s: what nothing bounds reaches %s of the ceiling, whatever the mode.",
			list(kinds), span(m, kinds)))
	}
	whatever := wholeRows(m)
	for _, bound := range bounds(m) {
		sentences = append(sentences, boundSentence(m, bound, whatever))
	}
	return append(sentences, offSentences(m)...)
}

// A bounded holds a limit in words and the rows that it limits.
type bounded struct {
	words string
	rows  []*result.Row
}

// rowsOf returns the rows of a matrix whose share is known, kind by kind.
func rowsOf(m *result.Matrix) (rows []*result.Row) {
	for _, kind := range m.Kinds {
		for _, server := range m.Servers {
			if row := m.At(server, kind); row != nil && row.Total.Share() != nil {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// isBound reports whether theory predicts that the row's limit keeps it below the ceiling, and the row does not serve
// noticeably more than predicted.
func isBound(row *result.Row) bool {
	predicted := row.Prediction.Share()
	return row.Bound != "" && predicted != nil && *predicted < unbound && *row.Total.Share() <= *predicted*(1+noticeable)
}

// bounds returns the limits that keep rows below the ceiling, in the order of the rows.
func bounds(m *result.Matrix) (all []bounded) {
	for _, row := range rowsOf(m) {
		if !isBound(row) {
			continue
		}
		i := slices.IndexFunc(all, func(b bounded) bool { return b.words == row.Bound })
		if i < 0 {
			i, all = len(all), append(all, bounded{words: row.Bound})
		}
		all[i].rows = append(all[i].rows, row)
	}
	return all
}

// wholeRows returns the servers that the same limit holds with every kind of work: the limit is the server's, not the
// work's.
func wholeRows(m *result.Matrix) (servers []string) {
	for _, server := range m.Servers {
		words := ""
		same := true
		for i, kind := range m.Kinds {
			row := m.At(server, kind)
			if row == nil || row.Total.Share() == nil || !isBound(row) || i > 0 && row.Bound != words {
				same = false
				break
			}
			words = row.Bound
		}
		if same {
			servers = append(servers, server)
		}
	}
	return servers
}

func boundSentence(m *result.Matrix, b bounded, whatever []string) string {
	var servers, kinds, cells []string
	for _, row := range b.rows {
		cells = append(cells, row.Name)
		if !slices.Contains(servers, row.Server()) {
			servers = append(servers, row.Server())
		}
		if !slices.Contains(kinds, row.Work) {
			kinds = append(kinds, row.Work)
		}
	}
	others := slices.DeleteFunc(slices.Clone(m.Servers), func(s string) bool { return slices.Contains(whatever, s) })
	switch {
	case len(kinds) == len(m.Kinds) && len(b.rows) == len(servers)*len(kinds):
		return fmt.Sprintf("%s: %s %s %s, whatever the work is.", list(servers), b.words, b.verb(), it(servers))
	case len(b.rows) == len(others)*len(kinds) && slices.Equal(servers, others):
		every := "every mode"
		if len(whatever) > 0 {
			every = "every mode but " + list(whatever)
		}
		return fmt.Sprintf("%s: %s %s %s, at %s of the ceiling.", list(kinds), b.words, b.verb(), every, spanOf(b.rows))
	}
	return fmt.Sprintf("%s: %s %s %s, at %s of the ceiling.", list(cells), b.words, b.verb(), it(cells), spanOf(b.rows))
}

// verb returns the verb for the limit: one slot bounds, three slots bound.
func (b bounded) verb() string {
	if strings.HasPrefix(b.words, "1 ") {
		return "bounds"
	}
	return "bound"
}

func it(names []string) string {
	if len(names) > 1 {
		return "them"
	}
	return "it"
}

// freeKinds returns the kinds of work with which all servers without a limit of their own reach the ceiling.
func freeKinds(m *result.Matrix) (kinds []string) {
	for _, kind := range m.Kinds {
		free, others := 0, 0
		for _, server := range m.Servers {
			switch row := m.At(server, kind); {
			case row == nil || row.Total.Share() == nil || isBound(row):
			case *row.Total.Share() >= 1-noticeable:
				free++
			default:
				others++
			}
		}
		if free > 0 && others == 0 {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// span returns the range of shares of the rows that are not limited.
func span(m *result.Matrix, kinds []string) string {
	var rows []*result.Row
	for _, row := range rowsOf(m) {
		if slices.Contains(kinds, row.Work) && !isBound(row) {
			rows = append(rows, row)
		}
	}
	return spanOf(rows)
}

func spanOf(rows []*result.Row) string {
	low, high := math.Inf(1), 0.0
	for _, row := range rows {
		part := *row.Total.Share()
		low, high = min(low, part), max(high, part)
	}
	from, to := percent(low), percent(high)
	if from == to {
		return to
	}
	return from + " to " + to
}

func percent(part float64) string {
	if part < 0.1 {
		return fmt.Sprintf("%.1f%%", 100*part)
	}
	return fmt.Sprintf("%.0f%%", 100*part)
}

// offSentences returns a sentence for each row whose share is noticeably off its prediction.
func offSentences(m *result.Matrix) (sentences []string) {
	for _, row := range rowsOf(m) {
		part, predicted := *row.Total.Share(), row.Prediction.Share()
		if predicted == nil || math.Abs(part / *predicted - 1) <= noticeable {
			continue
		}
		why := ""
		if slices.ContainsFunc(row.Notes, func(note string) bool { return strings.Contains(note, "off the prediction") }) {
			why = ": see the notes"
		}
		sentences = append(sentences, fmt.Sprintf("%s reaches %s of the ceiling, where theory predicts %s%s.",
			row.Name, percent(part), percent(*predicted), why))
	}
	return sentences
}

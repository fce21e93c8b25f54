// Package expect checks conditions on the figures of a bench run, such as pool(50).p99<2.1s.
//
// It must not know how a figure was measured, nor the consequence of a failed condition.
package expect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"demo-server/bench/result"
)

// A Condition compares a figure of a row with a value.
type Condition struct {
	Text   string // as the user wrote it
	Row    string // its name
	figure figure
	op     string // one of operators
	want   float64
}

// operators holds the comparisons. A single = is read as ==.
var operators = []string{"==", "!=", "<", "<=", ">", ">="}

// operatorRunes holds the characters of operators. Neither figures nor values contain them.
const operatorRunes = "=!<>"

// An UnknownError reports a name in a condition that does not exist.
type UnknownError struct {
	What  string // "row" or "figure"
	Name  string
	Known []string // the names that exist
}

// Error returns one line with the name and the existing names.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("%s %.60q is not known; known: %s", e.What, e.Name, strings.Join(e.Known, ", "))
}

// errForm is the error for a text that is not a condition at all.
var errForm = errors.New("not a condition; want ROW.FIGURE, a comparison and a value, such as pool(50).p99<2.1s")

// Parse reads a condition on one of the rows: the row's name, a dot, the figure's name in the JSON, an operator and a
// value. Spaces around the operator are ignored. A row's name may contain dots and operators.
//
// The error is an *UnknownError if the row or the figure does not exist.
func Parse(text string, rows []string) (Condition, error) {
	row, rest, ok := cutRow(strings.TrimSpace(text), rows)
	if !ok {
		return Condition{}, wrongRow(text, rows)
	}
	name, op, value, ok := cutOperator(rest)
	if !ok {
		return Condition{}, errForm
	}
	i := slices.IndexFunc(figures, func(f figure) bool { return f.name == name })
	if i < 0 {
		return Condition{}, &UnknownError{What: "figure", Name: name, Known: Figures()}
	}
	if op == "=" {
		op = "=="
	}
	if !slices.Contains(operators, op) {
		return Condition{}, fmt.Errorf("operator %.60q is not known; known: %s", op, strings.Join(operators, ", "))
	}
	want, err := figures[i].kind.parse(value)
	if err != nil {
		return Condition{}, fmt.Errorf("%s: %w", name, err)
	}
	return Condition{Text: text, Row: row, figure: figures[i], op: op, want: want}, nil
}

// cutRow cuts the longest matching row name, and the dot after it, off a condition.
func cutRow(text string, rows []string) (row, rest string, ok bool) {
	for _, name := range rows {
		if after, is := strings.CutPrefix(text, name+"."); is && (!ok || len(name) > len(row)) {
			row, rest, ok = name, after, true
		}
	}
	return row, rest, ok
}

// cutOperator cuts a condition without its row at the operator.
func cutOperator(rest string) (figure, op, value string, ok bool) {
	from := strings.IndexAny(rest, operatorRunes)
	if from <= 0 {
		return "", "", "", false
	}
	value = strings.TrimLeft(rest[from:], operatorRunes)
	op = rest[from : len(rest)-len(value)]
	return strings.TrimSpace(rest[:from]), op, strings.TrimSpace(value), true
}

// wrongRow returns the error of a condition that begins with none of the rows. The row is assumed to be the text left
// of the last operator, without a figure's name, or else without the part after the last dot.
func wrongRow(text string, rows []string) error {
	end := strings.LastIndexAny(text, operatorRunes)
	if end < 0 {
		return errForm
	}
	left := strings.TrimSpace(strings.TrimRight(text[:end], operatorRunes))
	dot := strings.LastIndexByte(left, '.')
	for _, f := range figures {
		if row, is := strings.CutSuffix(left, "."+f.name); is {
			dot = len(row)
			break
		}
	}
	if dot <= 0 || slices.Contains(rows, left) {
		return errForm
	}
	return &UnknownError{What: "row", Name: left[:dot], Known: rows}
}

// Check compares the figure of all repeats together with the value. An unknown figure fails any condition.
func (c Condition) Check(r *result.Result) result.Expectation {
	met, why := c.check(r)
	return result.Expectation{Text: c.Text, Met: met, Why: why}
}

func (c Condition) check(r *result.Result) (met bool, why string) {
	for _, left := range r.Left {
		if left.Name == c.Row {
			return false, "the row was left out: " + left.Why
		}
	}
	i := slices.IndexFunc(r.Rows, func(row result.Row) bool { return row.Name == c.Row })
	switch {
	case i < 0:
		return false, "the row was not measured"
	case r.Rows[i].Failure != "":
		reason, _, _ := strings.Cut(r.Rows[i].Failure, "\n")
		return false, "the row failed: " + reason
	case len(r.Rows[i].Repeats) == 0:
		return false, "the row was not measured"
	}
	got, beyond, known := c.figure.of(&r.Rows[i].Total)
	switch {
	case !known:
		return false, c.figure.name + " was not measured"
	case beyond:
		return c.checkBeyond(got)
	}
	return c.holds(got), fmt.Sprintf("%s is %s", c.figure.name, c.format(got))
}

// checkBeyond compares a censored duration, which is only known to be longer than d. If d reaches the wanted duration,
// the answer is certain. If d is shorter, both answers are possible, and the condition fails.
func (c Condition) checkBeyond(d float64) (met bool, why string) {
	if d < c.want {
		return false, fmt.Sprintf("%s is only known to be longer than %s", c.figure.name, c.format(d))
	}
	longer := c.op == ">" || c.op == ">=" || c.op == "!="
	return longer, fmt.Sprintf("%s is longer than %s", c.figure.name, c.format(d))
}

// holds reports whether a known figure meets the condition. Equality is exact, also for fractions.
func (c Condition) holds(got float64) bool {
	switch c.op {
	case "==":
		return got == c.want
	case "!=":
		return got != c.want
	case "<":
		return got < c.want
	case "<=":
		return got <= c.want
	case ">":
		return got > c.want
	}
	return got >= c.want
}

// format returns a figure with at least four digits, and as many as the condition needs to keep its answer.
func (c Condition) format(got float64) string {
	for digits := 4; digits < 17; digits++ {
		if short := round(got, digits); c.holds(short) == c.holds(got) {
			return c.figure.kind.format(short)
		}
	}
	return c.figure.kind.format(got)
}

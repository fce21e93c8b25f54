package benchspec

import (
	"errors"
	"fmt"
	"strings"

	"demo-server/bench/expect"
	"demo-server/bench/originals"
	"demo-server/configs"
)

// checkExpect parses the conditions of --expect, and reports rows and figures that do not exist.
func (r *Run) checkExpect(k *checker) {
	names, err := r.expectableRows(k)
	if err != nil {
		return // checkRows has reported it
	}
	for _, text := range r.Expect {
		condition, err := expect.Parse(text, names)
		var unknown *expect.UnknownError
		switch {
		case err == nil:
			r.expected = append(r.expected, condition)
		case !errors.As(err, &unknown):
			k.errorf("flag --expect %s: %s", configs.Quote(text), err)
		case unknown.What == "figure":
			k.errorf("flag --expect %s: figure %s is not known; %s", configs.Quote(text), configs.Quote(unknown.Name),
				nearestFigure(unknown))
		case !r.rowsWrong(k):
			k.errorf("flag --expect %s: row %s is not known; %s", configs.Quote(text), configs.Quote(unknown.Name),
				configs.DidYouMean(unknown.Name, unknown.Known))
		}
	}
}

// nearestFigure returns the end of a message about an unknown figure: the nearest one, or all of them if none resembles
// it.
func nearestFigure(unknown *expect.UnknownError) string {
	if nearest := configs.Nearest(unknown.Name, unknown.Known); nearest != "" {
		return fmt.Sprintf("did you mean %q? %q lists all", nearest, program+" bench --help")
	}
	return "known: " + strings.Join(unknown.Known, ", ")
}

// expectableRows returns the names of all possible rows. They include all of the article's programs, because Check does
// not know yet which of them this machine can run.
func (r *Run) expectableRows(in Input) (names []string, err error) {
	rows, err := r.rows(in)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		names = append(names, row.Name)
	}
	if r.Originals {
		for _, p := range originals.Programs() {
			names = append(names, p.Name)
		}
	}
	return names, nil
}

// rowsWrong reports whether rows are missing because a flag for rows has a wrong value.
func (r *Run) rowsWrong(in Input) bool {
	for _, name := range []string{"modes", "row", "work", "python", "against", "url"} {
		if in.Wrong(name) {
			return true
		}
	}
	return false
}

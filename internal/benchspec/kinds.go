package benchspec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"demo-server/bench"
	"demo-server/bench/result"
	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/work/kinds"
)

// A WorkList is the names of kinds of work.
type WorkList []string

func (WorkList) Choices() []string { return append([]string{allWork}, kinds.Names()...) }

// allWork stands for every kind that can be done with the settings.
const allWork = "all"

// UnmarshalText takes names with commas between them, or "all".
func (l *WorkList) UnmarshalText(text []byte) error {
	*l = nil
	var wrong []error
	for name := range strings.SplitSeq(string(text), ",") {
		if slices.Contains(*l, name) {
			wrong = append(wrong, fmt.Errorf("%s is given twice", configs.Quote(name)))
		}
		*l = append(*l, name)
		if name == allWork && string(text) != allWork {
			wrong = append(wrong, errors.New(`"all" goes with no other`))
		}
		wrong = append(wrong, configs.OneOf(name, l.Choices()))
	}
	return errors.Join(wrong...)
}

// kinds are those to run: without --work none, which leaves it to the settings.
func (r *Run) kinds(in Input) []string {
	if !r.allWork() {
		return r.Work
	}
	return slices.DeleteFunc(kinds.Names(), func(kind string) bool { return missing(in, kind) != nil })
}

func (r *Run) allWork() bool { return slices.Equal(r.Work, []string{allWork}) }

// SkippedKinds returns why kinds of work are left out of --work=all, an error for each.
func (r *Run) SkippedKinds(in Input) (errs []error) {
	if !r.allWork() {
		return nil
	}
	for _, kind := range kinds.Names() {
		if err := missing(in, kind); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// missing returns an error if the settings lack something without which a kind of work cannot be chosen.
func missing(in Input, kind string) error {
	settings, err := in.Settings()
	if err != nil {
		return err
	}
	return catalog.Missing(settings, kind)
}

// cross are the variants with each kind of work. One that has a kind of its own keeps that, and is there once.
func cross(variants []Variant, kinds []string) (all []Variant) {
	if len(kinds) == 0 {
		return variants
	}
	for i, kind := range kinds {
		for _, v := range variants {
			switch {
			case !v.sets("work"):
				v.kind = kind
			case i > 0:
				continue
			}
			all = append(all, v)
		}
	}
	return all
}

func (v Variant) sets(name string) bool {
	return slices.ContainsFunc(v.settings, func(s configs.Flag) bool { return s.Name == name })
}

// allSettings are the settings that set the variant apart.
func (v Variant) allSettings() []configs.Flag {
	if v.kind == "" {
		return v.settings
	}
	return append(slices.Clip(v.settings), configs.Flag{Name: "work", Value: v.kind})
}

// labelByKind puts the kind of work into the names of rows that have several.
func labelByKind(rows []bench.Row) {
	if !slices.ContainsFunc(rows, func(row bench.Row) bool { return row.Work != rows[0].Work }) {
		return
	}
	for i := range rows {
		rows[i].Name += result.Times + rows[i].Work
	}
}

// applyWorkLimit limits a row by its work, if that serves fewer requests at a time than the mode.
func applyWorkLimit(row *bench.Row, settings *configs.Settings) {
	capacity, shared := catalog.OfWork(settings)
	if shared {
		row.Cores = capacity.N
	} else {
		row.Slots = capacity.N
	}
	if capacity.N > 0 && (row.Places == 0 || capacity.N < row.Places) {
		row.Bound = capacity.PerDelay(settings.Delay)
	}
}

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

// A WorkList holds names of kinds of work.
type WorkList []string

func (WorkList) Choices() []string { return append([]string{allWork}, kinds.Names()...) }

// allWork stands for every kind that the settings allow.
const allWork = "all"

// UnmarshalText parses names with commas between them, or "all".
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

// kinds returns the kinds of work to run. It returns none without --work, which leaves the choice to the settings.
func (r *Run) kinds(in Input) []string {
	if !r.allWork() {
		return r.Work
	}
	return slices.DeleteFunc(kinds.Names(), func(kind string) bool { return missing(in, kind) != nil })
}

func (r *Run) allWork() bool { return slices.Equal(r.Work, []string{allWork}) }

// SkippedKinds returns an error for each kind of work that --work=all skips.
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

// missing returns an error if the settings lack something that a kind of work needs.
func missing(in Input, kind string) error {
	settings, err := in.Settings()
	if err != nil {
		return err
	}
	return catalog.Missing(settings, kind)
}

// cross combines variants with kinds of work. A variant with its own kind keeps that, and occurs once.
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

// allSettings returns the settings that distinguish the variant, with its kind of work.
func (v Variant) allSettings() []configs.Flag {
	if v.kind == "" {
		return v.settings
	}
	return append(slices.Clip(v.settings), configs.Flag{Name: "work", Value: v.kind})
}

// labelByKind adds the kind of work to the names of the rows, if there are several kinds.
func labelByKind(rows []bench.Row) {
	if !slices.ContainsFunc(rows, func(row bench.Row) bool { return row.Work != rows[0].Work }) {
		return
	}
	for i := range rows {
		rows[i].Name += result.Times + rows[i].Work
	}
}

// applyWorkLimit limits a row by its work, if the work allows fewer requests at the same time than the mode.
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

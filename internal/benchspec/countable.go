package benchspec

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"demo-server/bench"
	"demo-server/units"
)

// checkCountable reports rows that would get too few replies to count a rate. For ab, the command checks that later,
// because it does not know yet how ab sends its first request.
func (r *Run) checkCountable(k *checker) {
	if k.failed() || r.With == bench.AB {
		return
	}
	config, err := r.Config(k)
	if err != nil {
		return // the command reports it
	}
	k.errs = append(k.errs, Uncountable(k, bench.NewPlan(config, false))...)
}

// Uncountable returns an error for each flag whose value allows too few replies, with the affected rows and the
// smallest value that works.
func Uncountable(in Input, plan *bench.Plan) (errs []error) {
	var shortages []shortage
	for _, row := range plan.Uncountable() {
		delay := delayOf(plan, row.Name)
		for _, p := range problems(in, plan.Config, row) {
			i := slices.IndexFunc(shortages, func(s shortage) bool { return s.problem == p && s.delay == delay })
			if i < 0 {
				i = len(shortages)
				shortages = append(shortages, shortage{problem: p, delay: delay})
			}
			shortages[i].rows = append(shortages[i].rows, row.Name)
		}
	}
	for _, s := range shortages {
		errs = append(errs, errors.New(s.line(plan)))
	}
	return errs
}

// A shortage is a problem of rows with the same delay.
type shortage struct {
	problem
	delay time.Duration
	rows  []string
}

// A problem is a value that allows too few replies.
type problem struct {
	flag  string // as given
	value string
	is    string // too short, or too few
	want  string // the smallest value that works; empty if none does
}

// line returns the message, with the flag, its value, the rows and the smallest value that works.
func (s shortage) line(plan *bench.Plan) string {
	config := plan.Config
	load := units.Count(config.Concurrency, "client")
	if config.Rate > 0 {
		load = fmt.Sprintf("%g requests/s", config.Rate)
	}
	load += ", a delay of " + units.FormatDuration(s.delay)
	if config.Warmup > 0 {
		load += ", a warm-up of " + units.FormatDuration(config.Warmup)
	}
	rows := enumerate(s.rows)
	if len(s.rows) > 1 && len(s.rows) == len(plan.Planned) {
		rows = "any row"
	}
	line := fmt.Sprintf("flag %s: %s %s to count the replies of %s (%s); ", s.flag, s.value, s.is, rows, load)
	if s.want == "" {
		return line + "no value is enough"
	}
	line += "want at least " + s.want
	if config.Requests == 0 {
		line += ", or a shorter delay"
	}
	return line
}

// problems returns a problem for each flag that has to change for a row.
func problems(in Input, config bench.Config, row bench.Uncountable) (all []problem) {
	add := func(name string, value, minimum time.Duration, is string) {
		all = append(all, problem{flagOf(in, name), units.FormatDuration(value), is, units.FormatDuration(minimum)})
	}
	if row.Duration > 0 {
		add("duration", config.Duration, row.Duration, "is too short")
	}
	if row.Requests > 0 {
		all = append(all, problem{flagOf(in, "requests"), fmt.Sprint(config.Requests), "are too few", fmt.Sprint(row.Requests)})
	}
	if row.Budget > 0 {
		add("budget", config.Budget, row.Budget, "is too short")
	}
	if row.Timeout > 0 {
		add("timeout", config.Timeout, row.Timeout, "is too short")
	}
	if all != nil {
		return all
	}
	if config.Requests > 0 {
		return []problem{{flag: flagOf(in, "requests"), value: fmt.Sprint(config.Requests), is: "are too few"}}
	}
	return []problem{{flag: flagOf(in, "duration"), value: units.FormatDuration(config.Duration), is: "is too short"}}
}

// flagOf returns a flag as it was given, or with its long name if it was not.
func flagOf(in Input, name string) string { return cmp.Or(in.Given(name), "--"+name) }

func delayOf(plan *bench.Plan, name string) time.Duration {
	i := slices.IndexFunc(plan.Planned, func(p bench.Planned) bool { return p.Name == name })
	return plan.Planned[i].Delay
}

// enumerate joins names with commas and a final "and".
func enumerate(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

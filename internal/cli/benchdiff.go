package cli

import (
	"fmt"
	"os"
	"strings"

	"demo-server/bench/report"
	"demo-server/bench/result"
	"demo-server/bench/verdict"
	"demo-server/configs"
	"demo-server/internal/benchspec"
	"demo-server/internal/obslog"
)

// A diff compares two runs.
type diff struct {
	old, new     benchspec.FileName
	margin       benchspec.Margin
	failOnChange bool
}

func newBenchDiff() commandSpec {
	var d diff
	const want = "a file that --json wrote"
	return commandSpec{
		use: "diff OLD NEW", short: "compare two runs that --json kept, with the same statistics", long: diffHelp,
		flags: func(f *flagSet) {
			addMargin(f, &d.margin)
			f.toggle(&d.failOnChange, "fail-on-change", "exit with 1 if any figure differs, for better or worse")
		},
		arguments: []argument{
			{name: "OLD", want: want, file: true, set: parseInto(&d.old)},
			{name: "NEW", want: want, file: true, set: parseInto(&d.new)},
		},
		run: func(s *streams, _ *configs.Settings, _ *commandLine) error { return d.run(s) },
	}
}

// diffHelp is the detailed help of bench diff.
const diffHelp = `OLD and NEW are files that bench wrote with --json. Rows are compared by name, in requests/s,
p50, p99, CPU per request and peak memory. The margin of p99 and memory is at least 5%, and that of
CPU 20%. Settings that differ are named too.

Exit codes:
  0  the runs were compared
  1  a file cannot be read; with --fail-on-change also if a figure differs, or if a row has
     requests/s in one run only
  2  the command line is wrong, or no row is in both files
`

// run compares two results of bench.
func (d *diff) run(s *streams) error {
	before, err := readResult(string(d.old))
	if err != nil {
		return err
	}
	after, err := readResult(string(d.new))
	if err != nil {
		return err
	}
	changes := verdict.Runs(before.Rows, after.Rows, float64(d.margin))
	if len(changes) == 0 {
		return usageError("%s and %s have no row in common", configs.Quote(string(d.old)), configs.Quote(string(d.new)))
	}
	if err := report.DiffText(s.out, before, after, changes, options(s.out)); err != nil {
		return err
	}
	if changed := changedFigures(changes); d.failOnChange && changed != "" {
		fmt.Fprintf(s.errOut, "%s: changed: %s\n", program, changed)
		return exitError(exitFailure)
	}
	return nil
}

// changedFigures returns the figures that changed, by row: pool (requests/s, p99), single (p50).
func changedFigures(changes []verdict.Change) string {
	var rows, figures []string
	for i, c := range changes {
		if c.Changed() {
			figures = append(figures, c.Figure.Name)
		}
		if last := i+1 == len(changes) || changes[i+1].A != c.A; last && figures != nil {
			rows = append(rows, fmt.Sprintf("%s (%s)", obslog.OneLine(c.A), strings.Join(figures, ", ")))
			figures = nil
		}
	}
	return strings.Join(rows, ", ")
}

func readResult(name string) (*result.Result, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, withoutOp(err)
	}
	defer file.Close()
	r, err := result.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

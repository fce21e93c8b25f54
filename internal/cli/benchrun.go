package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"demo-server/bench"
	"demo-server/bench/originals"
	"demo-server/bench/report"
	"demo-server/bench/result"
	"demo-server/internal/benchspec"
	"demo-server/internal/obslog"
	"demo-server/internal/service"
)

// measure runs the test, and reports the result. After an interrupt, it reports the measurements until then.
func measure(l *commandLine, run *benchspec.Run, config bench.Config, set *originals.Set, s *streams) error {
	ctx, stop := service.UntilSignal(context.Background())
	defer stop()
	probes, err := bench.ToolReady(ctx, config.Generator)
	if err != nil {
		return err
	}
	if wrong := benchspec.Uncountable(l, bench.NewPlan(config, probes)); wrong != nil {
		return usageErrors{errors.Join(wrong...).Error()}
	}
	for i := range config.Rows {
		if err := config.Rows[i].Choose(ctx); err != nil {
			return err
		}
	}
	plan := bench.NewPlan(config, probes)
	if err := report.PlanText(s.out, plan.Result(), time.Now(), options(s.out)); err != nil {
		return err
	}
	progress := newProgress(s.errOut, plan.Took, plan.Repeat)
	measured := plan.Run(ctx, set, progress)
	progress.Close()
	for _, condition := range run.Expected() {
		measured.Expectations = append(measured.Expectations, condition.Check(measured))
	}
	return reportResult(measured, config.Rows, report.Text, run.Output, s)
}

func newProgress(out io.Writer, takes time.Duration, rounds int) *bench.Progress {
	if obslog.IsTerminal(out) {
		return bench.NewBar(out, takes, rounds)
	}
	return bench.NewLines(out, takes, rounds)
}

// A printer prints a result.
type printer func(io.Writer, *result.Result, report.Options) error

// reportResult prints a result and writes its files. A failure does not stop the next step. It prints a line on
// standard error for each failure and each shortfall of the rows.
func reportResult(measured *result.Result, rows []bench.Row, show printer, files benchspec.Output, s *streams) error {
	shown := options(s.out)
	shown.Wide = files.Wide
	failed := show(s.out, measured, shown)
	for _, file := range []struct {
		name  benchspec.FileName
		write func(io.Writer, *result.Result) error
	}{{files.Report, report.HTML}, {files.JSON, result.Write}, {files.CSV, result.WriteCSV}} {
		if file.name == "" {
			continue
		}
		if err := writeFile(string(file.name), measured, file.write); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	lines := shortfalls(measured, rows)
	if failed != nil {
		lines = slices.Concat(strings.Split(failed.Error(), "\n"), lines)
	}
	for _, line := range lines {
		fmt.Fprintf(s.errOut, "%s: %s\n", program, obslog.OneLine(line))
	}
	if lines != nil {
		return exitError(exitFailure)
	}
	return nil
}

func writeFile(name string, measured *result.Result, write func(io.Writer, *result.Result) error) error {
	file, err := os.Create(name)
	if err != nil {
		return withoutOp(err)
	}
	if err := errors.Join(write(file, measured), file.Close()); err != nil {
		return withoutOp(err)
	}
	return nil
}

// withoutOp removes the system call's name from an error. People need the file and the reason.
func withoutOp(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

// defaultWidth is the width of output that does not go to a terminal, in characters.
const defaultWidth = 80

// options returns how to print to out.
func options(out io.Writer) report.Options {
	if !obslog.IsTerminal(out) {
		return report.Options{Width: defaultWidth}
	}
	return report.Options{Width: terminalWidth(out), Color: obslog.Colored()}
}

package load

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A Report is what ab or wrk says of its run, as far as it says it.
type Report struct {
	Output string // all that it printed

	Completed int           // requests that the tool counts as complete: for ab the broken ones too
	Answered  int           // of these the right replies, as far as the tool can tell
	PerSecond float64       // Completed / Took, as the tool prints it
	CPU       time.Duration // that the tool used, user and system
	Took      time.Duration // ab: from the first request to the last reply; wrk: with what it needs to stop

	// What went wrong. The kinds overlap: a 503 whose body is of another length is of two.
	Connect int // no connection
	Broken  int // the connection ended before the reply did
	Status  int // ab: not 2xx; wrk: 4xx and 5xx
	Length  int // ab alone: a body not as long as the first one; broken replies and other statuses mostly count too
	Timeout int // wrk alone: replies that came after the timeout, which count as complete too

	// Of all completed requests; wrk leaves those of Timeout out.
	Mean        time.Duration // 0 where nothing was completed
	Longest     time.Duration // the same
	Percentiles []Percentile  // ascending; nil where nothing was completed
}

// A Percentile says that Percent of all requests took Latency at most.
type Percentile struct {
	Percent float64 // 0 to 100
	Latency time.Duration
}

// At returns what percent of all requests took at most: the next percentile that the tool told. Past its last one,
// that is the longest.
func (r Report) At(percent float64) time.Duration {
	for _, p := range r.Percentiles {
		if p.Percent >= percent {
			return p.Latency
		}
	}
	return r.Longest
}

// A program is one that others wrote.
type program struct {
	name   string
	debian string // the package that it comes in
}

func (p program) path() (string, error) {
	path, err := exec.LookPath(p.name)
	if err != nil {
		return "", fmt.Errorf("%s is not there (apt-get install %s): %w", p.name, p.debian, err)
	}
	return path, nil
}

// killAfter is how long a tool that was interrupted may take to print its results.
const killAfter = 5 * time.Second

// run runs the program and returns what it printed, its errors last, and the CPU that it used. When ctx ends it is interrupted, which both ab and
// wrk answer with their results so far. How it exits says no more than what it prints, so that an error means that it
// could not run.
func (p program) run(ctx context.Context, arguments ...string) (output string, cpu time.Duration, err error) {
	path, err := p.path()
	if err != nil {
		return "", 0, err
	}
	command := exec.CommandContext(ctx, path, arguments...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = killAfter
	command.Env = append(os.Environ(), "LC_ALL=C") // its errors are read
	var out, errOut beginning
	command.Stdout, command.Stderr = &out, &errOut
	endWithParent(command)
	if err := command.Start(); err != nil {
		return "", 0, err
	}
	command.Wait()
	cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return strings.TrimSpace(out.String() + "\n" + errOut.String()), cpu, nil
}

// longestOutput is how much of what a tool prints is kept, in bytes: a run that goes well prints a few kB.
const longestOutput = 1 << 20

// A beginning is the first longestOutput bytes that were written to it.
type beginning struct{ kept bytes.Buffer } // not embedded: its ReadFrom would keep everything

// Write takes everything, so that the tool can go on.
func (b *beginning) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), longestOutput-b.kept.Len())])
	return len(p), nil
}

// String is what was kept.
func (b *beginning) String() string { return b.kept.String() }

// ended is the error of a tool's run: that it was interrupted counts for more than how its output looks then.
func (p program) ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// lastLine is where a tool says why it printed no results.
func lastLine(output string) string {
	output = strings.TrimSpace(output)
	if output == "" {
		return "printed nothing"
	}
	return strings.TrimSpace(output[strings.LastIndexByte(output, '\n')+1:])
}

// numbers reads what must be numbers of 0 or more, and keeps the first error.
type numbers struct{ err error }

func (n *numbers) wrong(text string) {
	if n.err == nil {
		n.err = fmt.Errorf("printed %q where a number should be", text)
	}
}

func (n *numbers) count(text string) int {
	count, err := strconv.ParseUint(text, 10, 31) // which no run exceeds, and no sum of two overflows
	if err != nil {
		n.wrong(text)
		return 0
	}
	return int(count)
}

func (n *numbers) float(text string) float64 {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= 0) || math.IsInf(number, 0) {
		n.wrong(text)
		return 0
	}
	return number
}

func (n *numbers) percent(text string) float64 {
	percent := n.float(text)
	if percent > 100 {
		n.wrong(text)
	}
	return percent
}

// in reads a duration in units.
func (n *numbers) in(unit time.Duration, text string) time.Duration {
	number := n.float(text) * float64(unit)
	if number >= math.MaxInt64 {
		n.wrong(text)
		return 0
	}
	return time.Duration(math.Round(number))
}

// withUnit reads a duration that names its unit.
func (n *numbers) withUnit(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		n.wrong(text)
		return 0
	}
	return d
}

// wholeSeconds rounds up, because neither tool takes fractions.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

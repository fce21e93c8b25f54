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

// A Report holds the results that ab or wrk printed.
type Report struct {
	Output string // all that the tool printed

	Completed int           // requests that the tool counts as complete: for ab also broken ones
	Answered  int           // right replies among them, as far as the tool can distinguish them
	PerSecond float64       // Completed / Took, as the tool prints it
	CPU       time.Duration // user and system time of the tool
	Took      time.Duration // ab: from the first request to the last reply; wrk: including the time it needs to stop

	// Failures. The kinds overlap: a 503 whose body has another length counts twice.
	Connect int // no connection
	Broken  int // the connection ended before the reply did
	Status  int // ab: not 2xx; wrk: 4xx and 5xx
	Length  int // ab only: a body that is not as long as the first; includes most broken replies and other statuses
	Timeout int // wrk only: replies after the timeout, which count as complete too

	// Latencies of all completed requests; wrk leaves out those of Timeout.
	Mean        time.Duration // 0 if no request was completed
	Longest     time.Duration // likewise
	Percentiles []Percentile  // ascending; nil if no request was completed
}

// A Percentile is the max latency of Percent of all requests.
type Percentile struct {
	Percent float64 // 0 to 100
	Latency time.Duration
}

// At returns the max latency of percent of all requests: the next percentile that the tool printed, or the longest
// latency after its last one.
func (r Report) At(percent float64) time.Duration {
	for _, p := range r.Percentiles {
		if p.Percent >= percent {
			return p.Latency
		}
	}
	return r.Longest
}

// A program is an external program.
type program struct {
	name   string
	debian string // the package that contains it
}

func (p program) path() (string, error) {
	path, err := exec.LookPath(p.name)
	if err != nil {
		return "", fmt.Errorf("%s is not there (apt-get install %s): %w", p.name, p.debian, err)
	}
	return path, nil
}

// killAfter is the time that an interrupted tool has to print its results.
const killAfter = 5 * time.Second

// run runs the program and returns its output, standard error last, and the CPU that it used. When ctx ends, run
// interrupts it; both ab and wrk then print their results so far. An error means that the program could not run: its
// exit code adds nothing to its output.
func (p program) run(ctx context.Context, arguments ...string) (output string, cpu time.Duration, err error) {
	path, err := p.path()
	if err != nil {
		return "", 0, err
	}
	command := exec.CommandContext(ctx, path, arguments...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = killAfter
	command.Env = append(os.Environ(), "LC_ALL=C") // to parse its errors
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

// longestOutput is the max number of bytes kept of each stream; a successful run prints a few kB.
const longestOutput = 1 << 20

// A beginning keeps the first longestOutput bytes written to it.
type beginning struct{ kept bytes.Buffer } // not embedded, because its ReadFrom would keep everything

// Write accepts everything, to let the tool continue.
func (b *beginning) Write(p []byte) (int, error) {
	b.kept.Write(p[:min(len(p), longestOutput-b.kept.Len())])
	return len(p), nil
}

// String returns the bytes that were kept.
func (b *beginning) String() string { return b.kept.String() }

// ended returns the error of a tool's run. An interruption takes precedence over an error in the output that it caused.
func (p program) ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

// lastLine returns the last line of output, where a tool gives the reason for printing no results.
func lastLine(output string) string {
	output = strings.TrimSpace(output)
	if output == "" {
		return "printed nothing"
	}
	return strings.TrimSpace(output[strings.LastIndexByte(output, '\n')+1:])
}

// A numbers parses numbers of 0 or more, and keeps the first error.
type numbers struct{ err error }

func (n *numbers) wrong(text string) {
	if n.err == nil {
		n.err = fmt.Errorf("printed %q where a number should be", text)
	}
}

func (n *numbers) count(text string) int {
	count, err := strconv.ParseUint(text, 10, 31) // no run exceeds this, and no sum of two overflows
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

// in parses a duration in units.
func (n *numbers) in(unit time.Duration, text string) time.Duration {
	number := n.float(text) * float64(unit)
	if number >= math.MaxInt64 {
		n.wrong(text)
		return 0
	}
	return time.Duration(math.Round(number))
}

// withUnit parses a duration with a unit.
func (n *numbers) withUnit(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		n.wrong(text)
		return 0
	}
	return d
}

// wholeSeconds returns d in seconds, rounded up because neither tool accepts fractions.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

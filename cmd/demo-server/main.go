// Command demo-server serves an endpoint that blocks under a concurrency model of your choice. See demo-server --help.
//
// The command is wiring: it alone knows both the settings and the parts that they are for. It must not know how a
// request is served.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"demo-server/configs"
	"demo-server/modes"
)

// program is the name that the command goes by in help and messages.
const program = "demo-server"

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // it could not do what it was asked to
	exitUsage   = 2 // it was asked for something wrong
)

func main() { os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }

// streams are where a command writes: what was asked for to out, and what went wrong to errOut.
type streams struct{ out, errOut io.Writer }

// run is the whole program, and returns its exit code.
func run(args, environ []string, out, errOut io.Writer) int {
	parser := newParser()
	line := readLine(parser.Model.Node, args)
	if line.help {
		printHelp(out, parser.Model.Node, line.command)
		return exitOK
	}
	context, err := parser.Parse(line.words())
	if err != nil {
		line.mistaken("flag %s", err) // a value: all else, readLine saw to
	}
	settings, err := line.loadSettings(environ)
	if err != nil {
		line.mistaken("%s", err)
	}
	if len(line.mistakes) > 0 {
		return complain(errOut, line.mistakes)
	}
	return exitCode(context.Run(&streams{out, errOut}, settings), errOut)
}

// loadSettings returns the settings of a command that takes them, and nil for others.
func (l *line) loadSettings(environ []string) (*configs.Settings, error) {
	if !takesSettings(l.command) {
		return nil, nil
	}
	return configs.Load(configs.Inputs{Flags: l.settings, Environ: environ, Modes: modes.Names()})
}

// A usageError is what was wrong with how a command was called.
type usageError string

func (e usageError) Error() string { return string(e) }

// A silentError has been reported already; it is the exit code.
type silentError int

func (e silentError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode reports what a command returned, and turns it into the exit code.
func exitCode(err error, errOut io.Writer) int {
	// kong joins the command's error with that of its hooks, so that its type is inside.
	switch err := unjoin(err).(type) {
	case nil:
		return exitOK
	case silentError:
		return int(err)
	case usageError:
		return complain(errOut, []string{err.Error()})
	default:
		fmt.Fprintf(errOut, "%s: %s\n", program, err)
		return exitFailure
	}
}

// unjoin returns the first of joined errors.
func unjoin(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()[0]
	}
	return err
}

// complain prints mistakes, each a line or several, and where to read what would be right.
func complain(errOut io.Writer, mistakes []string) int {
	for line := range strings.SplitSeq(strings.Join(mistakes, "\n"), "\n") {
		fmt.Fprintf(errOut, "%s: %s\n", program, line)
	}
	fmt.Fprintf(errOut, "Run %q for all settings.\n", program+" --help")
	return exitUsage
}

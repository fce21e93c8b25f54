// Package cli is the command line: commands, flags, help, completion and exit codes. It must not know how a request is
// served.
package cli

import (
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"sync"

	"github.com/alecthomas/kong"
	"google.golang.org/grpc/grpclog"

	"demo-server/bench/beside"
	"demo-server/internal/service/supervisor"
)

// program is the name that the command goes by in help and messages.
const program = "demo-server"

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // it could not do what it was asked to
	exitUsage   = 2 // it was asked for something wrong
)

// redirectGRPCLog sends gRPC's errors to Go's own log. gRPC allows that only before its first use.
var redirectGRPCLog = sync.OnceFunc(func() {
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, standardLog{}))
})

// standardLog writes to Go's own log, as it is at the time. It takes gRPC's errors there, which would go to standard
// error past the log, and wait for its reader.
type standardLog struct{}

func (standardLog) Write(line []byte) (int, error) {
	log.Print(string(line))
	return len(line), nil
}

// streams are where a command writes: what was asked for to out, and what went wrong to errOut.
type streams struct{ out, errOut io.Writer }

// Main runs the whole program, and returns its exit code.
func Main(args, environ []string, out, errOut io.Writer) int {
	redirectGRPCLog()
	switch { // processes that this program starts itself
	case len(args) > 0 && args[0] == supervisor.WorkerArgument:
		return runWorker(args, errOut)
	case len(args) > 0 && args[0] == beside.Argument:
		return runBeside(args, errOut)
	}
	parser := newParser()
	line := readLine(parser.Model.Node, args, environ)
	if line.help {
		printHelp(out, parser.Model.Node, line.command)
		return exitOK
	}
	context, err := parser.Parse(line.words())
	if err != nil {
		line.mistaken("%s", err) // nothing that is known: readLine saw to all the rest
	} else if checker, ok := target(line.command).(checker); ok {
		checker.check(line)
	}
	settings, err := line.loadSettings()
	if err != nil {
		line.mistaken("%s", err)
	}
	if len(line.mistakes) > 0 {
		return complain(errOut, line.command, line.mistakes)
	}
	return exitCode(context.Run(&streams{out, errOut}, settings, line), line.command, errOut)
}

// runWorker runs a worker process, and returns its exit code.
func runWorker(args []string, errOut io.Writer) int {
	err := supervisor.RunWorker(args, errOut)
	var notStarted *supervisor.NotStartedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &notStarted):
		fmt.Fprintf(errOut, "%[1]s: %[2]s is started by %[1]s --processes, and by nobody else: %[3]s\n", program, supervisor.WorkerArgument, err)
		return exitUsage
	}
	return exitFailure // its supervisor logs it
}

// A checker is a command that knows which of its flags do not go together.
type checker interface {
	// check reports such mistakes to the line. It sees the values of the flags, and may change them.
	check(*line)
}

// A usageError is what was wrong with how a command was called.
type usageError string

func (e usageError) Error() string { return string(e) }

// A silentError has been reported already; it is the exit code.
type silentError int

func (e silentError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode reports what a command returned, and turns it into the exit code.
func exitCode(err error, command *kong.Node, errOut io.Writer) int {
	// kong joins the command's error with that of its hooks, so that its type is inside.
	switch err := parts(err)[0].(type) {
	case nil:
		return exitOK
	case silentError:
		return int(err)
	case usageError:
		return complain(errOut, command, []string{err.Error()})
	default:
		fmt.Fprintf(errOut, "%s: %s\n", program, err)
		return exitFailure
	}
}

// complain prints mistakes, each a line or several, and where to read what would be right.
func complain(errOut io.Writer, command *kong.Node, mistakes []string) int {
	for line := range strings.SplitSeq(strings.Join(mistakes, "\n"), "\n") {
		fmt.Fprintf(errOut, "%s: %s\n", program, line)
	}
	fmt.Fprintf(errOut, "Run %q for all settings.\n", helpLine(command))
	return exitUsage
}

// helpLine is the command line that prints a command's help.
func helpLine(command *kong.Node) string {
	if command == command.Parent.DefaultCmd && !command.Hidden {
		return program + " --help"
	}
	return path(command) + " --help"
}

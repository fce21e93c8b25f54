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

	"github.com/spf13/cobra"
	"google.golang.org/grpc/grpclog"

	"demo-server/bench/beside"
	"demo-server/internal/service/supervisor"
)

// program is the name of the command in help and messages.
const program = "demo-server"

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // the command could not do what it was asked to do
	exitUsage   = 2 // the command line, the environment or a file of settings is wrong
)

// streams are where a command writes: its output to out, everything else to errOut.
type streams struct{ out, errOut io.Writer }

// Main runs the whole program and returns its exit code.
func Main(args, environ []string, out, errOut io.Writer) int {
	configureLibraries()
	switch { // processes that this program starts itself
	case len(args) > 0 && args[0] == supervisor.WorkerArgument:
		return runWorker(args, errOut)
	case len(args) > 0 && args[0] == beside.Argument:
		return runBaseline(args, errOut)
	}
	command, err := newRoot(newCommandLine(args, environ), &streams{out, errOut}).ExecuteC()
	return exitCode(err, command, errOut)
}

// configureLibraries sets the global options of cobra and gRPC, once because they are not safe for concurrent use.
// gRPC's errors go to Go's own log, because on standard error they would bypass our log and wait for its reader.
var configureLibraries = sync.OnceFunc(func() {
	cobra.EnableCommandSorting = false
	cobra.MousetrapHelpText = "" // a double click on Windows starts the server
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, standardLog{}))
})

// standardLog writes to the current output of Go's own log.
type standardLog struct{}

func (standardLog) Write(line []byte) (int, error) {
	log.Print(string(line))
	return len(line), nil
}

// runWorker runs a worker process and returns its exit code.
func runWorker(args []string, errOut io.Writer) int {
	err := supervisor.RunWorker(args, errOut)
	var notStarted *supervisor.NotStartedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &notStarted):
		fmt.Fprintf(errOut, "%[1]s: %[2]s is an internal command; use %[1]s --processes: %[3]s\n", program, supervisor.WorkerArgument, err)
		return exitUsage
	}
	return exitFailure // its supervisor logs it
}

// usageErrors are all the mistakes in the way a command was called.
type usageErrors []string

func (e usageErrors) Error() string { return strings.Join(e, "\n") }

// usageError returns a single mistake in the way a command was called.
func usageError(format string, args ...any) error { return usageErrors{fmt.Sprintf(format, args...)} }

// An exitError is the exit code of a command that has reported its failure itself.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode reports the error of a command and returns the exit code for it.
func exitCode(err error, command *cobra.Command, errOut io.Writer) int {
	var exit exitError
	var usage usageErrors
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &usage):
		printUsageErrors(errOut, usage, command)
		return exitUsage
	}
	fmt.Fprintf(errOut, "%s: %s\n", program, err)
	return exitFailure
}

// printUsageErrors prints every mistake, and the command that explains how to avoid them.
func printUsageErrors(errOut io.Writer, usage usageErrors, command *cobra.Command) {
	for line := range strings.SplitSeq(usage.Error(), "\n") {
		fmt.Fprintf(errOut, "%s: %s\n", program, line)
	}
	fmt.Fprintf(errOut, "Run %q for all settings.\n", helpOf(command).CommandPath()+" --help")
}

package cli

import (
	"fmt"
	"io"

	"demo-server/bench/beside"
)

// runBaseline runs a bare server, which only bench starts, and returns its exit code.
func runBaseline(args []string, errOut io.Writer) int {
	if err := beside.Serve(args); err != nil {
		fmt.Fprintf(errOut, "%s: %s\n", program, err)
	}
	return exitFailure
}

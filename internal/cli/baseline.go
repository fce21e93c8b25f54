package cli

import (
	"fmt"
	"io"

	"demo-server/bench/beside"
)

// runBaseline is the process of a bare server, which bench starts: no command that anybody else needs.
func runBaseline(args []string, errOut io.Writer) int {
	if err := beside.Serve(args); err != nil {
		fmt.Fprintf(errOut, "%s: %s\n", program, err)
	}
	return exitFailure
}

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"demo-server/bench"
	"demo-server/bench/beside"
	"demo-server/bench/originals"
	"demo-server/bench/result"
)

// runBeside is the process of a bare server, which bench starts: no command that anybody else needs.
func runBeside(args []string, errOut io.Writer) int {
	if err := beside.Serve(args); err != nil {
		fmt.Fprintf(errOut, "%s: %s\n", program, err)
	}
	return exitFailure
}

// pythonPerSecond is how many requests a second the Python programs get at most: with more, they are still busy
// accepting when the first are due.
const pythonPerSecond = 250

// putBeside adds the servers that modes are measured beside, as far as this machine can run them. end removes what they
// need.
func putBeside(config *bench.CostConfig, s *streams) (end func(), err error) {
	names, missing := beside.Names()
	for _, name := range names {
		config.Rows = append(config.Rows, bench.Row{Name: name, Kind: result.KindBeside, Beside: name, Body: originalsBody})
	}
	set, err := originals.Prepare(context.Background(), pythons())
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", program+"-beside-")
	if err != nil {
		set.Close()
		return nil, err
	}
	config.Originals, config.Folder = set, folder
	for _, p := range set.Programs() {
		config.Rows = append(config.Rows, bench.Row{
			Name: p.Name, Kind: result.KindOriginal, Original: p.Name, Body: originalsBody, Workers: 1,
			Most:    max(1, int(pythonPerSecond*config.Ramp.Seconds())),
			WhyMost: "more would not all be accepted before the first are due",
		})
	}
	for _, line := range []string{missing, set.Missing()} {
		if line != "" {
			fmt.Fprintf(s.errOut, "%s: %s\n", program, line)
		}
	}
	return func() {
		set.Close()
		os.RemoveAll(folder)
	}, nil
}

// pythons are those of the article's programs that differ in what a request costs: one has a thread for each, one a
// greenlet.
func pythons() []originals.Program {
	return slices.DeleteFunc(originals.Programs(), func(p originals.Program) bool {
		return p.Name != "flask" && p.Name != "gevent"
	})
}

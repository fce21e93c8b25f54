package benchspec

import (
	"context"
	"os"
	"slices"

	"demo-server/bench"
	"demo-server/bench/beside"
	"demo-server/bench/originals"
	"demo-server/bench/result"
)

// pythonPerSecond is the highest rate for the Python programs, in requests per second. At a higher one, they would
// still accept connections when the first replies are due.
const pythonPerSecond = 250

// AddBaselines adds rows for the baselines that this machine can run, and returns a line about each missing one. end
// removes their files.
func AddBaselines(config *bench.CostConfig) (missing []string, end func(), err error) {
	names, why := beside.Names()
	for _, name := range names {
		config.Rows = append(config.Rows, bench.Row{Name: name, Kind: result.KindBeside, Beside: name, Body: pythonBody})
	}
	set, err := originals.Prepare(context.Background(), articleServers())
	if err != nil {
		return nil, nil, err
	}
	folder, err := os.MkdirTemp("", program+"-beside-")
	if err != nil {
		set.Close()
		return nil, nil, err
	}
	config.Originals, config.Folder = set, folder
	for _, p := range set.Programs() {
		config.Rows = append(config.Rows, bench.Row{
			Name: p.Name, Kind: result.KindOriginal, Original: p.Name, Body: pythonBody, Workers: 1,
			Most:    max(1, int(pythonPerSecond*config.Ramp.Seconds())),
			WhyMost: "more would not all be accepted before the first are due",
		})
	}
	for _, line := range []string{why, set.Missing()} {
		if line != "" {
			missing = append(missing, line)
		}
	}
	return missing, func() {
		set.Close()
		os.RemoveAll(folder)
	}, nil
}

// articleServers returns the programs of the article that differ in the cost of a request: one uses a thread for it,
// one a greenlet.
func articleServers() []originals.Program {
	return slices.DeleteFunc(originals.Programs(), func(p originals.Program) bool {
		return p.Name != "flask" && p.Name != "gevent"
	})
}

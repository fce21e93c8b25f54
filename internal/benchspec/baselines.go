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

// pythonPerSecond is how many requests a second the Python programs get at most: with more, they are still busy
// accepting when the first are due.
const pythonPerSecond = 250

// AddBaselines adds the servers that modes are measured beside, as far as this machine can run them, and says which are
// missing. end removes what they need.
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

// articleServers are those of the article's programs that differ in what a request costs: one has a thread for each, one a
// greenlet.
func articleServers() []originals.Program {
	return slices.DeleteFunc(originals.Programs(), func(p originals.Program) bool {
		return p.Name != "flask" && p.Name != "gevent"
	})
}

package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"demo-server/bench"
	"demo-server/bench/report"
	"demo-server/configs"
	"demo-server/internal/benchspec"
	"demo-server/internal/catalog"
	"demo-server/internal/service"
	"demo-server/units"
)

// newBenchCost returns the command that measures the cost of a blocked request.
func newBenchCost() commandSpec {
	var cost benchspec.Cost
	return commandSpec{
		use: "cost", short: "measure what a blocked request costs in each mode", long: costHelp, settings: true,
		reserved: cost.Reserved(),
		flags: func(f *flagSet) {
			addParsed(f, &cost.Modes, "modes", value{fallback: "all", placeholder: "MODE,MODE", list: true,
				help: "all that this system can run, or some"})
			f.number(&cost.InFlight, "in-flight", "18000", 1, 100_000, "requests that block at the same time; see above")
			f.duration(&cost.Ramp, "ramp", "4s", 1, time.Hour, "time that it takes to send them")
			f.number(&cost.Repeat, "repeat", "1", 1, 1000, "how often each mode is measured")
			f.toggle(&cost.Beside, "baselines", "bare net/http and fasthttp, nginx, and the article's Flask and gevent too")
			addFile(f, &cost.JSON, "json", "all that was measured")
			f.toggle(&cost.Wide, "wide", "show all columns")
		},
		check: func(l *commandLine) { l.addErrors(cost.Check(l)) },
		run:   func(s *streams, _ *configs.Settings, l *commandLine) error { return runCost(s, l, &cost) },
	}
}

// costHelp is the detailed help of bench cost.
const costHelp = `It measures bytes, goroutines, OS threads and the lateness of the replies while all the requests
block, and then the CPU that a request takes which does not block. Where the open-file limit does
not allow the default of --in-flight, it takes what that allows, and says so. A mode that refuses
more gets as many as it takes, and Flask and gevent get 250 for each second of --ramp, which is as
fast as they accept for certain.

Of the servers of --baselines the lateness is not known, since they do not say how long they worked.
Nor do they say what is in them: of the requests that are not answered, those count that they have
opened a connection for.

The exit code is 1 if a mode failed or was not measured, which standard error names, and 2 if there
is a mistake on the command line or in the settings.
`

// runCost measures the cost of a blocked request.
func runCost(s *streams, l *commandLine, cost *benchspec.Cost) error {
	forgetSettings()
	if limit := catalog.PossibleConnections(); cost.InFlight > limit { // only the default: Check refuses other values
		fmt.Fprintf(s.errOut, "%s: %d requests in flight instead of %d: the limit of %d open files allows no more\n",
			program, limit, cost.InFlight, catalog.OpenFileLimit())
		cost.InFlight = limit
	}
	config, err := cost.Config(l)
	if err != nil {
		return err
	}
	if config.Binary, err = os.Executable(); err != nil {
		return err
	}
	config.Command, config.Version = l.redactedArgs(), ownVersion()
	if cost.Beside {
		missing, end, err := benchspec.AddBaselines(&config)
		if err != nil {
			return err
		}
		defer end()
		for _, line := range missing {
			fmt.Fprintf(s.errOut, "%s: %s\n", program, line)
		}
	}
	return measureCost(config, cost.Output, s)
}

func measureCost(config bench.CostConfig, files benchspec.Output, s *streams) error {
	ctx, stop := service.UntilSignal(context.Background())
	defer stop()
	fmt.Fprintf(s.out, "%s, and in each %s that block for %s at the same time.\nAll of it takes about %s.\n\n",
		units.Count(len(config.Rows), "server"), units.Count(config.InFlight, "request"), config.Delay(), config.Took().Round(time.Second))
	progress := newProgress(s.errOut, config.Took(), config.Repeat)
	measured := bench.Cost(ctx, config, progress)
	progress.Close()
	return reportResult(measured, config.Rows, report.CostText, files, s)
}

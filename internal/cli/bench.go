package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"demo-server/bench/expect"
	"demo-server/bench/originals"
	"demo-server/internal/benchspec"
	"demo-server/internal/catalog"
	"demo-server/internal/service/supervisor"
)

// benchCommand is the pressure test, and what goes with it.
type benchCommand struct {
	Run  benchRunCommand  `cmd:"" settings:"" default:"withargs" hidden:""`
	Diff benchDiffCommand `cmd:"" help:"compare two runs that --json kept, with the same statistics"`
	Cost benchCostCommand `cmd:"" settings:"" help:"measure what a blocked request costs in each mode"`
}

// benchRunCommand runs the pressure test.
type benchRunCommand struct {
	benchRows  `embed:"" group:"What runs"`
	benchLoad  `embed:"" group:"The load"`
	benchCare  `embed:"" group:"How it is measured"`
	benchFiles `embed:"" group:"What is shown and kept"`

	URL []benchspec.ExternalServer `arg:"" optional:"" sep:"none" name:"url"`

	run benchspec.Run
}

// benchRows say what is put under load.
type benchRows struct {
	Modes       benchspec.ModeList         `default:"all" placeholder:"MODE,MODE" help:"all that this system can run, or some"`
	Row         []benchspec.Variant        `sep:"none" placeholder:"MODE:NAME=VALUE,…" help:"a mode with settings of its own; repeatable"`
	Work        benchspec.WorkList         `placeholder:"KIND,KIND" help:"kinds of work, each in each of these, or all that can be done; see above"`
	Originals   bool                       `help:"the article's Python programs too"`
	Against     []benchspec.ExternalServer `sep:"none" placeholder:"[NAME=]URL" help:"a server that runs already, like the argument URL; repeatable"`
	AllowRemote bool                       `help:"let --against and URL put load on other machines"`
	Quick       bool                       `help:"2 rounds of 2.5s with a delay of 200ms, about 40s for all modes; see above"`
	Article     bool                       `help:"the article's test: 5000 requests by 100 clients, a delay of 2s; see above"`
	Port        int                        `in:"0..65535" default:"0" help:"TCP port of the servers that it starts; 0 picks free ones"`
}

// benchLoad says what load that is.
type benchLoad struct {
	Concurrency int                 `short:"c" in:"1..100000" default:"100" help:"clients; with --rate, requests that may wait"`
	Requests    int                 `short:"n" in:"0..10000000" default:"0" help:"of each repeat; 0 goes by --duration"`
	Duration    time.Duration       `short:"z" in:"1ns..1h" default:"10s" help:"of each repeat"`
	Rate        benchspec.Rate      `placeholder:"R" help:"requests per second, however many wait; see above"`
	Keepalive   bool                `help:"keep connections for more than one request"`
	SameBody    bool                `name:"same-body" help:"a reply of --against with another body than the first one has failed"`
	Timeout     benchspec.Timeout   `help:"of a request; without it 30s, or longer where theory predicts so"`
	With        benchspec.Generator `default:"builtin" placeholder:"NAME" help:"load generator"`
}

// benchCare says how closely to look.
type benchCare struct {
	Repeat int              `in:"1..1000" default:"6" help:"rounds, each with every row in another order"`
	Warmup time.Duration    `in:"0s..1h" default:"0s" help:"at the start of each repeat, not counted"`
	Budget time.Duration    `in:"1ns..24h" default:"60s" help:"longest that a repeat of --requests takes; see above"`
	Margin benchspec.Margin `default:"2%" help:"difference that does not matter"`
	Seed   int              `in:"0..2147483647" default:"1" help:"of the order of the rows"`
	Expect []string         `sep:"none" placeholder:"CONDITION" help:"exit code 1 if it is not met, such as goroutine.failed==0; repeatable; see above"`
}

// benchFiles are what becomes of the result.
type benchFiles struct {
	Report benchspec.FileName `help:"HTML page with the table, the verdict and pictures; needs no network"`
	JSON   benchspec.FileName `name:"json" help:"all that was measured"`
	CSV    benchspec.FileName `name:"csv" help:"a line for each repeat"`
	Wide   bool               `help:"show all columns, and with several kinds of --work a table for each"`
}

// Help is what the flags leave out.
func (benchRunCommand) Help() string {
	return `Each row is a server. In each of several rounds, bench starts this same program for it on a free
port, puts load on it, looks into it, and stops it. It says what theory predicts, measures what
happens, and tells noise from difference.

Examples:
  demo-server bench --quick                           # all modes, in about 40 s
  demo-server bench                                   # all modes, more closely, in about 7 minutes
  demo-server bench --row=pool:workers=50 --row=pool:workers=100,queue=10 -c 200
  demo-server bench --work=sleep,block,cpu,mutex --delay=100ms -c 20 --report=report.html
  demo-server bench --modes=goroutine mine=http://127.0.0.1:8080/ --report=report.html
  demo-server bench --quick --expect='goroutine.failed==0' --expect='pool.p99<300ms'

URL is a server that runs already, the same as --against=URL. The name of its row is its host and
port, or NAME of NAME=URL.

--quick is 2 rounds of 2.5s with a delay of 200ms. Any of these that is given wins, the delay of an
environment variable, a file, a preset or a row too. Rows whose work computes take longer, because
all clients share the cores.

With several kinds of --work each mode runs with each, and a table shows which share of what the
clients could get each of these reaches. all leaves out sql where there is no --dsn.

With --row and without --modes, no other mode runs. The settings below are for all servers that it
starts.

Without --rate, each client waits for its reply before it sends the next request: the closed loop.
With --rate, requests are sent at that rate whatever becomes of them: the open loop. As many may
wait then as the open-file limit allows, unless -c says otherwise. ab and wrk know the closed loop
only.

What is unfinished at the end of --budget is given up, and marked. --article is -c 100 -n 5000 and a
delay of 2s, once, with a budget of 10m; rows that would take longer are left out.

A load generator can do harm: --against and URL take servers on this machine only, unless
--allow-remote is given.

--expect takes a row as in the table, a dot, a figure of the row's total in the JSON, a comparison
and a value: goroutine.failed==0, pool(50).p99<2.1s, pool.refused_share<10%. Spaces around the
comparison do not count. The comparisons are == != < <= > >=, and = means ==. Equality is exact:
use it for counts. Durations and sizes may have a unit (2.1s is 2.1, 64KiB is 65536), and shares may
be in percent. A condition is not met if its row or figure was not measured, or if replies that were
still due at the end could decide it either way. The figures:
` + columns("", 2, strings.Join(expect.Figures(), ", ")) + `
Exit codes:
  0  every row was measured and got right replies, and every --expect is met
  1  a row failed, was not measured, or got no right reply; an --expect is not met; a file could not
     be written; or a running server or a load generator was not ready. Standard error has a line
     for each. The figures are shown and kept.
  2  there is a mistake on the command line or in the settings: nothing was measured
An interrupt (Ctrl-C) ends the run. The figures until then are shown and kept, and decide the exit
code: 1 if a row had not been measured yet.
`
}

func (*benchRunCommand) chooses() map[string]string { return (*benchspec.Run)(nil).Reserved() }

func (b *benchRunCommand) check(l *line) {
	b.run = benchspec.Run{
		Rows: benchspec.Rows(b.benchRows), Load: benchspec.Load(b.benchLoad), Method: benchspec.Method(b.benchCare),
		Output: benchspec.Output(b.benchFiles), URLs: b.URL,
	}
	l.mistakenBy(b.run.Check(l, len(l.mistakes) > 0))
}

// Run runs the test.
func (b *benchRunCommand) Run(s *streams, l *line) error {
	forgetSettings()
	config, err := b.run.Config(l)
	if err != nil {
		return err
	}
	if config.Binary, err = os.Executable(); err != nil {
		return err
	}
	config.Command, config.Version = l.whole(), ownVersion()
	for _, err := range b.run.SkippedKinds(l) {
		fmt.Fprintf(s.errOut, "%s: left out of --work=all: %s\n", program, err)
	}
	var set *originals.Set
	if b.Originals {
		if set, err = b.run.AddOriginals(l, &config); err != nil {
			return err
		}
		defer set.Close()
		if missing := set.Missing(); missing != "" {
			fmt.Fprintf(s.errOut, "%s: %s\n", program, missing)
		}
	}
	return measure(l, &b.run, config, set, s)
}

// benchDiffCommand compares two runs.
type benchDiffCommand struct {
	Old          benchspec.FileName `arg:"" optional:"" help:"a file that --json wrote"`
	New          benchspec.FileName `arg:"" optional:"" help:"a file that --json wrote"`
	Margin       benchspec.Margin   `default:"2%" help:"difference that does not matter"`
	FailOnChange bool               `help:"exit with 1 if any figure differs, for better or worse"`
}

// Help is what the flags leave out.
func (benchDiffCommand) Help() string {
	return `OLD and NEW are files that bench wrote with --json. Rows are compared by name, in requests/s,
p50, p99, CPU per request and peak memory. The margin of p99 and memory is at least 5%, and that of
CPU 20%. Settings that differ are named too.

Exit codes:
  0  the runs were compared
  1  a file cannot be read; with --fail-on-change also if a figure differs, or if a row has
     requests/s in one run only
  2  the command line is wrong, or no row is in both files
`
}

// Run compares.
func (d *benchDiffCommand) Run(s *streams) error {
	return benchDiff(string(d.Old), string(d.New), float64(d.Margin), d.FailOnChange, s)
}

// benchCostCommand measures what a blocked request costs.
type benchCostCommand struct {
	Modes    benchspec.ModeList `default:"all" placeholder:"MODE,MODE" help:"all that this system can run, or some"`
	InFlight int                `in:"1..100000" default:"18000" help:"requests that block at the same time; see above"`
	Ramp     time.Duration      `in:"1ns..1h" default:"4s" help:"time that it takes to send them"`
	Repeat   int                `in:"1..1000" default:"1" help:"how often each mode is measured"`
	Beside   bool               `help:"bare net/http and fasthttp, nginx, and the article's Flask and gevent too"`
	JSON     benchspec.FileName `name:"json" help:"all that was measured"`
	Wide     bool               `help:"show all columns"`
}

// Help is what the flags leave out.
func (benchCostCommand) Help() string {
	return `It measures bytes, goroutines, OS threads and the lateness of the replies while all the requests
block, and then the CPU that a request takes which does not block. Where the open-file limit does
not allow the default of --in-flight, it takes what that allows, and says so. A mode that refuses
more gets as many as it takes, and Flask and gevent get 250 for each second of --ramp, which is as
fast as they accept for certain.

Of the servers of --beside the lateness is not known, since they do not say how long they worked.
Nor do they say what is in them: of the requests that are not answered, those count that they have
opened a connection for.

The exit code is 1 if a mode failed or was not measured, which standard error names, and 2 if there
is a mistake on the command line or in the settings.
`
}

func (*benchCostCommand) chooses() map[string]string { return (*benchspec.Cost)(nil).Reserved() }

func (b *benchCostCommand) check(l *line) { l.mistakenBy(b.cost().Check(l)) }

func (b *benchCostCommand) cost() *benchspec.Cost {
	return &benchspec.Cost{
		Modes: b.Modes, InFlight: b.InFlight, Ramp: b.Ramp, Repeat: b.Repeat, Beside: b.Beside,
		Output: benchspec.Output{JSON: b.JSON, Wide: b.Wide},
	}
}

// Run measures.
func (b *benchCostCommand) Run(s *streams, l *line) error {
	forgetSettings()
	if most := catalog.PossibleConnections(); b.InFlight > most { // the default: check refuses another
		fmt.Fprintf(s.errOut, "%s: %d requests in flight instead of %d: the limit of %d open files allows no more\n",
			program, most, b.InFlight, catalog.OpenFileLimit())
		b.InFlight = most
	}
	cost := b.cost()
	config, err := cost.Config(l)
	if err != nil {
		return err
	}
	if config.Binary, err = os.Executable(); err != nil {
		return err
	}
	config.Command, config.Version = l.whole(), ownVersion()
	if b.Beside {
		missing, end, err := benchspec.AddBaselines(&config)
		if err != nil {
			return err
		}
		defer end()
		for _, line := range missing {
			fmt.Fprintf(s.errOut, "%s: %s\n", program, line)
		}
	}
	return benchCost(config, cost.Output, s)
}

// forgetSettings takes out of this process's environment what is for it alone, since all that bench starts inherits the
// rest: load generators, nginx and Python have no use for settings and passwords. A server of its own gets what it needs
// by its row.
func forgetSettings() {
	environ := os.Environ()
	kept := slices.DeleteFunc(supervisor.Environ(environ), benchspec.ForPostgres)
	for _, variable := range environ {
		if !slices.Contains(kept, variable) {
			name, _, _ := strings.Cut(variable, "=")
			os.Unsetenv(name)
		}
	}
}

package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"demo-server/bench/expect"
	"demo-server/bench/originals"
	"demo-server/configs"
	"demo-server/internal/benchspec"
	"demo-server/internal/service/supervisor"
)

// newBench returns the command that runs the pressure test.
func newBench() commandSpec { return newBenchOf(new(benchspec.Run)) }

// newBenchOf returns the command that reads its flags and arguments into run.
func newBenchOf(run *benchspec.Run) commandSpec {
	return commandSpec{
		use: "bench [URL...]", short: "the pressure test: every mode side by side, predicted and measured", long: benchHelp,
		settings: true, reserved: run.Reserved(),
		flags: func(f *flagSet) {
			addRows(f, &run.Rows)
			addLoad(f, &run.Load)
			addMethod(f, &run.Method)
			addOutput(f, &run.Output)
		},
		arguments: []argument{{name: "url", repeats: true, set: appendParsed(&run.URLs)}},
		check:     func(l *commandLine) { l.addErrors(run.Check(l, l.errs != nil)) },
		run:       func(s *streams, _ *configs.Settings, l *commandLine) error { return runBench(s, l, run) },
	}
}

func addRows(f *flagSet, rows *benchspec.Rows) {
	f.heading = "Servers"
	addParsed(f, &rows.Modes, "modes", value{fallback: "all", placeholder: "MODE,MODE", list: true,
		help: "all that this system can run, or some"})
	addRepeated(f, &rows.Row, "row", "MODE:NAME=VALUE,…", "a mode with settings of its own; repeatable")
	addParsed(f, &rows.Work, "work", value{placeholder: "KIND,KIND", list: true,
		help: "kinds of work, each in each of these, or all that can be done; see above"})
	f.toggle(&rows.Originals, "python", "the article's Python programs too")
	addRepeated(f, &rows.Against, "against", "[NAME=]URL", "a server that runs already, like the argument URL; repeatable")
	f.toggle(&rows.AllowRemote, "allow-remote", "let --against and URL put load on other machines")
	f.toggle(&rows.Quick, "quick", "2 rounds of 2.5s with a delay of 200ms, about 40s for all modes; see above")
	f.toggle(&rows.Article, "article", "the article's test: 5000 requests by 100 clients, a delay of 2s; see above")
	f.number(&rows.Port, "port", "0", 0, 65535, "TCP port of the servers that it starts; 0 picks free ones")
}

func addLoad(f *flagSet, load *benchspec.Load) {
	f.heading = "Load"
	f.number(&load.Concurrency, "concurrency,c", "100", 1, 100_000, "clients; with --rate, requests that may wait")
	f.number(&load.Requests, "requests,n", "0", 0, 10_000_000, "of each repeat; 0 goes by --duration")
	f.duration(&load.Duration, "duration,z", "10s", 1, time.Hour, "of each repeat")
	addParsed(f, &load.Rate, "rate", value{placeholder: "R", help: "requests per second, however many wait; see above"})
	f.toggle(&load.Keepalive, "keepalive", "keep connections for more than one request")
	f.toggle(&load.SameBody, "same-body", "a reply of --against with another body than the first one has failed")
	f.timeout(&load.Timeout, "timeout", "", "of a request; without it 30s, or longer where theory predicts so")
	addParsed(f, &load.With, "generator", value{fallback: "builtin", placeholder: "NAME", help: "load generator"})
}

func addMethod(f *flagSet, method *benchspec.Method) {
	f.heading = "Method"
	f.number(&method.Repeat, "repeat", "6", 1, 1000, "rounds, each with every row in another order")
	f.duration(&method.Warmup, "warmup", "0s", 0, time.Hour, "at the start of each repeat, not counted")
	f.duration(&method.Budget, "budget", "60s", 1, 24*time.Hour, "longest that a repeat of --requests takes; see above")
	addMargin(f, &method.Margin)
	f.number(&method.Seed, "seed", "1", 0, 2147483647, "of the order of the rows")
	f.words(&method.Expect, "expect", "CONDITION",
		"exit code 1 if it is not met, such as goroutine.failed==0; repeatable; see above")
}

func addOutput(f *flagSet, output *benchspec.Output) {
	f.heading = "Output"
	addFile(f, &output.Report, "report", "HTML page with the table, the verdict and pictures; needs no network")
	addFile(f, &output.JSON, "json", "all that was measured")
	addFile(f, &output.CSV, "csv", "a line for each repeat")
	f.toggle(&output.Wide, "wide", "show all columns, and with several kinds of --work a table for each")
}

func addMargin(f *flagSet, to *benchspec.Margin) {
	addParsed(f, to, "margin", value{fallback: "2%", placeholder: "PERCENT", help: "difference that does not matter"})
}

func addFile(f *flagSet, to *benchspec.FileName, name, help string) {
	addParsed(f, to, name, value{placeholder: "FILE", help: help})
}

// benchHelp is the detailed help of bench.
var benchHelp = `Each row is a server. In each of several rounds, bench starts this same program for it on a free
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

// runBench runs the pressure test.
func runBench(s *streams, l *commandLine, run *benchspec.Run) error {
	forgetSettings()
	config, err := run.Config(l)
	if err != nil {
		return err
	}
	if config.Binary, err = os.Executable(); err != nil {
		return err
	}
	config.Command, config.Version = l.redactedArgs(), ownVersion()
	for _, err := range run.SkippedKinds(l) {
		fmt.Fprintf(s.errOut, "%s: left out of --work=all: %s\n", program, err)
	}
	var set *originals.Set
	if run.Originals {
		if set, err = run.AddOriginals(l, &config); err != nil {
			return err
		}
		defer set.Close()
		if missing := set.Missing(); missing != "" {
			fmt.Fprintf(s.errOut, "%s: %s\n", program, missing)
		}
	}
	return measure(l, run, config, set, s)
}

// forgetSettings removes settings and passwords from the environment of this process, because its children inherit the
// environment: load generators, nginx and Python do not need them. Our own servers get theirs from their row.
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

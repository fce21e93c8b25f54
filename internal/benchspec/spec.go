// Package benchspec turns the flags and arguments of bench into bench.Config and bench.CostConfig.
//
// It must not know a flag library: the command line fills in a Run or a Cost, and implements Input.
package benchspec

import (
	"maps"
	"time"

	"demo-server/bench"
	"demo-server/bench/expect"
	"demo-server/configs"
)

// program is the name of the command in messages.
const program = "demo-server"

// An Input is the command line of a Run or a Cost.
type Input interface {
	// Given returns a flag as it was spelled, or "" if it was not given.
	Given(name string) string
	// Wrong reports whether a flag or an argument has a wrong value.
	Wrong(name string) bool
	// SettingFlags returns the flags that are settings, as given.
	SettingFlags() []configs.Flag
	// Settings returns the settings in force if more flags followed those given.
	Settings(more ...configs.Flag) (*configs.Settings, error)
	// Environ returns the environment.
	Environ() []string
}

// reserved are the settings that bench chooses for the servers that it starts, with the reason.
var reserved = map[string]string{
	"mode":        "use --modes",
	"host":        "its servers listen on this machine only",
	"port":        "each of its servers gets a free one",
	"admin-addr":  "it observes its servers through it",
	"admin-token": "it observes its servers itself",
	"log-level":   "it reads the logs of its servers",
	"log-format":  "it reads the logs of its servers",
	"seed":        "its own --seed is for the order of the rows",
}

// A Run describes a pressure test. Call Check before the other methods.
type Run struct {
	Rows
	Load
	Method
	Output
	URLs []ExternalServer // arguments

	expected []expect.Condition // the parsed Expect
}

// Rows are the flags that choose the servers.
type Rows struct {
	Modes       ModeList
	Row         []Variant
	Work        WorkList
	Originals   bool
	Against     []ExternalServer
	AllowRemote bool
	Quick       bool
	Article     bool
	Port        int
}

// Load holds the flags about the load.
type Load struct {
	Concurrency int
	Requests    int
	Duration    time.Duration
	Rate        Rate
	Keepalive   bool
	SameBody    bool
	Timeout     time.Duration
	With        Generator
}

// Method holds the flags about the method of measuring.
type Method struct {
	Repeat int
	Warmup time.Duration
	Budget time.Duration
	Margin Margin
	Seed   int
	Expect []string
}

// Output holds the flags about the result.
type Output struct {
	Report FileName
	JSON   FileName
	CSV    FileName
	Wide   bool
}

// Reserved returns the settings that the command chooses itself, by name, with the reason.
func (*Run) Reserved() map[string]string {
	all := maps.Clone(reserved)
	all["work"] = "its own --work takes several kinds"
	return all
}

// Config returns the configuration of the test. The caller sets Binary, Command and Version.
func (r *Run) Config(in Input) (bench.Config, error) {
	rows, err := r.rows(in)
	config := bench.Config{
		Rows: rows, Generator: string(r.With),
		Concurrency: r.Concurrency, Requests: r.Requests, Duration: r.Duration, Rate: float64(r.Rate),
		Keepalive: r.Keepalive, SameBody: r.SameBody, Repeat: r.Repeat, Warmup: r.Warmup, Timeout: r.Timeout, Budget: r.Budget,
		Seed: uint64(r.Seed), Margin: float64(r.Margin),
	}
	if r.Article {
		config.Reasonable = articleTime
	}
	return config, err
}

// Expected returns the conditions that the result has to meet.
func (r *Run) Expected() []expect.Condition { return r.expected }

// A Cost describes a measurement of the cost of a blocked request.
type Cost struct {
	Modes    ModeList
	InFlight int
	Ramp     time.Duration
	Repeat   int
	Beside   bool
	Output   // Report and CSV are not used
}

// Reserved returns the settings that the command chooses itself, by name, with the reason.
func (*Cost) Reserved() map[string]string {
	all := maps.Clone(reserved)
	for _, name := range []string{"delay", "queue", "queue-timeout"} {
		all[name] = "all requests have to block at the same time"
	}
	return all
}

// Config returns the configuration of the measurement, without the rows of AddBaselines. The caller sets Binary,
// Command and Version.
func (c *Cost) Config(in Input) (bench.CostConfig, error) {
	rows, err := rowsOf(in, variantsOf(c.Modes))
	return bench.CostConfig{Rows: rows, InFlight: c.InFlight, Ramp: c.Ramp, Repeat: c.Repeat}, err
}

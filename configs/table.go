package configs

import (
	"math"
	"strings"
	"time"

	"demo-server/units"
)

// A Setting is one row of the table. It describes a setting.
type Setting struct {
	Name    string // as flag and YAML key, such as read-header-timeout
	Group   string // its heading in help and in printed settings
	Default string
	Help    string // without a full stop

	Selector    bool // selects a source of settings, and therefore is not a key of a YAML file
	Secret      bool // is never printed
	AllowEmpty  bool // an environment variable that is set but empty counts
	RestartOnly bool // keeps its value until a restart: a reload does not change it

	Value
}

// Flag returns the setting's flag, such as --read-header-timeout.
func (s Setting) Flag() string { return "--" + s.Name }

// Variable returns the setting's environment variable, such as DEMO_SERVER_READ_HEADER_TIMEOUT.
func (s Setting) Variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// The groups, in the order of the table.
const (
	from      = "Sources"
	served    = "Serving"
	blocks    = "Work"
	faults    = "Faults"
	where     = "Listeners"
	bounds    = "Limits"
	timeouts  = "Timeouts"
	stopping  = "Shutdown"
	observing = "Observability"
)

const (
	maxPort     = 1<<16 - 1
	minPositive = 1 // the shortest duration above 0

	delayCap    = 10 * time.Minute
	largestBody = 100 * units.MiB
)

// MaxProcesses is the highest Settings.Processes.
const MaxProcesses = 64

// MaxSeed is the highest Settings.Seed.
const MaxSeed = math.MaxInt32

// table returns the table with each row bound to its field of s.
func (s *Settings) table(c Catalog) []Setting {
	return []Setting{
		{Name: "config", Group: from, Selector: true, Value: file(&s.config),
			Help: "YAML file of settings"},
		{Name: "preset", Group: from, Selector: true, Value: enum(&s.preset, presetNames()...),
			Help: "named set of settings"},

		{Name: "mode", Group: served, Default: first(c.Modes), Value: enum(&s.Mode, names(c.Modes)...),
			Help: "concurrency model that serves"},
		{Name: "delay", Group: served, Default: "2s", Value: duration(&s.Delay, 0, delayCap),
			Help: "how long a request blocks, at most max-delay"},
		{Name: "body", Group: served, Default: "Hello World", AllowEmpty: true, Value: text(&s.Body, 10*units.MiB),
			Help: "body of the reply, at most max-size"},
		{Name: "any-path", Group: served, Default: "false", Value: toggle(&s.AnyPath),
			Help: "answer every path and method without a route of its own like /, as the backend of a" +
				" proxy; query parameters that are not understood are ignored"},
		{Name: "cors", Group: served, Default: "false", Value: toggle(&s.CORS),
			Help: "let web pages of any origin read replies and their Server-Timing, and answer preflights"},
		{Name: "on-disconnect", Group: served, Default: OnDisconnectCancel, Value: enum(&s.OnDisconnect, OnDisconnectCancel, OnDisconnectFinish),
			Help: "what to do with a request whose client disconnects: cancel stops its work, finish" +
				" completes it like the Python servers"},

		{Name: "half-close", Group: served, Default: HalfCloseDisconnect,
			Value: enum(&s.HalfClose, HalfCloseDisconnect, HalfCloseAnswer),
			Help: "what a closed sending side (nc -N) means: disconnect frees the place at once, because a" +
				" client that closes its connection sends the same FIN; answer sends the reply, and does" +
				" not notice disconnects"},

		{Name: "work", Group: blocks, Default: first(c.Works), Value: enum(&s.Work, names(c.Works)...),
			Help: "kind of work that a request blocks on"},
		{Name: "slots", Group: blocks, Default: "1", Value: number(&s.Slots, 1, 1_000_000),
			Help: "number of requests in each process that may do work mutex at the same time"},
		{Name: "dir", Group: blocks, AllowEmpty: true, Value: text(&s.Dir, units.KiB),
			Help: "directory that work file writes to; empty for the system's directory for temporary files"},
		{Name: "target", Group: blocks, AllowEmpty: true, Value: text(&s.Target, 4*units.KiB),
			Help: "server to call: a URL for work http, HOST:PORT for work grpc; empty for one in this" +
				" process; demo-server backend starts one in a process of its own"},
		{Name: "pool-size", Group: blocks, Default: "10", Value: number(&s.PoolSize, 1, 10_000),
			Help: "connections of work http or sql in each process; requests without one wait"},
		{Name: "dsn", Group: blocks, AllowEmpty: true, Secret: true, Value: secret(&s.DSN, 4*units.KiB),
			Help: "PostgreSQL of work sql, such as postgres://USER:PASSWORD@HOST:PORT/DATABASE; better set" +
				" in the environment, because others can see a command line"},
		{Name: "dial-timeout", Group: blocks, Default: "5s", Value: duration(&s.DialTimeout, minPositive, time.Minute),
			Help: "time to wait for the dependency at startup, and for its reply beyond the delay"},

		{Name: "overrides", Group: faults, Default: "true", Value: toggle(&s.Overrides),
			Help: "let requests ask for faults and delays, as in /?delay=300ms&status=503:10; false ignores" +
				" what they ask for"},
		{Name: "fault", Group: faults, AllowEmpty: true, Value: text(&s.Fault, 4*units.KiB),
			Help: "fault for requests that ask for none, in the same syntax: 'status=503:10&delay=exp(2s)'"},
		{Name: "seed", Group: faults, Default: "0", Value: number(&s.Seed, 0, MaxSeed),
			Help: "seed of the random draws, to repeat a run; 0 for a new one in each process"},
		// The caps limit the harm that an accidentally exposed demo server can do.
		{Name: "max-delay", Group: faults, Default: "1m", Value: duration(&s.MaxDelay, 0, delayCap),
			Help: "longest delay that a request may ask for"},
		{Name: "max-size", Group: faults, Default: "10MiB", Value: size(&s.MaxSize, 0, largestBody),
			Help: "largest body that a request may ask for"},

		{Name: "host", Group: where, Default: "127.0.0.1", RestartOnly: true, Value: host(&s.Host),
			Help: "IP address or name to listen on; 0.0.0.0 for all of IPv4, :: for all"},
		{Name: "port", Group: where, Default: "7779", RestartOnly: true, Value: number(&s.Port, 0, maxPort),
			Help: "TCP port to listen on; 0 picks a free one"},
		{Name: "admin-addr", Group: where, Default: AdminAuto, AllowEmpty: true, RestartOnly: true,
			Value: adminAddr(&s.AdminAddr), Help: "admin listener: HOST:PORT, :PORT for all addresses, PORT for 127.0.0.1, empty for none;" +
				" auto is 127.0.0.1 and the port after --port, or a free port if that is taken"},
		{Name: "admin-token", Group: where, AllowEmpty: true, Secret: true, RestartOnly: true, Value: token(&s.AdminToken),
			Help: "secret that the admin listener asks for; better set in the environment, because others" +
				" can see a command line"},

		{Name: "processes", Group: bounds, Default: "0", Value: number(&s.Processes, 0, MaxProcesses),
			Help: "worker processes under a supervisor, like gunicorn's -w; 0 serves in this process," +
				" without a supervisor"},
		{Name: "workers", Group: bounds, Default: "100", Value: number(&s.Workers, 1, 1_000_000),
			Help: "goroutines that work in mode pool"},
		{Name: "queue", Group: bounds, Default: "1024", Value: number(&s.Queue, 0, 10_000_000),
			Help: "requests that may wait for a worker in mode pool, or for a helper in mode eventloop"},
		{Name: "queue-timeout", Group: bounds, Default: "30s", Value: duration(&s.QueueTimeout, minPositive, time.Hour),
			Help: "how long a request may wait in the queue"},
		// The Go runtime ends a program that has 10,000 threads, and a server may run two kinds of work that hold them:
		// its own work file, and work block as an override.
		{Name: "max-threads", Group: bounds, Default: "1000", Value: number(&s.MaxThreads, 1, 4500),
			Help: "requests that may have an OS thread: in mode thread, which answers 503 beyond that, and" +
				" with work block or file, which make the others wait"},
		{Name: "loops", Group: bounds, Default: "0", Value: number(&s.Loops, 0, 1024),
			Help: "event loops of mode eventloop; 0 for one per core, shared by all processes"},
		{Name: "loop-helpers", Group: bounds, Default: "8", Value: number(&s.LoopHelpers, 1, 9000),
			Help: "threads of mode eventloop for work that would block a loop"},
		{Name: "patched", Group: bounds, Default: "true", Value: toggle(&s.Patched),
			Help: "false runs all work on the event loops themselves, like gevent without monkey-patching"},
		{Name: "max-connections", Group: bounds, Default: "0", Value: number(&s.MaxConnections, 0, 10_000_000),
			Help: "open connections in each process; 0 derives the number from the open-file limit"},
		{Name: "backlog", Group: bounds, Default: "0", RestartOnly: true, Value: number(&s.Backlog, 0, 1_000_000),
			Help: "length of the kernel's accept queue; 0 for the system's default"},
		// net/http adds 4 KiB to any limit, and therefore cannot enforce a smaller one.
		{Name: "max-header-bytes", Group: bounds, Default: "8KiB", Value: size(&s.MaxHeaderBytes, 4*units.KiB, units.MiB),
			Help: "largest request line and headers"},
		{Name: "max-body-bytes", Group: bounds, Default: "1MiB", Value: size(&s.MaxBodyBytes, 0, units.GiB),
			Help: "largest request body; 0 refuses every body"},

		{Name: "read-header-timeout", Group: timeouts, Default: "5s",
			Value: duration(&s.ReadHeaderTimeout, minPositive, time.Hour), Help: "time to receive a request's headers"},
		{Name: "read-timeout", Group: timeouts, Default: "10s",
			Value: duration(&s.ReadTimeout, minPositive, time.Hour), Help: "time without progress while receiving a request's body"},
		{Name: "read-request-timeout", Group: timeouts, Default: "30s",
			Value: duration(&s.ReadRequestTimeout, minPositive, time.Hour), Help: "time to receive a whole request, with or without progress"},
		{Name: "write-timeout", Group: timeouts, Default: "10s",
			Value: duration(&s.WriteTimeout, minPositive, time.Hour), Help: "time without progress while sending a reply; less than 1 KiB/s is no progress"},
		{Name: "idle-timeout", Group: timeouts, Default: "1m",
			Value: duration(&s.IdleTimeout, minPositive, time.Hour), Help: "time that a kept connection may be idle between requests"},
		{Name: "worker-timeout", Group: timeouts, Default: "30s", Value: duration(&s.WorkerTimeout, 0, time.Hour),
			Help: "how long a worker process may neither answer the supervisor nor use CPU time before it" +
				" is killed and replaced; at least 2s, or 0 for no limit"},

		{Name: "drain-timeout", Group: stopping, Default: "30s", Value: duration(&s.DrainTimeout, 0, time.Hour),
			Help: "time for requests in flight to finish after a stop; the remaining ones get a 503"},
		{Name: "lame-duck", Group: stopping, Default: "0s", Value: duration(&s.LameDuck, 0, time.Hour),
			Help: "how long to accept after /readyz turned 503, for load balancers to notice"},

		{Name: "log-level", Group: observing, Default: "info", RestartOnly: true,
			Value: enum(&s.LogLevel, "debug", "info", "warn", "error"), Help: "lowest level to log"},
		{Name: "log-format", Group: observing, Default: "auto", RestartOnly: true,
			Value: enum(&s.LogFormat, "auto", "console", "json"), Help: "auto is console on a terminal, and json otherwise"},
		{Name: "access-log", Group: observing, Default: "off",
			Value: enum(&s.AccessLog, "off", "sampled", "all"), Help: "requests to log"},
		{Name: "flight-recorder", Group: observing, Default: "false", Value: toggle(&s.FlightRecorder),
			Help: "keep the last seconds of the execution trace for /debug/trace"},
	}
}

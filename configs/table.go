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
	from      = "Where settings come from"
	served    = "What is served"
	blocks    = "What blocks"
	faults    = "Faults"
	where     = "Where"
	bounds    = "Bounds"
	timeouts  = "Timeouts"
	stopping  = "Stopping"
	observing = "Observing"
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
			Help: "every path and method that has no route of its own gets what / gets, as the backend of a proxy needs it;" +
				" what its query asks for and is not understood is ignored"},
		{Name: "cors", Group: served, Default: "false", Value: toggle(&s.CORS),
			Help: "web pages of any origin may read replies and their Server-Timing, and preflights are answered"},
		{Name: "on-leave", Group: served, Default: OnLeaveCancel, Value: enum(&s.OnLeave, OnLeaveCancel, OnLeaveFinish),
			Help: "what becomes of the work of a client that left: cancel ends it, finish goes on with it, as the" +
				" Python servers do"},

		{Name: "half-close", Group: served, Default: HalfCloseDisconnect,
			Value: enum(&s.HalfClose, HalfCloseDisconnect, HalfCloseAnswer),
			Help: "what it means that a client ends its sending side (nc -N): disconnect frees its place at once, as a client" +
				" that closes sends the same FIN; answer sends the reply, and does not see clients close"},

		{Name: "work", Group: blocks, Default: first(c.Works), Value: enum(&s.Work, names(c.Works)...),
			Help: "kind of work that a request blocks on"},
		{Name: "slots", Group: blocks, Default: "1", Value: number(&s.Slots, 1, 1_000_000),
			Help: "how many requests may do work mutex at the same time, in each process"},
		{Name: "dir", Group: blocks, AllowEmpty: true, Value: text(&s.Dir, units.KiB),
			Help: "folder that work file writes in; empty is the system's for temporary files"},
		{Name: "target", Group: blocks, AllowEmpty: true, Value: text(&s.Target, 4*units.KiB),
			Help: "server that is called: a URL for work http, HOST:PORT for work grpc; empty is one in this process," +
				" demo-server backend is one apart"},
		{Name: "pool-size", Group: blocks, Default: "10", Value: number(&s.PoolSize, 1, 10_000),
			Help: "how many connections work http or sql shares, in each process; a request without one waits for it"},
		{Name: "dsn", Group: blocks, AllowEmpty: true, Secret: true, Value: secret(&s.DSN, 4*units.KiB),
			Help: "PostgreSQL of work sql, such as postgres://USER:PASSWORD@HOST:PORT/DATABASE; better given by the" +
				" environment, since others can see a command line"},
		{Name: "dial-timeout", Group: blocks, Default: "5s", Value: duration(&s.DialTimeout, minPositive, time.Minute),
			Help: "how long the server of work http, sql or grpc, or the disk of work file, may take to answer at the start," +
				" and such a server to answer a request, beyond its delay"},

		{Name: "overrides", Group: faults, Default: "true", Value: toggle(&s.Overrides),
			Help: "a request may ask for what it gets, as in /?delay=300ms&status=503:10; false ignores what it asks for"},
		{Name: "fault", Group: faults, AllowEmpty: true, Value: text(&s.Fault, 4*units.KiB),
			Help: "what requests get that ask for nothing, in the same words: 'status=503:10&delay=exp(2s)'"},
		{Name: "seed", Group: faults, Default: "0", Value: number(&s.Seed, 0, MaxSeed),
			Help: "of what is drawn by chance, so that a run can be repeated; 0 is a new one in each process"},
		// The caps limit the harm that an accidentally exposed demo server can do.
		{Name: "max-delay", Group: faults, Default: "1m", Value: duration(&s.MaxDelay, 0, delayCap),
			Help: "longest delay that may be asked for"},
		{Name: "max-size", Group: faults, Default: "10MiB", Value: size(&s.MaxSize, 0, largestBody),
			Help: "largest body that may be asked for"},

		{Name: "host", Group: where, Default: "127.0.0.1", RestartOnly: true, Value: host(&s.Host),
			Help: "IP address or name to listen on; 0.0.0.0 for all of IPv4, :: for all"},
		{Name: "port", Group: where, Default: "7779", RestartOnly: true, Value: number(&s.Port, 0, maxPort),
			Help: "TCP port to listen on; 0 picks a free one"},
		{Name: "admin-addr", Group: where, Default: AdminAuto, AllowEmpty: true, RestartOnly: true,
			Value: adminAddr(&s.AdminAddr), Help: "admin listener: HOST:PORT, :PORT for all addresses, PORT for 127.0.0.1, empty for none; auto is" +
				" 127.0.0.1 and the port after --port, or a free one where that is taken"},
		{Name: "admin-token", Group: where, AllowEmpty: true, Secret: true, RestartOnly: true, Value: token(&s.AdminToken),
			Help: "secret that the admin listener asks for; better given by the environment, since others can see" +
				" a command line"},

		{Name: "processes", Group: bounds, Default: "0", Value: number(&s.Processes, 0, MaxProcesses),
			Help: "how many worker processes serve under a supervisor, as gunicorn's -w: 1 is one worker and a supervisor;" +
				" 0 serves in this process, without a supervisor"},
		{Name: "workers", Group: bounds, Default: "100", Value: number(&s.Workers, 1, 1_000_000),
			Help: "how many goroutines work in mode pool"},
		{Name: "queue", Group: bounds, Default: "1024", Value: number(&s.Queue, 0, 10_000_000),
			Help: "how many requests may wait for a worker in mode pool"},
		{Name: "queue-timeout", Group: bounds, Default: "30s", Value: duration(&s.QueueTimeout, minPositive, time.Hour),
			Help: "how long a request may wait for a worker in mode pool"},
		// The Go runtime ends a program that has 10,000 threads, and a server may run two kinds of work that hold them:
		// its own work file, and work block as an override.
		{Name: "max-threads", Group: bounds, Default: "1000", Value: number(&s.MaxThreads, 1, 4500),
			Help: "how many requests may have an OS thread in mode thread, where further ones are answered 503, and with" +
				" work block or file, where they wait"},
		{Name: "loops", Group: bounds, Default: "0", Value: number(&s.Loops, 0, 1024),
			Help: "how many event loops share the connections in mode eventloop; 0 is one for each core, shared out to the processes"},
		{Name: "loop-helpers", Group: bounds, Default: "8", Value: number(&s.LoopHelpers, 1, 9000),
			Help: "how many threads do the work that would hold a loop up in mode eventloop"},
		{Name: "patched", Group: bounds, Default: "true", Value: toggle(&s.Patched),
			Help: "false does all work on the loops of mode eventloop, as gevent without its monkey patches"},
		{Name: "max-connections", Group: bounds, Default: "0", Value: number(&s.MaxConnections, 0, 10_000_000),
			Help: "how many connections may be open at the same time in each process; 0 derives it from the open-file limit"},
		{Name: "backlog", Group: bounds, Default: "0", RestartOnly: true, Value: number(&s.Backlog, 0, 1_000_000),
			Help: "length of the kernel's accept queue; 0 is the system's"},
		// net/http adds 4 KiB to any limit, and therefore cannot enforce a smaller one.
		{Name: "max-header-bytes", Group: bounds, Default: "8KiB", Value: size(&s.MaxHeaderBytes, 4*units.KiB, units.MiB),
			Help: "largest request line and headers"},
		{Name: "max-body-bytes", Group: bounds, Default: "1MiB", Value: size(&s.MaxBodyBytes, 0, units.GiB),
			Help: "largest request body; 0 refuses every body"},

		{Name: "read-header-timeout", Group: timeouts, Default: "5s",
			Value: duration(&s.ReadHeaderTimeout, minPositive, time.Hour), Help: "to receive a request's headers"},
		{Name: "read-timeout", Group: timeouts, Default: "10s",
			Value: duration(&s.ReadTimeout, minPositive, time.Hour), Help: "while receiving a request's body, without progress"},
		{Name: "read-request-timeout", Group: timeouts, Default: "30s",
			Value: duration(&s.ReadRequestTimeout, minPositive, time.Hour), Help: "to receive a whole request, its body included, however it makes progress"},
		{Name: "write-timeout", Group: timeouts, Default: "10s",
			Value: duration(&s.WriteTimeout, minPositive, time.Hour), Help: "while sending a reply, without progress: less than 1 KiB/s is none"},
		{Name: "idle-timeout", Group: timeouts, Default: "1m",
			Value: duration(&s.IdleTimeout, minPositive, time.Hour), Help: "of a kept connection, between requests"},
		{Name: "worker-timeout", Group: timeouts, Default: "30s", Value: duration(&s.WorkerTimeout, 0, time.Hour),
			Help: "how long a worker process may neither answer the supervisor nor use CPU time before it is killed and" +
				" replaced, 2s at least; 0 is for ever"},

		{Name: "drain-timeout", Group: stopping, Default: "30s", Value: duration(&s.DrainTimeout, 0, time.Hour),
			Help: "how long requests in flight may take to finish; the rest are answered 503"},
		{Name: "lame-duck", Group: stopping, Default: "0s", Value: duration(&s.LameDuck, 0, time.Hour),
			Help: "how long to go on accepting after /readyz turned 503, so that load balancers see it"},

		{Name: "log-level", Group: observing, Default: "info", RestartOnly: true,
			Value: enum(&s.LogLevel, "debug", "info", "warn", "error"), Help: "least severity that is logged"},
		{Name: "log-format", Group: observing, Default: "auto", RestartOnly: true,
			Value: enum(&s.LogFormat, "auto", "console", "json"), Help: "auto is console on a terminal, else json"},
		{Name: "access-log", Group: observing, Default: "off",
			Value: enum(&s.AccessLog, "off", "sampled", "all"), Help: "which requests are logged"},
		{Name: "flight-recorder", Group: observing, Default: "false", Value: toggle(&s.FlightRecorder),
			Help: "keep the last seconds of the execution trace for /debug/trace"},
	}
}

// Package configs holds the settings of demo-server: what they are, where they come from, and what is wrong with them.
//
// One table (table.go) says everything about a setting; its flag, environment variable, YAML key, help, default and
// parsing derive from it. Load merges the sources, from weakest to strongest: the defaults, a preset (one of the YAML
// files in this folder), a YAML file, the environment, the command line. Every value of every source is checked, also
// where a stronger source overrides it, and all mistakes are reported at once.
//
// The package must not know what the settings are for: it is given a Catalog of modes and kinds of work.
package configs

import (
	"net"
	"strconv"
	"time"
)

// Settings are the settings in force. Load makes them; they are valid then.
type Settings struct {
	// What is served.

	Mode    string        // the concurrency model's name
	Delay   time.Duration // how long a request blocks, 0 to MaxDelay
	Body    string        // the body of the reply, at most MaxSize
	AnyPath bool          // paths and methods without a route get what / gets
	CORS    bool          // web pages of any origin may read replies
	OnLeave string        // OnLeaveCancel or OnLeaveFinish

	HalfClose string // HalfCloseDisconnect or HalfCloseAnswer

	// What blocks.

	Work        string        // the name of the kind of work
	Slots       int           // of work mutex: how many requests may be in it at a time, at least 1
	Dir         string        // of work file: where its files are; empty for the system's folder for temporary ones
	Target      string        // of work http, a URL, or of work grpc, host:port; empty for a server in this process
	PoolSize    int           // of work http and sql: connections, at least 1
	DSN         Secret        // of work sql: the database; empty for none
	DialTimeout time.Duration // how long what the work depends on may take to answer beyond the delay, above 0

	// Faults.

	Overrides bool          // requests may ask for what they get
	Fault     string        // what requests get that do not ask; empty for the usual
	Seed      int           // of what is drawn by chance; 0 for a new one in each process
	MaxDelay  time.Duration // the longest delay that may be asked for
	MaxSize   int64         // the longest body that may be asked for, in bytes

	// Where.

	Host       string // an IP address or a host name
	Port       int    // 0 for a free one
	AdminAddr  string // host:port, AdminAuto, or empty for no admin listener; see AdminAddress
	AdminToken Secret // what the control API asks for; empty for none

	// Bounds.

	Processes      int           // worker processes under a supervisor; 0 for none of either
	Workers        int           // goroutines of mode pool, at least 1
	Queue          int           // requests that may wait for a worker of mode pool
	QueueTimeout   time.Duration // how long a request may wait for a worker of mode pool, above 0
	MaxThreads     int           // requests that may have a thread, in mode thread or of work block or file, at least 1
	Loops          int           // event loops of mode eventloop, of each process; 0 for one on each core
	LoopHelpers    int           // threads of mode eventloop for work that holds a thread or a core, at least 1
	Patched        bool          // mode eventloop keeps its loops free; false does all work on them
	MaxConnections int           // connections open at the same time in a process; 0 derives it from the open-file limit
	Backlog        int           // length of the kernel's accept queue in connections; 0 for the system's
	MaxHeaderBytes int           // bytes of the request line and the headers
	MaxBodyBytes   int64         // bytes of a request's body; 0 refuses every body

	// Timeouts, all above 0.

	ReadHeaderTimeout  time.Duration // to receive a request's headers
	ReadTimeout        time.Duration // while receiving a body, without progress
	ReadRequestTimeout time.Duration // to receive a whole request, body included
	WriteTimeout       time.Duration // while sending a reply, without progress
	IdleTimeout        time.Duration // of a kept connection, between requests

	// WorkerTimeout is how long a worker process may neither answer its supervisor nor use CPU time; 0 for ever, else at
	// least 2 seconds.
	WorkerTimeout time.Duration

	// Stopping.

	DrainTimeout time.Duration // how long requests in flight may take to finish
	LameDuck     time.Duration // how long to go on accepting after /readyz turned 503

	// Observing.

	LogLevel       string // debug, info, warn or error
	LogFormat      string // auto, console or json
	AccessLog      string // off, sampled or all
	FlightRecorder bool   // keep the last seconds of the execution trace

	config  string            // name of the YAML file, or empty
	preset  string            // name of the preset, or empty
	sources map[string]Source // by name of the setting
	ignored []string          // variables that Kubernetes sets for Services
}

// What becomes of a request's work when its client leaves.
const (
	OnLeaveCancel = "cancel" // it ends
	OnLeaveFinish = "finish" // it goes on, as the Python servers do
)

// What it means that a client closes its sending side and goes on reading.
const (
	HalfCloseDisconnect = "disconnect" // it has left, as a client that closes sends the same FIN
	HalfCloseAnswer     = "answer"     // it waits for its reply, as nginx, net/http and fasthttp take it
)

// AdminAuto as Settings.AdminAddr stands for 127.0.0.1 and the port after Settings.Port.
const AdminAuto = "auto"

// Source tells where the value of the named setting came from.
func (s *Settings) Source(name string) Source { return s.sources[name] }

// Ignored lists the environment variables that begin like ours and that Kubernetes sets for Services, in the order of the
// environment.
func (s *Settings) Ignored() []string { return s.ignored }

// AdminAddress is the address of the admin listener as host:port, or empty for none. A derived one is the setting auto
// worked out: where its port is taken, a free one may be used instead. Its port is 0, for any free one, where Port is
// 0 itself or the highest.
func (s *Settings) AdminAddress() (address string, derived bool) {
	if s.AdminAddr != AdminAuto {
		return s.AdminAddr, false
	}
	port := s.Port + 1
	if s.Port == 0 || port > maxPort {
		port = 0
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), true
}

// A Secret is text that is never printed: every way of fmt, encoding/json and a logger to show it says "(redacted)".
// Convert it to string to use it.
type Secret string

const redacted = "(redacted)"

// String is "(redacted)".
func (Secret) String() string { return redacted }

// GoString is "(redacted)".
func (Secret) GoString() string { return redacted }

// MarshalText returns "(redacted)".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

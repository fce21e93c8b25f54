// Package configs holds the settings of demo-server, their sources, and their checks.
//
// One table (table.go) describes every setting: flag, environment variable, YAML key, help, default and parsing derive
// from it. Load merges the sources, from weakest to strongest: the defaults, a preset (one of the YAML files in this
// folder), a YAML file, the environment, the command line. It checks every value of every source, even if a stronger
// source overrides it, and reports all mistakes at once.
//
// The package must not know the modes and kinds of work: its caller passes them as a Catalog.
package configs

import (
	"net"
	"strconv"
	"time"
)

// Settings are the settings in force. Load returns valid ones.
type Settings struct {
	// Serving.

	Mode         string        // the concurrency model's name
	Delay        time.Duration // how long a request blocks, 0 to MaxDelay
	Body         string        // the body of the reply, at most MaxSize
	AnyPath      bool          // paths and methods without a route get the reply of /
	CORS         bool          // web pages of any origin may read replies
	OnDisconnect string        // OnDisconnectCancel or OnDisconnectFinish

	HalfClose string // HalfCloseDisconnect or HalfCloseAnswer

	// Work.

	Work        string        // the name of the kind of work
	Slots       int           // work mutex: requests that may be in it at the same time, at least 1
	Dir         string        // work file: the folder; empty for the system's folder for temporary files
	Target      string        // work http: a URL; work grpc: host:port; empty for a server in this process
	PoolSize    int           // work http and sql: connections, at least 1
	DSN         Secret        // work sql: the database; empty for none
	DialTimeout time.Duration // how long the dependency may take to reply, beyond the delay; above 0

	// Faults.

	Overrides bool          // requests may override the settings
	Fault     string        // the overrides of requests without any; empty for none
	Seed      int           // of all random draws; 0 for a new seed in each process
	MaxDelay  time.Duration // the longest delay of an override
	MaxSize   int64         // the longest body of an override, in bytes

	// Listeners.

	Host       string // an IP address or a host name
	Port       int    // 0 for a free one
	AdminAddr  string // host:port, AdminAuto, or empty for no admin listener; see AdminAddress
	AdminToken Secret // that clients of the admin listener must send; empty for none

	// Limits.

	Processes      int           // worker processes under a supervisor; 0 serves without them
	Workers        int           // goroutines of mode pool, at least 1
	Queue          int           // requests that may wait for a worker of mode pool
	QueueTimeout   time.Duration // how long a request may wait for a worker of mode pool, above 0
	MaxThreads     int           // requests that may have a thread, in mode thread or with work block or file, at least 1
	Loops          int           // event loops of mode eventloop, in each process; 0 for one on each core
	LoopHelpers    int           // threads of mode eventloop for work that holds a thread or a core, at least 1
	Patched        bool          // mode eventloop offloads blocking work; false runs all work on the loops
	MaxConnections int           // connections open at the same time in a process; 0 derives it from the open-file limit
	Backlog        int           // length of the kernel's accept queue, in connections; 0 for the system's
	MaxHeaderBytes int           // bytes of the request line and the headers
	MaxBodyBytes   int64         // bytes of a request's body; 0 refuses every body

	// Timeouts, all above 0.

	ReadHeaderTimeout  time.Duration // to receive a request's headers
	ReadTimeout        time.Duration // while receiving a body, without progress
	ReadRequestTimeout time.Duration // to receive a whole request, body included
	WriteTimeout       time.Duration // while sending a reply, without progress
	IdleTimeout        time.Duration // of a kept connection, between requests

	// WorkerTimeout is how long a worker process may neither answer its supervisor nor use CPU time; 0 for ever, else
	// at least 2 seconds.
	WorkerTimeout time.Duration

	// Shutdown.

	DrainTimeout time.Duration // how long requests in flight may take to finish
	LameDuck     time.Duration // how long to accept connections after /readyz turned 503

	// Observability.

	LogLevel       string // debug, info, warn or error
	LogFormat      string // auto, console or json
	AccessLog      string // off, sampled or all
	FlightRecorder bool   // keep the last seconds of the execution trace

	config  string            // name of the YAML file, or empty
	preset  string            // name of the preset, or empty
	sources map[string]Source // by name of the setting
	ignored []string          // variables that Kubernetes sets for Services
}

// The values of OnDisconnect: what to do with a request when its client disconnects.
const (
	OnDisconnectCancel = "cancel" // stop its work
	OnDisconnectFinish = "finish" // complete it, as the Python servers do
)

// The values of HalfClose: how to treat a client that closes its sending side.
const (
	HalfCloseDisconnect = "disconnect" // as disconnected, because a client that closes sends the same FIN
	HalfCloseAnswer     = "answer"     // as waiting for its reply, as nginx, net/http and fasthttp do
)

// AdminAuto is the Settings.AdminAddr that stands for 127.0.0.1 and the port after Settings.Port.
const AdminAuto = "auto"

// Source returns the source of the value of the named setting.
func (s *Settings) Source(name string) Source { return s.sources[name] }

// Ignored returns the environment variables that begin like ours but that Kubernetes sets for Services, in the order of
// the environment.
func (s *Settings) Ignored() []string { return s.ignored }

// AdminAddress returns the address of the admin listener as host:port, or "" for no listener. derived reports whether
// it follows from Port, as AdminAuto does. If the derived port is taken, the caller may use a free one instead. The
// derived port is 0, for any free one, if Port is 0 or the highest.
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

// A Secret is text that is never printed: fmt, encoding/json and loggers show it as "(redacted)". Convert it to string
// to use it.
type Secret string

const redacted = "(redacted)"

// String returns "(redacted)".
func (Secret) String() string { return redacted }

// GoString returns "(redacted)".
func (Secret) GoString() string { return redacted }

// MarshalText returns "(redacted)".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

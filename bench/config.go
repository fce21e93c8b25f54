package bench

import (
	"net/netip"
	"time"
)

// The load generators.
const (
	Builtin = "builtin"
	AB      = "ab"
	WRK     = "wrk"
)

// A Config describes the measurement.
type Config struct {
	Binary  string   // path of demo-server, started as a child for each row of kind mode
	Command []string // the command line, for the record
	Version string
	Rows    []Row

	Generator   string        // Builtin, AB or WRK
	Concurrency int           // clients; with Rate the max requests that wait at a time
	Requests    int           // of each repeat; 0 measures for Duration
	Duration    time.Duration // of each repeat
	Rate        float64       // requests per second of the open loop; 0 for the closed loop
	Keepalive   bool
	SameBody    bool          // an external server must send the same body each time
	Repeat      int           // number of measurements of each row, in interleaved rounds
	Warmup      time.Duration // at the start of each repeat, not counted
	Timeout     time.Duration // of a request
	Budget      time.Duration // max time of a repeat
	Reasonable  time.Duration // skips a row that would take longer, instead of cutting it off; 0 skips none
	Seed        uint64        // for the order of the rows in each round
	Margin      float64       // max relative difference that does not matter
}

// A Row is a server to measure. Kind, one of result's kinds, determines which fields matter.
type Row struct {
	Name  string
	Kind  string
	About string
	When  string // for a mode: when to choose it

	// For a mode of demo-server.
	Mode     string
	Args     []string          // flags of the child
	Environ  []string          // of the child, in addition to this process's environment
	Settings map[string]string // that only this row has

	// For one of the article's programs.
	Original string // its name
	Workers  int

	// For a baseline of bench/beside.
	Beside string // its name

	// For an external server.
	URL       string
	Addresses []netip.AddrPort // of its host; Choose leaves one

	// What the prediction needs.
	Known        bool   // false for an external server, of which nothing is known
	Work         string // kind of work; empty for servers other than demo-server
	WorkAbout    string // one line about the work that takes the delay
	Delay        time.Duration
	Body         string
	Places       int           // max requests at work at a time; 0 for no limit of its own
	Slots        int           // max requests at work that the work itself lets in; 0 for all
	Cores        int           // shared by the requests at work; 0 if the work computes nothing
	Bound        string        // the lowest of these limits as text, such as "50 workers / 2s"
	Processes    int           // processes that share all of this in fixed parts; 0 for a server that is one process
	Fault        string        // injected faults, which theory does not cover; empty for none
	Queue        int           // max requests that wait for a place; -1 for no limit
	QueueTimeout time.Duration // max wait of a request; 0 for no limit
	Most         int           // max requests that Cost sends at a time; 0 for no limit
	WhyMost      string        // the reason for Most
}

// room returns how many requests are served at a time by all limits together, or 0 for no limit.
func (r Row) room() (least int) {
	for _, places := range []int{r.Places, r.Slots, r.Cores} {
		if places > 0 && (least == 0 || places < least) {
			least = places
		}
	}
	return least
}

// inside reports whether the work is the tightest limit, which makes requests at work wait for each other.
func (r Row) inside() bool {
	return r.Slots+r.Cores > 0 && (r.Places == 0 || r.room() < r.Places)
}

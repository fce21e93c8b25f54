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

// A Config is what to measure.
type Config struct {
	Binary  string   // of demo-server, started as a child for each row of kind mode
	Command []string // the command line, for the record
	Version string
	Rows    []Row

	Generator   string        // Builtin, AB or WRK
	Concurrency int           // clients; with Rate the most that may wait at a time
	Requests    int           // of each repeat; 0 measures for Duration
	Duration    time.Duration // of each repeat
	Rate        float64       // requests per second of the open loop; 0 for the closed loop
	Keepalive   bool
	SameBody    bool          // a server that is running already has to send the same body each time
	Repeat      int           // how often each row is measured, in interleaved rounds
	Warmup      time.Duration // at the start of each repeat, not counted
	Timeout     time.Duration // of a request
	Budget      time.Duration // the longest that a repeat may take
	Reasonable  time.Duration // a row that would take longer is left out instead of cut; 0 leaves none out
	Seed        uint64        // of the order of the rows in each round
	Margin      float64       // relative difference that does not matter
}

// A Row is a server to measure. Which fields matter depends on Kind, one of result's.
type Row struct {
	Name  string
	Kind  string
	About string
	When  string // of a mode: when to choose it

	// Of a mode of demo-server.
	Mode     string
	Args     []string          // flags of the child
	Environ  []string          // of the child, beside what this process has
	Settings map[string]string // those of this row alone

	// Of one of the article's programs.
	Original string // its name
	Workers  int

	// Of a server that bench/beside holds.
	Beside string // its name

	// Of a server that is running already.
	URL       string
	Addresses []netip.AddrPort // of its host; Choose leaves one

	// What is known of how it serves, for the prediction.
	Known        bool   // of a server that is running already nothing is
	Work         string // the kind of work, empty for servers that are not demo-server
	WorkAbout    string // what it does for the delay, in one line
	Delay        time.Duration
	Body         string
	Places       int           // requests that it has at work at a time, 0 for no bound of its own
	Slots        int           // of those at work, how many the work itself lets in, 0 for all
	Cores        int           // that those at work share, 0 where the work computes nothing
	Bound        string        // what of this is the least, in words, such as "50 workers / 2s"
	Processes    int           // that have all of this between them, each its own part; 0 for a server that is one
	Fault        string        // what becomes of requests beside the usual, of which theory knows nothing; empty for nothing
	Queue        int           // requests that may wait for a place, -1 for no end
	QueueTimeout time.Duration // how long one may wait, 0 for no end
	Most         int           // requests at a time that Cost sends, 0 for as many as are wanted
	WhyMost      string        // it sends no more
}

// room is how many requests are served at a time, whatever bounds that; 0 for no bound.
func (r Row) room() (least int) {
	for _, places := range []int{r.Places, r.Slots, r.Cores} {
		if places > 0 && (least == 0 || places < least) {
			least = places
		}
	}
	return least
}

// inside reports whether the work is the bound, so that requests wait for each other while they are at work.
func (r Row) inside() bool {
	return r.Slots+r.Cores > 0 && (r.Places == 0 || r.room() < r.Places)
}

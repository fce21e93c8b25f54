// Package result holds the measurements of a run of the bench as a file keeps them. Each object of the JSON is one
// type. docs/reference/bench-result.md documents the schema.
//
// The package must not know how anything was measured or how it is shown.
package result

import "time"

// Schema names the version of the schema. It changes when an existing field goes or changes its meaning, not when a
// field is added.
const Schema = "demo-server/bench/1"

// A Result is one run of the bench. Durations are in seconds, sizes in bytes.
type Result struct {
	Schema      string       `json:"schema"`
	Version     string       `json:"version"` // demo-server's version
	Started     time.Time    `json:"started"`
	TookSeconds float64      `json:"took_seconds"`
	Interrupted bool         `json:"interrupted"` // stopped early; the result holds everything measured until then
	Command     []string     `json:"command"`     // the command line
	Machine     Machine      `json:"machine"`
	Load        Load         `json:"load"`
	Rows        []Row        `json:"rows"`
	Left        []Left       `json:"left_out"`
	Comparisons []Comparison `json:"comparisons"`
	Verdict     []string     `json:"verdict"` // the comparisons in plain sentences
	Costs       []Cost       `json:"costs"`   // results of bench cost, which has no rows

	Expectations []Expectation `json:"expectations"`
}

// An Expectation is a condition that the run was expected to meet.
type Expectation struct {
	Text string `json:"text"` // as given, such as pool(50).p99<2.1s
	Met  bool   `json:"met"`
	Why  string `json:"why"` // a sentence with the measured figure, or why there is none
}

// A Machine describes the machine of a run. Unknown fields are empty or 0.
type Machine struct {
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	Memory    int64  `json:"memory_bytes"`
	System    string `json:"system"` // such as linux/amd64
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
	OpenFiles int    `json:"open_files"`   // maximum per process
	Backlog   int    `json:"accept_queue"` // maximum length of an accept queue that the kernel allows, 0 if unknown
}

// A Load describes the load on each row.
type Load struct {
	Generator       string  `json:"generator"`   // builtin, ab or wrk
	Loop            string  `json:"loop"`        // closed or open
	Concurrency     int     `json:"concurrency"` // clients; in the open loop the maximum of waiting requests
	Requests        int     `json:"requests"`    // per repeat; 0 if DurationSeconds ends it
	DurationSeconds float64 `json:"duration_seconds"`
	Rate            float64 `json:"rate"` // requests per second of the open loop; 0 for the closed loop
	Keepalive       bool    `json:"keepalive"`
	Repeat          int     `json:"repeat"`
	WarmupSeconds   float64 `json:"warmup_seconds"`
	TimeoutSeconds  float64 `json:"timeout_seconds"`
	BudgetSeconds   float64 `json:"budget_seconds"`
	Seed            uint64  `json:"seed"`
	Margin          float64 `json:"margin"` // relative difference that does not matter, such as 0.02
}

// The kinds of rows, and of costs.
const (
	KindMode     = "mode"     // a mode of demo-server
	KindOriginal = "original" // one of the article's Python programs
	KindAgainst  = "against"  // a server that was already running
	KindBeside   = "beside"   // a server for comparison in bench cost: bare net/http and fasthttp, nginx
)

// A Row is one server under load, with all its repeats.
type Row struct {
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Mode       string            `json:"mode"`       // only of kind mode, else empty
	Work       string            `json:"work"`       // only of kind mode: the kind of work that its requests block on
	WorkAbout  string            `json:"work_about"` // only of kind mode: one line on how the work spends the delay
	About      string            `json:"about"`      // one line: what the row is
	Choose     string            `json:"choose"`     // when to choose the mode; empty if the row is not a mode
	Settings   map[string]string `json:"settings"`   // settings that differ from the other rows'
	Delay      *float64          `json:"delay_seconds"`
	Fault      string            `json:"fault"`  // injected into its requests, as given to --fault; empty for none
	Places     int               `json:"places"` // requests that it works on at a time; 0 without a limit of its own
	Bound      string            `json:"bound"`  // Places in words, such as "50 workers / 2s"; empty without a limit
	Prediction *Figures          `json:"prediction"`
	Why        string            `json:"why_not_predicted"`
	Cut        bool              `json:"cut"` // stopped when the time budget ended
	Repeats    []Repeat          `json:"repeats"`
	Total      Figures           `json:"total"` // over all repeats
	Curve      []Point           `json:"curve"` // latency by percentile, of all repeats
	Series     []Sample          `json:"series"`
	Audits     []Audit           `json:"audits"`
	Trusted    bool              `json:"trusted"` // no audit is broken
	Notes      []string          `json:"notes"`   // sentences: deviations from the prediction and their causes
	Failure    string            `json:"failure"` // why the measurement ended early, else empty
}

// A Left is a row that was not measured.
type Left struct {
	Name string `json:"name"`
	Why  string `json:"why"` // a sentence
}

// A Repeat is one measurement of a row.
type Repeat struct {
	Round   int       `json:"round"` // from 1
	Started time.Time `json:"started"`
	Figures
}

// Figures hold the measured or predicted figures of one repeat or of all repeats. nil means unknown.
type Figures struct {
	PerSecond  *float64 `json:"requests_per_second"` // goodput: right replies per second of the steady window
	Ceiling    *float64 `json:"ceiling_per_second"`  // maximum that the load allows: concurrency / delay, or the rate
	LowSecond  *float64 `json:"requests_per_second_low"`
	HighSecond *float64 `json:"requests_per_second_high"` // with LowSecond the 95% confidence interval over repeats

	Mean    *Latency `json:"mean"`
	P50     *Latency `json:"p50"`
	P90     *Latency `json:"p90"`
	P99     *Latency `json:"p99"`
	Longest *Latency `json:"longest"`

	Counts
	RefusedShare *float64 `json:"refused_share"` // of answered and refused requests, 0 to 1

	SteadySeconds float64 `json:"steady_seconds"` // of the whole rounds of replies that PerSecond counts
	TookSeconds   float64 `json:"took_seconds"`

	CPUPerRequest      *float64 `json:"cpu_seconds_per_request"` // user and system time of the server
	SwitchesPerRequest *float64 `json:"context_switches_per_request"`
	BytesPerInFlight   *float64 `json:"bytes_per_request_in_flight"` // peak less idle resident memory / peak in flight
	ServerCores        *float64 `json:"server_cores"`                // CPU of the server, in cores
	ClientCores        *float64 `json:"client_cores"`                // CPU of the load generator, in cores
	OtherCores         *float64 `json:"other_cores"`                 // CPU of all other processes, in cores
	IdleBytes          *float64 `json:"idle_resident_bytes"`
	Peak               *Sample  `json:"peak"` // maximum of each figure, at different moments
}

// A Latency is a duration, or a lower bound of one. If a request had no reply when the measurement ended, only a
// lower bound is known.
type Latency struct {
	Seconds float64 `json:"seconds"`
	Beyond  bool    `json:"beyond"` // the latency exceeds Seconds
}

// A Point says that Percent of all requests took at most Latency.
type Point struct {
	Percent float64 `json:"percent"` // 0 to 100
	Latency
}

// Counts hold the numbers of requests by outcome.
type Counts struct {
	Answered   int `json:"answered"`   // with 2xx and the right body
	Refused    int `json:"refused"`    // with 503 or 429
	Unfinished int `json:"unfinished"` // without a reply when the measurement ended
	Failed     int `json:"failed"`     // sum of the following fields
	Connect    int `json:"failed_connect"`
	Timeout    int `json:"failed_timeout"`
	Broken     int `json:"failed_broken"` // connection ended early, not HTTP, or a body above 64 MiB
	Status     int `json:"failed_status"`
	Body       int `json:"failed_body"`
}

// A Sample holds the state of the server and the load generator at one moment. nil means that a figure could not be
// read.
type Sample struct {
	At          float64  `json:"at_seconds"` // since the start of the load
	Resident    *float64 `json:"resident_bytes"`
	CPU         *float64 `json:"cpu_seconds"`
	Threads     *float64 `json:"threads"`
	Switches    *float64 `json:"context_switches"`
	OpenFiles   *float64 `json:"open_files"`
	Goroutines  *float64 `json:"goroutines"`
	InFlight    *float64 `json:"in_flight"` // in the server, without queued requests
	Queued      *float64 `json:"queued"`
	Connections *float64 `json:"connections"` // accepted by the server and not closed
	AcceptQueue *float64 `json:"accept_queue"`
	Busy        *float64 `json:"busy"`      // requests that the clients wait for
	Completed   *float64 `json:"completed"` // right replies so far
}

// An Audit is a law that the measurements must obey.
type Audit struct {
	Name   string  `json:"name"`
	Left   float64 `json:"left"`  // the sampled value
	Right  float64 `json:"right"` // the value derived from the requests' times; of a range, the value nearest to Left
	Broken bool    `json:"broken"`
	Text   string  `json:"text"` // a sentence with both figures

	// Skipped is the reason if the law does not apply to this run, such as a queue that was still growing. It is
	// empty if the law applies. Otherwise Broken is false.
	Skipped string `json:"skipped"`
}

// The verdicts of a Comparison.
const (
	Different = "different"
	Same      = "same"
	TooFew    = "too few repeats to tell"
)

// A Comparison compares B's throughput with A's.
type Comparison struct {
	A          string  `json:"a"` // the reference: the first row with a rate, or the old run's row
	B          string  `json:"b"`
	Rounds     int     `json:"rounds"` // rounds that both rows have
	Ratio      float64 `json:"ratio"`  // B / A, the geometric mean over the rounds; 0 without any
	Low        float64 `json:"low"`
	High       float64 `json:"high"`       // end of Ratio's confidence interval; 0 for under 3 rounds
	Confidence float64 `json:"confidence"` // level of the interval, corrected for the number of pairs
	Verdict    string  `json:"verdict"`
}

// A Cost holds the costs of a blocked request in one mode or other server. nil means unknown.
type Cost struct {
	Name              string   `json:"name"`
	Kind              string   `json:"kind"`
	Wanted            int      `json:"wanted_in_flight"`
	InFlight          int      `json:"in_flight"` // maximum reached
	Queued            int      `json:"queued"`    // of these, requests in the server's queue
	IdleBytes         *float64 `json:"idle_resident_bytes"`
	PeakBytes         *float64 `json:"peak_resident_bytes"`
	BytesPerRequest   *float64 `json:"bytes_per_request"`
	GoroutinesPer     *float64 `json:"goroutines_per_request"`
	ThreadsPer        *float64 `json:"threads_per_request"`
	LatenessP50       *float64 `json:"lateness_p50_seconds"` // time of the work by Server-Timing, minus the delay
	LatenessP99       *float64 `json:"lateness_p99_seconds"`
	CPUPerRequest     *float64 `json:"cpu_seconds_per_request"` // at delay 0, on kept connections
	PerSecondAtNoWait *float64 `json:"requests_per_second_at_delay_0"`
	Failure           string   `json:"failure"`
	Notes             []string `json:"notes"`
}

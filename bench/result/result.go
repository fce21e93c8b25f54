// Package result is what a run of the bench measured, as it is kept in a file: one type for each object of the JSON,
// whose schema docs/reference/bench-result.md documents.
//
// The package must not know how anything was measured, nor how it is shown.
package result

import "time"

// Schema names the meaning of the fields. It changes when an existing field changes its meaning or goes; a new field
// does not change it.
const Schema = "demo-server/bench/1"

// A Result is one run of the bench. Durations are in seconds, sizes in bytes.
type Result struct {
	Schema      string       `json:"schema"`
	Version     string       `json:"version"` // of the demo-server that ran
	Started     time.Time    `json:"started"`
	TookSeconds float64      `json:"took_seconds"`
	Interrupted bool         `json:"interrupted"` // stopped before its end; what was measured until then is here
	Command     []string     `json:"command"`     // the command line
	Machine     Machine      `json:"machine"`
	Load        Load         `json:"load"`
	Rows        []Row        `json:"rows"`
	Left        []Left       `json:"left_out"`
	Comparisons []Comparison `json:"comparisons"`
	Verdict     []string     `json:"verdict"` // plain sentences
	Costs       []Cost       `json:"costs"`   // of bench cost, which has no rows

	Expectations []Expectation `json:"expectations"`
}

// An Expectation is a condition that the run was expected to meet.
type Expectation struct {
	Text string `json:"text"` // as given, such as pool(50).p99<2.1s
	Met  bool   `json:"met"`
	Why  string `json:"why"` // a sentence with the figure that was measured, or why there is none
}

// A Machine is what the run was measured on.
type Machine struct {
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	Memory    int64  `json:"memory_bytes"`
	System    string `json:"system"` // such as linux/amd64
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
	OpenFiles int    `json:"open_files"`   // limit of a process
	Backlog   int    `json:"accept_queue"` // longest accept queue that the kernel allows, 0 where it is not known
}

// A Load is what each row was put under.
type Load struct {
	Generator       string  `json:"generator"`   // builtin, ab or wrk
	Loop            string  `json:"loop"`        // closed or open
	Concurrency     int     `json:"concurrency"` // clients; in the open loop the most that may wait at a time
	Requests        int     `json:"requests"`    // that each repeat sends; 0 where DurationSeconds says when it ends
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

// The kinds of rows.
const (
	KindMode     = "mode"     // a mode of demo-server
	KindOriginal = "original" // one of the article's Python programs
	KindAgainst  = "against"  // a server that was running already
	KindBeside   = "beside"   // a server that costs are measured beside: bare net/http and fasthttp, nginx
)

// A Row is one server under load, with all its repeats.
type Row struct {
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Mode       string            `json:"mode"`       // of kind mode
	Work       string            `json:"work"`       // of kind mode: the kind of work that its requests block on
	WorkAbout  string            `json:"work_about"` // of kind mode: one line, what the work does for the delay
	About      string            `json:"about"`      // one line: what it is
	Choose     string            `json:"choose"`     // when to choose it, empty for what is no mode
	Settings   map[string]string `json:"settings"`   // those that differ from the other rows'
	Delay      *float64          `json:"delay_seconds"`
	Fault      string            `json:"fault"`  // injected into its requests, as given to --fault; empty for none
	Places     int               `json:"places"` // requests that it works on at a time, 0 for no bound of its own
	Bound      string            `json:"bound"`  // the same in words, such as "50 workers / 2s"; empty for no bound
	Prediction *Figures          `json:"prediction"`
	Why        string            `json:"why_not_predicted"`
	Cut        bool              `json:"cut"` // measured for the budget instead of to its end
	Repeats    []Repeat          `json:"repeats"`
	Total      Figures           `json:"total"` // over all repeats
	Curve      []Point           `json:"curve"` // latency by percentile, over all repeats
	Series     []Sample          `json:"series"`
	Audits     []Audit           `json:"audits"`
	Trusted    bool              `json:"trusted"` // no audit is broken
	Notes      []string          `json:"notes"`   // sentences: deviations from the prediction, and where they come from
	Failure    string            `json:"failure"` // why it could not be measured to its end, else empty
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

// Figures are what was measured or predicted of one repeat, or of all. Null is what is not known.
type Figures struct {
	PerSecond  *float64 `json:"requests_per_second"` // goodput: right replies per second of the steady window
	Ceiling    *float64 `json:"ceiling_per_second"`  // the most that the load allows: concurrency / delay, or the rate
	LowSecond  *float64 `json:"requests_per_second_low"`
	HighSecond *float64 `json:"requests_per_second_high"` // with Low the 95% confidence interval over repeats

	Mean    *Latency `json:"mean"`
	P50     *Latency `json:"p50"`
	P90     *Latency `json:"p90"`
	P99     *Latency `json:"p99"`
	Longest *Latency `json:"longest"`

	Counts
	RefusedShare *float64 `json:"refused_share"` // of the answered ones, 0 to 1

	SteadySeconds float64 `json:"steady_seconds"` // whole rounds of replies, that PerSecond was counted in
	TookSeconds   float64 `json:"took_seconds"`

	CPUPerRequest      *float64 `json:"cpu_seconds_per_request"` // of the server, user and system
	SwitchesPerRequest *float64 `json:"context_switches_per_request"`
	BytesPerInFlight   *float64 `json:"bytes_per_request_in_flight"` // peak less idle resident memory / peak in flight
	ServerCores        *float64 `json:"server_cores"`                // CPU of the server, in cores
	ClientCores        *float64 `json:"client_cores"`                // CPU of the load generator, in cores
	OtherCores         *float64 `json:"other_cores"`                 // CPU of everything else on the machine, in cores
	IdleBytes          *float64 `json:"idle_resident_bytes"`
	Peak               *Sample  `json:"peak"` // the largest of each
}

// A Latency is a duration, or what it is longer than: of requests that had not been answered when the measuring ended
// it is only known that they take longer.
type Latency struct {
	Seconds float64 `json:"seconds"`
	Beyond  bool    `json:"beyond"` // it is longer than Seconds
}

// A Point says that Percent of all requests took Latency at most.
type Point struct {
	Percent float64 `json:"percent"` // 0 to 100
	Latency
}

// Counts are what became of requests.
type Counts struct {
	Answered   int `json:"answered"`   // with 2xx and the right body
	Refused    int `json:"refused"`    // with 503 or 429
	Unfinished int `json:"unfinished"` // when the measuring ended
	Failed     int `json:"failed"`     // the sum of those below
	Connect    int `json:"failed_connect"`
	Timeout    int `json:"failed_timeout"`
	Broken     int `json:"failed_broken"` // the connection ended before the reply did, it was no HTTP, or its body was longer than 64 MiB
	Status     int `json:"failed_status"`
	Body       int `json:"failed_body"`
}

// A Sample is what the server and the generator looked like at a moment. Null is what could not be read.
type Sample struct {
	At          float64  `json:"at_seconds"` // since the load began
	Resident    *float64 `json:"resident_bytes"`
	CPU         *float64 `json:"cpu_seconds"`
	Threads     *float64 `json:"threads"`
	Switches    *float64 `json:"context_switches"`
	OpenFiles   *float64 `json:"open_files"`
	Goroutines  *float64 `json:"goroutines"`
	InFlight    *float64 `json:"in_flight"` // in the server, without the queued ones
	Queued      *float64 `json:"queued"`
	Connections *float64 `json:"connections"` // that the server has accepted and not closed
	AcceptQueue *float64 `json:"accept_queue"`
	Busy        *float64 `json:"busy"`      // requests that the clients wait for
	Completed   *float64 `json:"completed"` // right replies until now
}

// An Audit is a law that what was measured must obey.
type Audit struct {
	Name   string  `json:"name"`
	Left   float64 `json:"left"`  // what was sampled
	Right  float64 `json:"right"` // what follows from the requests' times; of a range, the value nearest to Left
	Broken bool    `json:"broken"`
	Text   string  `json:"text"` // a sentence with the figures

	// Skipped is why the law does not apply to this run, such as a queue that was still growing. It is empty if the law
	// applies; if it does not, Broken is false.
	Skipped string `json:"skipped"`
}

// What a Comparison can say.
const (
	Different = "different"
	Same      = "same"
	TooFew    = "too few repeats to tell"
)

// A Comparison says how B's throughput compares with A's.
type Comparison struct {
	A          string  `json:"a"` // the reference: the first row, or the old run's
	B          string  `json:"b"`
	Rounds     int     `json:"rounds"` // that both have
	Ratio      float64 `json:"ratio"`  // B / A, the geometric mean of the rounds; 0 of no round
	Low        float64 `json:"low"`
	High       float64 `json:"high"`       // of the ratio's confidence interval; 0 of fewer than three rounds
	Confidence float64 `json:"confidence"` // its level, corrected for the number of pairs
	Verdict    string  `json:"verdict"`
}

// A Cost is what a blocked request costs in one mode.
type Cost struct {
	Name              string   `json:"name"`
	Kind              string   `json:"kind"`
	Wanted            int      `json:"wanted_in_flight"`
	InFlight          int      `json:"in_flight"` // the most that were reached
	Queued            int      `json:"queued"`    // of these, waiting in the server's queue
	IdleBytes         *float64 `json:"idle_resident_bytes"`
	PeakBytes         *float64 `json:"peak_resident_bytes"`
	BytesPerRequest   *float64 `json:"bytes_per_request"`
	GoroutinesPer     *float64 `json:"goroutines_per_request"`
	ThreadsPer        *float64 `json:"threads_per_request"`
	LatenessP50       *float64 `json:"lateness_p50_seconds"` // work of Server-Timing less the delay
	LatenessP99       *float64 `json:"lateness_p99_seconds"`
	CPUPerRequest     *float64 `json:"cpu_seconds_per_request"` // at delay 0, on kept connections
	PerSecondAtNoWait *float64 `json:"requests_per_second_at_delay_0"`
	Failure           string   `json:"failure"`
	Notes             []string `json:"notes"`
}

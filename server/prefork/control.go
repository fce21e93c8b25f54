package prefork

// The descriptors that a worker inherits, behind the standard three.
const (
	listenerFile = 3 + iota // the socket that all workers accept on
	adminFile               // the channel on which the supervisor passes connections to the worker's admin listener
	ordersFile              // the pipe on which the supervisor speaks
	reportsFile             // the pipe on which the worker does
)

// A briefing is what a worker is told first. It travels through a pipe, because others can see a command line.
type briefing struct {
	WorkerConfig any `json:"brief"`
}

// An Order is what a worker is told later, once. After it the pipe is closed, which lets the worker end.
type Order string

// The orders. To stop and drain is part of both.
const (
	Retire Order = "retire" // leave the accept queue to the others
	Stop   Order = "stop"   // nobody can connect any more: serve the accept queue to its end
)

// A report is what a worker says.
type report struct {
	Type  reportType `json:"says"`
	Error string     `json:"error,omitempty"` // of failed: why
}

type reportType string

const (
	reportReady   reportType = "ready"
	reportFailed  reportType = "failed"
	reportDrained reportType = "drained" // it has nothing left to do, and waits to be let go
)

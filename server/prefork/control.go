package prefork

// The descriptors that a worker inherits, after the standard three.
const (
	listenerFile = 3 + iota // the socket on which all workers accept
	adminFile               // the channel that passes connections to the worker's admin listener
	ordersFile              // the pipe from the supervisor
	reportsFile             // the pipe to the supervisor
)

// A briefing is the first message to a worker. It travels through a pipe, because other users can see a command line.
type briefing struct {
	WorkerConfig any `json:"brief"`
}

// An Order is the second message to a worker. The supervisor then closes the pipe, which lets the worker exit.
type Order string

// The orders. Both mean to stop and drain.
const (
	Retire Order = "retire" // leave the accept queue to the others
	Stop   Order = "stop"   // the socket is closed to new clients: serve all of the accept queue
)

// A report is a message from a worker.
type report struct {
	Type  reportType `json:"says"`
	Error string     `json:"error,omitempty"` // of reportFailed: the reason
}

type reportType string

const (
	reportReady   reportType = "ready"
	reportFailed  reportType = "failed"
	reportDrained reportType = "drained" // the worker has drained, and waits for the end of its orders
)

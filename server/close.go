package server

import "demo-server/server/fault"

// A CloseCause is the reason why a connection ends. Every accepted connection gets exactly one.
type CloseCause uint8

// The causes. If the server closes after answering the last request, the cause is CloseReplied, and the request has its
// own Outcome.
const (
	CloseReplied        CloseCause = iota // the server closes after a reply, as the reply says or the request asked
	CloseDisconnect                       // the client disconnected, counts as disconnected, or reset the connection
	CloseHeaderTimeout                    // no complete head within read-header-timeout, and no 408
	CloseReadTimeout                      // no progress of a body within read-timeout, and the 408 could not be written
	CloseRequestTimeout                   // no complete request within read-request-timeout, and no 408
	CloseWriteTimeout                     // the client did not read its reply
	CloseIdleTimeout                      // no further request within idle-timeout
	CloseDrain                            // the server stops, without a request to answer
	CloseAbort                            // a requested fault instead of a reply
	CloseResource                         // the system lacks memory or a descriptor for the connection
)

// closeNames holds the metrics' labels.
var closeNames = [...]string{
	CloseReplied: "replied", CloseDisconnect: "disconnect", CloseHeaderTimeout: "header_timeout", CloseReadTimeout: "read_timeout",
	CloseRequestTimeout: "request_timeout", CloseWriteTimeout: "write_timeout", CloseIdleTimeout: "idle_timeout", CloseDrain: "drain",
	CloseAbort: "abort", CloseResource: "resource",
}

// NumCloseCauses is one more than the largest CloseCause, for arrays by cause.
const NumCloseCauses = len(closeNames)

// CloseCauses returns every CloseCause, to give each a counter from the start.
func CloseCauses() (all []CloseCause) {
	for cause := range closeNames {
		all = append(all, CloseCause(cause))
	}
	return all
}

// String returns the metrics' label.
func (c CloseCause) String() string { return closeNames[c] }

// A CloseObserver is an Observer that also receives the CloseCause of each connection. ObserveClose is called on the
// goroutine that closes the connection. It must be quick, and safe for concurrent use.
type CloseObserver interface {
	ObserveClose(CloseCause)
}

// CountClose passes cause to the observers. The transport calls it once for each connection, when it decides to close
// it.
func (a *App) CountClose(cause CloseCause) {
	for _, observer := range a.config.Observers {
		if observer, ok := observer.(CloseObserver); ok {
			observer.ObserveClose(cause)
		}
	}
}

// CloseCause returns the cause of closing a connection after the reply.
func (r *Reply) CloseCause() CloseCause {
	switch {
	case r.Abort != fault.None:
		return CloseAbort
	case r.Close && r.Status == StatusDisconnected:
		return CloseDisconnect
	}
	return CloseReplied
}

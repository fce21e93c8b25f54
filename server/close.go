package server

// A CloseCause is why a connection ended, or is about to. Every connection that was accepted has exactly one.
type CloseCause uint8

// The causes. If the last request was answered and the server closes for that reason, the cause is CloseReplied: what
// became of the request is its Outcome.
const (
	CloseReplied        CloseCause = iota // the server closes after a reply, as the reply says or the request asked
	CloseDisconnect                       // the client left, or counts as gone, or reset the connection
	CloseHeaderTimeout                    // no request in read-header-timeout, or not all of its headers, and no 408
	CloseReadTimeout                      // no progress of a body in read-timeout, and the 408 could not be written
	CloseRequestTimeout                   // no whole request in read-request-timeout, and no 408
	CloseWriteTimeout                     // the client did not take its reply
	CloseIdleTimeout                      // no further request in idle-timeout
	CloseDrain                            // the server stops, and there is no request to answer
	CloseAbort                            // a fault that was asked for, instead of a reply
	CloseResource                         // the system has no memory or descriptor for it
)

// closeNames are the metrics' labels.
var closeNames = [...]string{
	CloseReplied: "replied", CloseDisconnect: "disconnect", CloseHeaderTimeout: "header_timeout", CloseReadTimeout: "read_timeout",
	CloseRequestTimeout: "request_timeout", CloseWriteTimeout: "write_timeout", CloseIdleTimeout: "idle_timeout", CloseDrain: "drain",
	CloseAbort: "abort", CloseResource: "resource",
}

// NumCloseCauses is one more than the largest CloseCause, for arrays by cause.
const NumCloseCauses = len(closeNames)

// CloseCauses lists every CloseCause, so that each has a counter from the start.
func CloseCauses() (all []CloseCause) {
	for cause := range closeNames {
		all = append(all, CloseCause(cause))
	}
	return all
}

// String is the metrics' label.
func (c CloseCause) String() string { return closeNames[c] }

// A CloseObserver is an Observer that also learns why each connection ended. ObserveClose is called on the goroutine that
// closes the connection: it must be quick, and safe to call from many goroutines.
type CloseObserver interface {
	ObserveClose(CloseCause)
}

// CountClose hands cause to the observers. The transport calls it once for each connection, when it decides to close it.
func (a *App) CountClose(cause CloseCause) {
	for _, observer := range a.config.Observers {
		if observer, ok := observer.(CloseObserver); ok {
			observer.ObserveClose(cause)
		}
	}
}

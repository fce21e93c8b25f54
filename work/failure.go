package work

import "fmt"

// A Cause classifies why a dependency failed. Its text is the metrics' label.
type Cause string

// The causes.
const (
	Refused  Cause = "refused" // the connection was refused, or the login
	Broken   Cause = "broken"  // the connection broke, or the answer was not the expected one
	TimedOut Cause = "timeout" // no answer in time
)

// Causes lists every Cause, to give each a counter from the start.
var Causes = [...]Cause{Refused, Broken, TimedOut}

// A Failure is the error of work whose dependency failed. Nothing is retried: that is the client's decision.
type Failure struct {
	Cause Cause
	Err   error
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %v", f.Cause, f.Err) }

// Unwrap returns the reason.
func (f *Failure) Unwrap() error { return f.Err }

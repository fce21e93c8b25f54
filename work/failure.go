package work

import "fmt"

// A Cause is why a dependency failed. Its text is the metrics' label.
type Cause string

// The causes.
const (
	Refused  Cause = "refused" // nobody listens there, or it lets nobody in
	Broken   Cause = "broken"  // it went away, or said something that was not asked for
	TimedOut Cause = "timeout" // it has not answered in time
)

// Causes lists every Cause, so that each has a counter from the start.
var Causes = [...]Cause{Refused, Broken, TimedOut}

// A Failure is what becomes of work when what it depends on fails. Nothing is retried: whoever asked decides.
type Failure struct {
	Cause Cause
	Err   error
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %v", f.Cause, f.Err) }

// Unwrap is the failure's reason.
func (f *Failure) Unwrap() error { return f.Err }

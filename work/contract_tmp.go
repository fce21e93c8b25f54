package work

import (
	"context"
	"fmt"
)

// A Dependent needs another server.
type Dependent interface {
	Work
	// Check asks what the work depends on. The error is one line for a person.
	Check(ctx context.Context) error
}

// Pooled work shares a bounded resource.
type Pooled interface {
	Work
	Pool() Pool
}

// A Pool is the state of a bounded resource.
type Pool struct {
	Name                 string
	Size, InUse, Waiting int
}

// A Cause is why a dependency failed.
type Cause string

// The causes.
const (
	Refused  Cause = "refused"
	Broken   Cause = "broken"
	TimedOut Cause = "timeout"
)

// A Failure is a dependency's.
type Failure struct {
	Cause Cause
	Err   error
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %v", f.Cause, f.Err) }

// Unwrap is the failure's reason.
func (f *Failure) Unwrap() error { return f.Err }

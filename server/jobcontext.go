package server

import (
	"context"
	"time"
)

// This file makes a job the context of its own work.

// The causes of a job's cancellation. The first one stays: both end the use of a connection.
const (
	causeNone int32 = iota
	causeDisconnected
	causeDraining
)

// The values of Job.done after a cancellation: closedUnasked if Done was not called before, closedAsked after its next
// call.
var (
	closedUnasked = newClosed()
	closedAsked   = newClosed()
)

func newClosed() *chan struct{} {
	c := make(chan struct{})
	close(c)
	return &c
}

func (j *Job) cancel(cause int32) {
	if !j.cause.CompareAndSwap(causeNone, cause) {
		return
	}
	if !j.done.CompareAndSwap(nil, closedUnasked) {
		close(*j.done.Load())
	}
	j.leaveQueue()
}

func (j *Job) cancelled() error {
	switch j.cause.Load() {
	case causeDisconnected:
		return ErrDisconnected
	case causeDraining:
		return ErrDraining
	}
	return nil
}

// Deadline reports that a job has no deadline.
func (j *Job) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done returns a channel that is closed when the job is cancelled.
func (j *Job) Done() <-chan struct{} {
	for {
		switch done := j.done.Load(); done {
		case nil:
			made := make(chan struct{})
			j.done.CompareAndSwap(nil, &made)
		case closedUnasked:
			j.done.CompareAndSwap(closedUnasked, closedAsked)
		default:
			return *done
		}
	}
}

// Err returns context.Canceled if the job is cancelled.
func (j *Job) Err() error {
	if j.cause.Load() == causeNone {
		return nil
	}
	return context.Canceled
}

// Value returns values of the execution trace's task.
func (j *Job) Value(key any) any {
	t := j.traced // read once: a derived context may ask after the job has finished
	if t == nil {
		return nil
	}
	return t.context.Value(key)
}

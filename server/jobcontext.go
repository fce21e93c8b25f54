package server

import (
	"context"
	"time"
)

// This file makes a job the context of its own work.

// Why a job was cancelled. The first cause stays: both end a connection's use.
const (
	causeNone int32 = iota
	causeDisconnected
	causeDraining
)

// What is done of jobs that were cancelled before anybody asked, until somebody does and from then on.
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

// Deadline is none: a job ends by being cancelled.
func (j *Job) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is closed when the job is cancelled.
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

// Err is context.Canceled once the job is cancelled.
func (j *Job) Err() error {
	if j.cause.Load() == causeNone {
		return nil
	}
	return context.Canceled
}

// Value finds the execution trace's task.
func (j *Job) Value(key any) any {
	t := j.traced // once: a derived context may ask when the job is finished
	if t == nil {
		return nil
	}
	return t.context.Value(key)
}

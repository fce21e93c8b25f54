package server

import (
	"context"
	"runtime/trace"
)

// This file shows jobs in execution traces.

// A traced holds a job's part of an execution trace.
type traced struct {
	context  context.Context // carries the task
	task     *trace.Task
	name     string // of the region, or of the one that Detach ended
	region   *trace.Region
	detached *trace.Task   // replaces the region after Detach
	started  chan struct{} // holds one once the work has started or the job has ended
}

// startTask starts the request's task if a trace is on.
func (j *Job) startTask() {
	if !trace.IsEnabled() {
		return
	}
	j.traced = &traced{started: make(chan struct{}, 1)}
	j.traced.context, j.traced.task = trace.NewTask(context.Background(), "request")
}

func (j *Job) endTask() {
	if j.traced == nil {
		return
	}
	j.endRegion()
	j.traced.task.End()
	j.traced = nil
}

// startRegion opens a region of the request's trace. A region has to be closed on the goroutine that opened it: End
// closes "work", Finish closes "write". waitStarted and Admit open and close "queue" themselves.
func (j *Job) startRegion(name string) {
	if j.traced != nil {
		j.traced.name, j.traced.region = name, trace.StartRegion(j.traced.context, name)
	}
}

func (j *Job) endRegion() {
	if j.traced == nil {
		return
	}
	if j.traced.region != nil {
		j.traced.region.End()
		j.traced.region = nil
	}
	if j.traced.detached != nil {
		j.traced.detached.End()
		j.traced.detached = nil
	}
}

// Detach is for a caller whose goroutine continues with other jobs while this one works or is answered. Regions belong
// to their goroutine and have to nest. Detach ends the open region and starts a task in its place.
func (j *Job) Detach() {
	if j.traced == nil {
		return
	}
	j.endRegion()
	_, j.traced.detached = trace.NewTask(j.traced.context, j.traced.name)
}

// signalStarted lets Wait close the region "queue".
func (j *Job) signalStarted() {
	if j.traced == nil {
		return
	}
	select {
	case j.traced.started <- struct{}{}:
	default:
	}
}

// waitStarted shows in the trace how long the job waits for its place.
func (j *Job) waitStarted() {
	defer trace.StartRegion(j.traced.context, "queue").End()
	<-j.traced.started
}

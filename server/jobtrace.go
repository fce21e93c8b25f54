package server

import (
	"context"
	"runtime/trace"
)

// This file shows a job in execution traces.

// traced is what an execution trace needs of a job.
type traced struct {
	context  context.Context // carries the task
	task     *trace.Task
	name     string // what the region is, or was before Detach
	region   *trace.Region
	detached *trace.Task   // what took the region's place
	started  chan struct{} // the work has begun, or the job has ended
}

// startTask begins to show a request, where a trace is on.
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

// startRegion opens a region of the request's trace. It is closed on the same goroutine, as the trace asks for: work by
// End, write by Finish. The queue's is waitBegun's own, or Admit's.
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

// Detach is for a caller whose goroutine goes on with other jobs while this one works, or is answered. Regions of a
// trace belong to their goroutine and have to nest: the one that is open ends here, and a task goes on in its place.
func (j *Job) Detach() {
	if j.traced == nil {
		return
	}
	j.endRegion()
	_, j.traced.detached = trace.NewTask(j.traced.context, j.traced.name)
}

// signalStarted lets Wait end the trace region of the queue.
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

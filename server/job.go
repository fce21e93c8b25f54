package server

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"demo-server/server/admission"
	"demo-server/server/fault"
)

// The stages of a job, for the goroutine that waits for its end.
const (
	stagePending int32 = iota // admitted, not ended
	stageAwaited              // not ended, and a goroutine sleeps in Wait, or NotifyEnd was called
	stageEnded
)

// The flags about a job's client. A job is cancelled once disconnected and one of the others are set.
const (
	disconnected     int32 = 1 << iota
	hanging                // the client gets no reply
	endsOnDisconnect       // the work is useless without a client
)

// A Job is one request on its way through the server. It belongs to a connection, which reuses it for each request to
// avoid allocations. The order of calls is Begin, App.Admit or Refuse, Wait or NotifyEnd, Reply, Finish.
//
// It is small, because an event loop keeps a Job for each blocked request. The caller owns the Reply, and rarely used
// parts are made on demand.
//
// It is also the context of its own work, and is cancelled if the client disconnects or the drain deadline passes. Work
// may derive contexts from it, but must not keep it after it has returned.
type Job struct {
	// Owner lets the transport find the connection of a job that is scheduled or has ended.
	Owner Owner

	app    *App
	queue  atomic.Pointer[admission.Queue] // the queue that the job waits in, or nil
	ticket *admission.Ticket               // nil until the job first waits in a queue

	Method  string        // the request's method, for logs
	Target  string        // the request's path, for logs, with its query if Config.Describe is set
	Backlog time.Duration // the connection's time in the accept queue; negative if unknown

	arrived, started, worked time.Duration // stamps of the App

	cause  atomic.Int32
	stage  atomic.Int32
	flags  atomic.Int32 // disconnected, hanging and endsOnDisconnect
	placed bool         // the job holds a place of the queue
	ran    bool         // the job started, and counts as in flight

	done   atomic.Pointer[chan struct{}] // nil until Done is called
	ended  chan struct{}                 // wakes Wait
	plan   *fault.Plan                   // nil for the defaults
	err    error
	panic  *Panic
	traced *traced // nil unless a trace is on
}

// An Owner is the connection that a job belongs to.
type Owner interface {
	// ClientAddr returns the client's address, such as 127.0.0.1:54321, or "" if it is unknown.
	ClientAddr() string
}

// path returns the request's path.
func (j *Job) path() string {
	path, _, _ := strings.Cut(j.Target, "?")
	return path
}

// Init binds the job to app. Call it when the job's connection opens. A Reusable job may serve another connection after
// its own has closed. A late caller of Done then reads only atomic fields.
func (j *Job) Init(app *App) {
	j.app = app
	j.cause.Store(causeNone)
	j.done.Store(nil)
	j.flags.Store(0)
}

// Reusable reports whether the job may serve another connection after its own has closed. The context package may start
// a goroutine for a context that work derived from the job, and this goroutine may still look at the job for a moment
// after the work has returned. If it has seen the job cancelled, it must not see it otherwise.
func (j *Job) Reusable() bool {
	return j.cause.Load() == causeNone || j.done.Load() == closedUnasked
}

// Begin prepares the job for the connection's next request. query is the raw query, without the question mark. backlog
// is the connection's time in the kernel's accept queue: 0 for its later requests, negative if unknown.
func (j *Job) Begin(method, path, query string, backlog time.Duration) {
	j.BeginRefused(method, path, query, backlog)
	j.plan, j.err = j.app.planner.plan(method, path, query)
	j.decideOnDisconnect()
}

// decideOnDisconnect decides whether a disconnect cancels the request, and cancels it if its client has already
// disconnected. A request without a delay is not cancelled: a client that sends a request and a FIN at once may read
// the reply, and there is no work to save.
func (j *Job) decideOnDisconnect() {
	ends := !j.app.config.FinishOnDisconnect && !j.instant()
	switch flags := j.flags.Load(); {
	case ends == (flags&endsOnDisconnect != 0):
		if ends && flags&disconnected != 0 {
			j.cancel(causeDisconnected)
		}
	case !ends:
		j.flags.And(^endsOnDisconnect)
	case j.flags.Or(endsOnDisconnect)&disconnected != 0:
		j.cancel(causeDisconnected)
	}
}

// instant reports whether the request is answered without waiting.
func (j *Job) instant() bool { return j.Delay() <= 0 && !j.drips() }

// drips reports whether writing the reply takes time, which a disconnect cuts short.
func (j *Job) drips() bool { return j.plan != nil && j.plan.Drip != 0 }

// disarmDisconnect makes a disconnect cancel nothing, until Begin decides about the next request.
func (j *Job) disarmDisconnect() {
	if j.flags.Load()&endsOnDisconnect != 0 {
		j.flags.And(^endsOnDisconnect)
	}
}

// BeginRefused is like Begin, but for a request that Refuse will end: it draws no faults. Draws must not depend on such
// requests, because a mode may not even see them, for example if net/http answers by itself.
func (j *Job) BeginRefused(method, path, query string, backlog time.Duration) {
	j.Method, j.Target, j.Backlog = method, path, backlog
	if query != "" && j.app.config.Describe {
		j.Target = path + "?" + query
	}
	j.arrived, j.started, j.worked = 0, 0, 0
	j.placed, j.ran = false, false
	j.panic, j.plan, j.err = nil, nil, nil
	j.stage.Store(stagePending)
	j.startTask()
}

// Refuse ends a job that was never admitted, because of a faulty request or the drain deadline. A client that has
// stopped sending may still read the reply.
func (j *Job) Refuse(err error) {
	j.arrived = j.app.Now()
	if j.cause.Load() == causeDraining {
		err = ErrDraining
	}
	j.end(err)
}

// Run does the job's work on the calling goroutine, and recovers from a panic in it. It is called at most once, by the
// goroutine that the mode's schedule chose. It never touches the connection.
func (j *Job) Run() {
	if err := j.Start(); err != nil {
		j.End(err)
		return
	}
	j.End(j.work())
}

// Start is the first half of Run, for a mode that waits in its own way for work that holds nothing. If the client has
// disconnected or the drain deadline has passed, it does not start the job, and returns the error to pass to End.
func (j *Job) Start() error {
	if err := j.cancelled(); err != nil {
		return err
	}
	j.started = j.arrived // without a queue, a job starts when it is admitted
	if j.queue.Load() != nil {
		j.started = j.app.Now()
	}
	j.ran = true
	j.app.inFlight.Add(1)
	j.signalStarted()
	j.startRegion("work")
	return nil
}

// End is the second half of Run. err is the error of the work, or nil. End releases the job's place and wakes Wait.
func (j *Job) End(err error) {
	if err != nil && j.cause.Load() != causeNone {
		err = j.cancelled() // work reports a cancelled context; the cause explains it
	}
	j.end(err)
}

func (j *Job) end(err error) {
	j.worked = j.app.Now()
	j.err = err
	j.endRegion()
	j.signalStarted()
	if !j.drips() {
		j.disarmDisconnect() // before the reply is out: the client may then send its next request and a FIN
	}
	j.release() // before stage changes: the owner may then begin the next request
	if j.stage.Swap(stageEnded) == stageAwaited {
		j.app.wake(j)
	}
}

// release gives the place back, if the job has one. A place stands for the worker or thread that runs the work, and
// both are free once the work has ended. A client that reads its reply slowly, or never, must not hold them.
func (j *Job) release() {
	if j.placed {
		j.placed = false
		j.queue.Load().Release()
	}
}

func (j *Job) work() (err error) {
	defer func() {
		if value := recover(); value != nil {
			j.panic = &Panic{Value: value, Stack: debug.Stack()}
			err = ErrPanic
		}
	}()
	return j.kind().Do(j, j.Delay())
}

// waitIn sets the queue that the job is about to enter, or nil. Disconnect may read it at any time.
func (j *Job) waitIn(queue *admission.Queue) {
	if queue != nil && j.ticket == nil {
		j.ticket = &admission.Ticket{Owner: (*ticketOwner)(j)}
	}
	if j.queue.Load() != queue {
		j.queue.Store(queue)
	}
}

// Wait blocks until the job has ended.
func (j *Job) Wait() {
	if j.traced != nil && j.queue.Load() != nil {
		j.waitStarted()
	}
	if j.stage.Load() == stageEnded {
		return // most modes have already run the job
	}
	if j.ended == nil {
		j.ended = make(chan struct{}, 1)
	}
	if j.NotifyEnd() {
		<-j.ended
	}
}

// NotifyEnd requests a call of the function that App.OnJobEnd set, once the job ends. If the job has already ended, it
// returns false, and the function is not called.
func (j *Job) NotifyEnd() bool { return j.stage.CompareAndSwap(stagePending, stageAwaited) }

// Reply fills r once the job has ended. The data that r refers to is valid until the job's next Begin.
func (j *Job) Reply(r *Reply) {
	j.startRegion("write")
	j.app.reply(j, r)
}

// Queues reports whether the job may have had to wait for a place. If so, it was scheduled on the goroutine that freed
// one.
func (j *Job) Queues() bool { return j.queue.Load() != nil }

// Started returns the App's stamp of the job's start.
func (j *Job) Started() time.Duration { return j.started }

// Ended returns the App's stamp of the job's end.
func (j *Job) Ended() time.Duration { return j.worked }

// Finish ends the request once r, the job's reply, is written or given up. written reports whether all of r was
// written. Finish passes a Sample to the observers, and returns the App's stamp of now. Call it once.
func (j *Job) Finish(r *Reply, written bool) time.Duration {
	now := j.app.Now()
	if j.ran {
		j.app.inFlight.Add(-1)
	}
	j.disarmDisconnect()
	if !written && (r.outcome == OK || r.outcome == Injected) && r.Abort == fault.None {
		r.outcome = WriteFailed
	}
	j.endTask()
	r.sample = j.sampleAt(r, now)
	for _, observer := range j.app.config.Observers {
		observer.Observe(&r.sample)
	}
	return now
}

// Disconnect reports that the client has closed or half-closed its connection. The work ends at once and its place is
// free, unless the App finishes work without a client or the job has no work to do. It may be called at any time and
// from any goroutine, and applies to all later jobs of the connection.
func (j *Job) Disconnect() {
	if j.flags.Or(disconnected)&(hanging|endsOnDisconnect) != 0 {
		j.cancel(causeDisconnected)
	}
}

// WaitForDisconnect makes a disconnect cancel the job from now on, even if the App finishes work without a client. It
// is for a job that has ended and gets no reply.
func (j *Job) WaitForDisconnect() {
	if j.flags.Or(hanging)&disconnected != 0 {
		j.cancel(causeDisconnected)
	}
}

// Pause waits for d between parts of a reply. If the job is cancelled first, Pause returns the reason.
func (j *Job) Pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-j.Done():
		return j.cancelled()
	}
}

// Abort cancels the job at the drain deadline: if it is queued or running it ends with ErrDraining, and so do all later
// jobs of its connection. It may be called at any time and from any goroutine.
func (j *Job) Abort() { j.cancel(causeDraining) }

// leaveQueue ends a cancelled job that waits in the queue, unless another goroutine has already removed it.
func (j *Job) leaveQueue() {
	if queue := j.queue.Load(); queue != nil && queue.Remove(j.ticket) {
		j.End(j.cancelled())
	}
}

// A ticketOwner is a job as its queue sees it.
type ticketOwner Job

func (o *ticketOwner) Start() {
	j := (*Job)(o)
	j.placed = true
	j.app.schedule(j)
}

func (o *ticketOwner) TimedOut() { (*Job)(o).End(ErrQueueTimeout) }

// A Panic holds the value of a panic in work.
type Panic struct {
	Value any
	Stack []byte
}

// Error returns the panic's value, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic in work: %v", p.Value) }

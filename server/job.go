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

// What a job's goroutine may have to wait for.
const (
	stagePending int32 = iota // admitted, not ended
	stageAwaited              // not ended, and somebody sleeps in Wait
	stageEnded
)

// What is known of a job's end, in bits. A job is cancelled once its client has left and one of the others is set.
const (
	disconnected     int32 = 1 << iota
	hanging                // there is no reply that the client could still read
	endsOnDisconnect       // the work is for nobody then
)

// A Job is one request's way through the server. It belongs to a connection and is used again for its next request,
// so that a request allocates nothing: Begin, App.Admit or Refuse, Wait or NotifyEnd, Reply, Finish, in this order.
//
// It is small, because an event loop holds nothing else for a request that blocks: the reply is its caller's, and what
// few connections need is made when it is asked for.
//
// It is also the context of its own work, which ends when the client leaves or the drain deadline passes. Deriving
// from it is allowed, keeping it after the work returned is not.
type Job struct {
	// Owner is the transport's: how it finds the connection again when the job is scheduled or has ended.
	Owner Owner

	app    *App
	queue  atomic.Pointer[admission.Queue] // that the job waits in, nil for none
	ticket *admission.Ticket               // nil until the job waits in one

	Method  string        // of the request, for logs
	Target  string        // of the request, for logs: its path, and its query if Config.Describe is set
	Backlog time.Duration // how long the connection sat in the accept queue; negative where that cannot be known

	arrived, started, worked time.Duration // stamps of the App

	cause  atomic.Int32
	stage  atomic.Int32
	flags  atomic.Int32 // clientLeft, replyHangs and endsOnLeave
	placed bool         // holds a place of the queue
	ran    bool         // counts as in flight

	done   atomic.Pointer[chan struct{}] // nil until somebody asks for it
	ended  chan struct{}                 // Wait's
	plan   *fault.Plan                   // nil for the usual
	err    error
	panic  *Panic
	traced *traced // nil while no trace is on
}

// An Owner is the connection that a job belongs to.
type Owner interface {
	// ClientAddr is the client's address, such as 127.0.0.1:54321, or empty if it is not known.
	ClientAddr() string
}

// path is the request's path.
func (j *Job) path() string {
	path, _, _ := strings.Cut(j.Target, "?")
	return path
}

// Init makes the job one of app's. It is called when its connection opens. A job that is Reusable may be another
// connection's when its own has closed; those who still ask for Done by then read nothing but what is atomic.
func (j *Job) Init(app *App) {
	j.app = app
	j.cause.Store(causeNone)
	j.done.Store(nil)
	j.flags.Store(0)
}

// Reusable reports whether the job may be another connection's when its own has closed. A context that work derived from
// it may look at it for a moment after the work returned: the goroutine that the context package starts for it may be
// that late. One that has seen the job cancelled must not find it otherwise.
func (j *Job) Reusable() bool {
	return j.cause.Load() == causeNone || j.done.Load() == closedUnasked
}

// Begin makes the job ready for a connection's next request. query is as it was sent, without the question mark. backlog
// is how long the connection sat in the kernel's accept queue: 0 for its later requests, negative where it cannot be
// known.
func (j *Job) Begin(method, path, query string, backlog time.Duration) {
	j.BeginRefused(method, path, query, backlog)
	j.plan, j.err = j.app.planner.plan(method, path, query)
	j.decideOnDisconnect()
}

// decideOnDisconnect decides whether the request ends if its client leaves, or has left already. One without a delay does not:
// a client that sends its request and a FIN at once may read the reply, and there is no work to save.
func (j *Job) decideOnDisconnect() {
	ends := !j.app.config.FinishOnDisconnect && !j.instant()
	switch said := j.flags.Load(); {
	case ends == (said&endsOnDisconnect != 0):
		if ends && said&disconnected != 0 {
			j.cancel(causeDisconnected)
		}
	case !ends:
		j.flags.And(^endsOnDisconnect)
	case j.flags.Or(endsOnDisconnect)&disconnected != 0:
		j.cancel(causeDisconnected)
	}
}

// instant reports whether the request is answered without waiting for anything.
func (j *Job) instant() bool { return j.Delay() <= 0 && !j.drips() }

// drips reports whether the reply takes time by itself, which a client that leaves ends.
func (j *Job) drips() bool { return j.plan != nil && j.plan.Drip != 0 }

// disarmDisconnect says that there is nothing more to end if the client leaves, until Begin decides about the next request.
func (j *Job) disarmDisconnect() {
	if j.flags.Load()&endsOnDisconnect != 0 {
		j.flags.And(^endsOnDisconnect)
	}
}

// BeginRefused is Begin for a request that Refuse is to follow: nothing is drawn for it. What others get must not hang on
// it, since a mode may not even see it, as where net/http answers by itself.
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

// Refuse ends a job that was never admitted: the request is at fault, or the transport. A client that has stopped
// sending may still read of it.
func (j *Job) Refuse(err error) {
	j.arrived = j.app.Now()
	if j.cause.Load() == causeDraining {
		err = ErrDraining
	}
	j.end(err)
}

// Run does the job's work on the calling goroutine, and survives its panic. It is called at most once, by whomever the
// mode's schedule chose. It never touches the connection.
func (j *Job) Run() {
	if err := j.Start(); err != nil {
		j.End(err)
		return
	}
	j.End(j.work())
}

// Start is the first half of Run, for a mode that waits in its own way for work that holds nothing. A job whose client
// left, or that the drain deadline overtook, is not started: the error says so, and belongs into End.
func (j *Job) Start() error {
	if err := j.cancelled(); err != nil {
		return err
	}
	j.started = j.arrived // without a queue a job starts where it is admitted
	if j.queue.Load() != nil {
		j.started = j.app.Now()
	}
	j.ran = true
	j.app.inFlight.Add(1)
	j.signalStarted()
	j.startRegion("work")
	return nil
}

// End is the last half of Run: err is what became of the job, and nil that its work is done. It gives the job's place back
// and wakes Wait.
func (j *Job) End(err error) {
	if err != nil && j.cause.Load() != causeNone {
		err = j.cancelled() // work reports a cancelled context; the cause says why
	}
	j.end(err)
}

func (j *Job) end(err error) {
	j.worked = j.app.Now()
	j.err = err
	j.endRegion()
	j.signalStarted()
	if !j.drips() {
		j.disarmDisconnect() // before the reply is out: the client may send its next request, and a FIN, as soon as it has that
	}
	j.release() // before anyone learns that the job has ended, because its owner may then begin the next request
	if j.stage.Swap(stageEnded) == stageAwaited {
		j.app.wake(j)
	}
}

// release gives the place back, if the job has one. A place stands for what runs the work, a worker or a thread, and both
// are free once the work has ended: a client that reads its reply slowly, or never, must not hold them.
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

// waitIn says which queue the job is about to enter, or nil for none. Leave may look at it at any time.
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
		return // most modes run a job before anybody waits for it
	}
	if j.ended == nil {
		j.ended = make(chan struct{}, 1)
	}
	if j.NotifyEnd() {
		<-j.ended
	}
}

// NotifyEnd asks for a call of the function that App.OnJobEnd was given, once the job ends. If the job has ended already,
// it returns false, and the function is not called.
func (j *Job) NotifyEnd() bool { return j.stage.CompareAndSwap(stagePending, stageAwaited) }

// Reply fills in what to answer, once the job has ended. What it points to is valid until the job's next Begin.
func (j *Job) Reply(r *Reply) {
	j.startRegion("write")
	j.app.reply(j, r)
}

// Queues reports whether the job may have had to wait for a place: schedule is then called on the goroutine that freed
// one.
func (j *Job) Queues() bool { return j.queue.Load() != nil }

// Started is when the job started, as a stamp of the App.
func (j *Job) Started() time.Duration { return j.started }

// Ended is when the job ended, as a stamp of the App.
func (j *Job) Ended() time.Duration { return j.worked }

// Finish is called once, when r, the job's reply, is written or was given up: written says whether all of it went out.
// It hands one Sample to the observers, and returns the App's stamp of now.
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

// Disconnect says that the client has gone: it hung up, or sent a FIN. The work ends at once and the place is free, unless
// the App is to finish it all the same, or there is none to do. It may be called at any time and from any goroutine, and it
// holds for all later jobs of the connection.
func (j *Job) Disconnect() {
	if j.flags.Or(disconnected)&(hanging|endsOnDisconnect) != 0 {
		j.cancel(causeDisconnected)
	}
}

// WaitForDisconnect is for a job that has ended and whose reply never comes: from now on the job is cancelled when its client leaves,
// also where the App would finish its work.
func (j *Job) WaitForDisconnect() {
	if j.flags.Or(hanging)&disconnected != 0 {
		j.cancel(causeDisconnected)
	}
}

// Pause waits for a part of the reply, or until the job is cancelled, which its error says.
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

// Abort is the drain deadline's: a job that is queued or runs ends with ErrDraining, and so do all later ones of its
// connection. It may be called at any time and from any goroutine.
func (j *Job) Abort() { j.cancel(causeDraining) }

// leaveQueue ends a cancelled job that waits in the queue, unless another goroutine was faster.
func (j *Job) leaveQueue() {
	if queue := j.queue.Load(); queue != nil && queue.Remove(j.ticket) {
		j.End(j.cancelled())
	}
}

// ticketOwner is how the queue sees a job.
type ticketOwner Job

func (o *ticketOwner) Start() {
	j := (*Job)(o)
	j.placed = true
	j.app.schedule(j)
}

func (o *ticketOwner) TimedOut() { (*Job)(o).End(ErrQueueTimeout) }

// A Panic is what work panicked with.
type Panic struct {
	Value any
	Stack []byte
}

// Error is the panic's value, without the stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic in work: %v", p.Value) }

// Package server holds what all modes share, and no more: the App that admits, runs and finishes jobs, the one route
// table, and the one table from error to status.
//
// It must not know a mode, a goroutine's or a thread's part in serving, nor the bytes of HTTP: a mode decides who runs
// a Job, and server/transport reads requests and writes replies.
package server

import (
	"iter"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"demo-server/server/admission"
	"demo-server/work"
)

// A Config is what an App needs to know. The zero value of a limit means none.
type Config struct {
	Mode               string               // the mode's name, as the Server header and the metrics show it
	Work               work.Work            // what a request blocks on
	Delay              time.Duration        // for how long
	Requestable        map[string]work.Work // what a request may ask to block on, by name
	Faults             Faults
	AnyPath            bool              // what has no route of its own gets what / gets
	CORS               bool              // pages of any origin may read replies
	Body               []byte            // the reply's body
	FinishOnDisconnect bool              // on-leave=finish: work goes on for a client that left
	AnswerHalfClosed   bool              // a client that has closed its sending side still waits for its reply
	Admission          *admission.Limits // places and queue, or nil where the mode bounds nothing
	Helpers            *admission.Limits // those of work that holds a thread or a core, where the mode has threads apart for it
	Limits             Limits
	Observers          []Observer
	Describe           bool // samples have the query and the client's address, which cost an allocation each
}

// Limits bound one connection and the number of them; server/transport keeps them.
type Limits struct {
	MaxConnections     int           // connections accepted at the same time; further ones wait in the accept queue
	MaxHeaderBytes     int           // request line and headers
	MaxBodyBytes       int64         // request body
	ReadHeaderTimeout  time.Duration // from a request's first byte, or from the accept, to the end of its headers
	ReadTimeout        time.Duration // of a request body, without progress
	ReadRequestTimeout time.Duration // from a request's first byte, or from the accept, to its end, body included; 0 for none
	WriteTimeout       time.Duration // of a reply, without progress, which is 1 KiB/s
	IdleTimeout        time.Duration // of a kept connection, between requests
}

// An App admits, runs and finishes the jobs of one mode. Create it with New, and Close it when the mode has ended.
type App struct {
	config  Config
	queue   *admission.Queue // nil for none
	helpers *admission.Queue // nil for none
	planner *planner
	start   time.Time // the origin of every stamp

	schedule func(*Job) // see Schedule
	ended    func(*Job) // see OnJobEnd; nil if goroutines wait for jobs

	accepting  chan struct{}
	acceptOnce sync.Once

	notFoundBody []byte // the body of a 404

	inFlight       atomic.Int64
	connections    atomic.Int64
	avgServiceTime atomic.Int64 // moving average of the time that work took, for Retry-After

	announce   atomic.Bool // replies say Connection: close
	refusing   atomic.Bool // the drain deadline has passed
	expired    chan struct{}
	expireOnce sync.Once
}

// New returns an App that is ready to admit jobs.
func New(config Config) *App {
	a := &App{config: config, planner: newPlanner(&config), start: time.Now(), accepting: make(chan struct{}), expired: make(chan struct{})}
	a.notFoundBody = bodyLine("not found: the paths are " + routeNames(a.Routes()))
	a.queue, a.helpers = newQueue(config.Admission), newQueue(config.Helpers)
	a.avgServiceTime.Store(int64(config.Delay))
	return a
}

func newQueue(limits *admission.Limits) *admission.Queue {
	if limits == nil {
		return nil
	}
	return admission.New(*limits)
}

// queueOf is where work that holds that waits for its turn, or nil.
func (a *App) queueOf(holds work.Resource) *admission.Queue {
	if a.helpers != nil && (holds == work.Thread || holds == work.Core) {
		return a.helpers
	}
	return a.queue
}

func (a *App) queues() iter.Seq[*admission.Queue] {
	return func(yield func(*admission.Queue) bool) {
		for _, queue := range []*admission.Queue{a.queue, a.helpers} {
			if queue != nil && !yield(queue) {
				return
			}
		}
	}
}

// Close ends the queues' timers. No job may be admitted after it.
func (a *App) Close() {
	for queue := range a.queues() {
		queue.Close()
	}
}

// Mode is the name of the mode that this App serves.
func (a *App) Mode() string { return a.config.Mode }

// AnswersHalfClosed reports whether a FIN says no more than that the client sends no more. Otherwise it counts as leaving:
// a client that closes its connection sends the same.
func (a *App) AnswersHalfClosed() bool { return a.config.AnswerHalfClosed }

// Limits bound the connections.
func (a *App) Limits() Limits { return a.config.Limits }

// Pools are what the work that jobs may do shares and has only so much of: the usual work's first.
func (a *App) Pools() (pools []work.PoolStats) {
	add := func(w work.Work) {
		pooled, ok := w.(work.Pooled)
		if !ok {
			return
		}
		pool := pooled.Pool()
		if !slices.ContainsFunc(pools, func(p work.PoolStats) bool { return p.Name == pool.Name }) {
			pools = append(pools, pool)
		}
	}
	add(a.config.Work)
	for _, kind := range slices.Sorted(maps.Keys(a.config.Requestable)) {
		add(a.config.Requestable[kind])
	}
	return pools
}

// Routes are those that requests find: where they may not ask for what they get, there is only /.
func (a *App) Routes() []Route {
	if a.config.Faults.Overrides {
		return Routes
	}
	return Routes[:1]
}

// Lookup finds a request's route among these, or returns ErrNotFound, ErrMethodNotAllowed or, with CORS, ErrPreflight. With AnyPath the route / takes
// every request that has no other. It does not take CONNECT, which a 200 would turn into a tunnel (RFC 9110, section 9.3.6).
func (a *App) Lookup(method, path string) (*Route, error) {
	route, err := lookup(a.Routes(), method, path)
	if err != nil && a.config.AnyPath {
		if method == http.MethodConnect {
			return nil, ErrMethodNotAllowed
		}
		route, err = &Routes[0], nil
	}
	if a.config.CORS && method == http.MethodOptions && err != ErrNotFound {
		return nil, ErrPreflight
	}
	return route, err
}

// InFlight is how many jobs have started and are not finished: they work, or their replies are being written.
func (a *App) InFlight() int { return int(a.inFlight.Load()) }

// Queued is how many admitted jobs wait for a place: the queue depth.
func (a *App) Queued() (n int) {
	for queue := range a.queues() {
		n += queue.Len()
	}
	return n
}

// Connections is how many connections are open: accepted and not closed.
func (a *App) Connections() int { return int(a.connections.Load()) }

// ConnectionOpened and ConnectionClosed are the transport's count of connections.
func (a *App) ConnectionOpened() { a.connections.Add(1) }

// ConnectionClosed is called once for each ConnectionOpened.
func (a *App) ConnectionClosed() { a.connections.Add(-1) }

// Schedule sets the function that decides who calls Run of a job that may run. It must not block. It is called once,
// before the first job is admitted.
func (a *App) Schedule(schedule func(*Job)) { a.schedule = schedule }

// OnJobEnd sets a function to call when a job ends, on the goroutine that ends it, for a mode that has no goroutine to
// call Job.Wait: see Job.NotifyEnd. It is called at most once, before the first job is admitted.
func (a *App) OnJobEnd(ended func(*Job)) { a.ended = ended }

// Accepting reports that the mode is open: from now on it accepts connections. The transport calls it.
func (a *App) Accepting() { a.acceptOnce.Do(func() { close(a.accepting) }) }

// AcceptStarted returns a channel that is closed once Accepting was called.
func (a *App) AcceptStarted() <-chan struct{} { return a.accepting }

// AnnounceClose makes every reply from now on say Connection: close. Nothing is refused yet.
func (a *App) AnnounceClose() { a.announce.Store(true) }

// Closing reports whether a reply has to say Connection: close.
func (a *App) Closing() bool { return a.announce.Load() }

// ExpireDrain is the drain deadline: every job admitted from now on is refused with ErrDraining, and Expired is closed, at
// which the transport cancels the jobs that are queued or running. It may be called more than once.
func (a *App) ExpireDrain() {
	a.expireOnce.Do(func() {
		a.announce.Store(true)
		a.refusing.Store(true)
		close(a.expired)
	})
}

// DrainExpired is closed at the drain deadline.
func (a *App) DrainExpired() <-chan struct{} { return a.expired }

// Admit takes job in and sees to it that it is scheduled once it may run: in this call, or later from another
// goroutine, or never when the job is refused or its client leaves first. Admit needs no goroutine to wait: Job.Wait is
// for callers that have one.
func (a *App) Admit(job *Job) {
	if job.err != nil {
		job.Refuse(job.err)
		return
	}
	job.arrived = a.Now()
	if a.refusing.Load() {
		job.cancel(causeDraining)
	}
	if err := job.cancelled(); err != nil {
		job.End(err)
		return
	}
	queue := a.queueOf(job.Holds())
	job.waitIn(queue)
	if queue == nil {
		job.startRegion("queue") // each request has one in the trace, be it empty
		job.endRegion()
		a.schedule(job)
		return
	}
	if err := queue.Enter(job.ticket); err != nil {
		job.End(ErrQueueFull)
		return
	}
	// A client that left between the check above and Enter found nothing to take out of the queue.
	if job.cancelled() != nil {
		job.leaveQueue()
	}
}

// wake reports the end of a job to the caller that waits for it.
func (a *App) wake(j *Job) {
	if a.ended != nil {
		a.ended(j)
		return
	}
	j.ended <- struct{}{}
}

// retryAfter estimates in whole seconds, at least 1, when the backlog that stands now in a queue will have been worked
// off: the tickets that wait, and one more, at limit places, each as long as recent work took.
func (a *App) retryAfter(queue *admission.Queue) int {
	if queue == nil {
		return 1
	}
	rounds := (queue.Len() + queue.Limits().Places) / queue.Limits().Places
	backlog := time.Duration(rounds) * time.Duration(a.avgServiceTime.Load())
	return max(1, int((backlog+time.Second-1)/time.Second))
}

// observeServiceTime moves the average service time an eighth of the way to the newest one, as TCP smooths its round-trip time
// (RFC 6298, section 2). Two updates at the same time may lose one, which an estimate can bear.
func (a *App) observeServiceTime(worked time.Duration) {
	average := a.avgServiceTime.Load()
	a.avgServiceTime.Store(average + (int64(worked)-average)/8)
}

// Now is the time since the App was made: a monotonic stamp that costs half of what time.Now does.
func (a *App) Now() time.Duration { return time.Since(a.start) }

// Package server holds the parts that all modes share: the App that admits, runs and finishes jobs, the one route
// table, and the one table from error to status.
//
// It must not know modes, goroutines or threads that serve, or the bytes of HTTP. A mode decides who runs a Job;
// server/transport and server/eventloop read requests and write replies.
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

// A Config holds the settings of an App. The zero value of a limit means no limit.
type Config struct {
	Mode               string               // the mode's name, for the Server header and the metrics
	Work               work.Work            // the work of a request that does not ask for another kind
	Delay              time.Duration        // how long that work takes
	Requestable        map[string]work.Work // the kinds of work that a request may ask for, by name
	Faults             Faults
	AnyPath            bool              // a path without a route of its own is served like /
	CORS               bool              // pages of any origin may read replies
	Body               []byte            // the reply's body
	FinishOnDisconnect bool              // work continues after its client has disconnected
	AnswerHalfClosed   bool              // a client that has closed its sending side still waits for its reply
	Admission          *admission.Limits // places and queue; nil if the mode limits nothing
	Helpers            *admission.Limits // the same for work that holds a thread or a core; nil without helpers
	Limits             Limits
	Observers          []Observer
	Describe           bool // samples include the query and the client's address, at the cost of an allocation each
}

// Limits hold the limits on connections, and on one connection. The transports enforce them.
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

// An App admits, runs and finishes the jobs of one mode. Create it with New, and call Close when the mode has ended.
//
// Its methods may be called from any goroutine, except for Schedule and OnJobEnd.
type App struct {
	config  Config
	queue   *admission.Queue // nil if there is none
	helpers *admission.Queue // nil if there is none
	planner *planner
	start   time.Time // the origin of all stamps

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

// New returns an App. The caller calls Schedule before it admits the first job.
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

// queueOf returns the queue for work that holds a resource, or nil.
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

// Close stops the queues' timers. No job may be admitted afterwards.
func (a *App) Close() {
	for queue := range a.queues() {
		queue.Close()
	}
}

// Mode returns the name of the mode that this App serves.
func (a *App) Mode() string { return a.config.Mode }

// AnswersHalfClosed reports whether a FIN only means that the client sends nothing more. Otherwise a FIN counts as a
// disconnect, because a client that closes its connection sends the same.
func (a *App) AnswersHalfClosed() bool { return a.config.AnswerHalfClosed }

// Limits returns the limits on connections.
func (a *App) Limits() Limits { return a.config.Limits }

// Pools returns the state of the pools that work shares, such as connections. Those of the default work come first.
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

// Routes returns the routes that requests may use. Without overrides, only / is served.
func (a *App) Routes() []Route {
	if a.config.Faults.Overrides {
		return Routes
	}
	return Routes[:1]
}

// Lookup finds a request's route among Routes, or returns ErrNotFound, ErrMethodNotAllowed or, with CORS, ErrPreflight.
// With AnyPath, the route / takes every request without a route of its own. It does not take CONNECT, because a 200
// would turn the connection into a tunnel (RFC 9110, section 9.3.6).
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

// InFlight returns the number of jobs that have started and are not finished: they work, or their replies are being
// written.
func (a *App) InFlight() int { return int(a.inFlight.Load()) }

// Queued returns the number of admitted jobs that wait for a place.
func (a *App) Queued() (n int) {
	for queue := range a.queues() {
		n += queue.Len()
	}
	return n
}

// Connections returns the number of open connections.
func (a *App) Connections() int { return int(a.connections.Load()) }

// ConnectionOpened counts an accepted connection. The transport calls it.
func (a *App) ConnectionOpened() { a.connections.Add(1) }

// ConnectionClosed counts a closed connection. The transport calls it once for each ConnectionOpened.
func (a *App) ConnectionClosed() { a.connections.Add(-1) }

// Schedule sets the function that decides who calls Run of a job that may run. It must not block. Call Schedule once,
// before the first job is admitted.
func (a *App) Schedule(schedule func(*Job)) { a.schedule = schedule }

// OnJobEnd sets the function that NotifyEnd asks for, for a mode that has no goroutine to call Job.Wait. It is called
// on the goroutine that ends the job. Call OnJobEnd at most once, before the first job is admitted.
func (a *App) OnJobEnd(ended func(*Job)) { a.ended = ended }

// Accepting reports that the mode accepts connections from now on. The transport calls it.
func (a *App) Accepting() { a.acceptOnce.Do(func() { close(a.accepting) }) }

// AcceptStarted returns a channel that is closed by Accepting.
func (a *App) AcceptStarted() <-chan struct{} { return a.accepting }

// AnnounceClose makes all further replies say Connection: close. It refuses nothing.
func (a *App) AnnounceClose() { a.announce.Store(true) }

// Closing reports whether replies have to say Connection: close.
func (a *App) Closing() bool { return a.announce.Load() }

// ExpireDrain marks the drain deadline. Jobs admitted from now on are refused with ErrDraining. DrainExpired is closed,
// and the transport then cancels the jobs that are queued or running. It may be called more than once.
func (a *App) ExpireDrain() {
	a.expireOnce.Do(func() {
		a.announce.Store(true)
		a.refusing.Store(true)
		close(a.expired)
	})
}

// DrainExpired returns a channel that is closed at the drain deadline.
func (a *App) DrainExpired() <-chan struct{} { return a.expired }

// Admit takes job in. It calls the function set by Schedule once the job may run: in this call, or later from another
// goroutine. It never does so if the job is refused or its client disconnects first. Admit does not block; a caller
// that has a goroutine for the job waits with Job.Wait.
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
		job.startRegion("queue") // every request has this region in its trace, even if it is empty
		job.endRegion()
		a.schedule(job)
		return
	}
	if err := queue.Enter(job.ticket); err != nil {
		job.End(ErrQueueFull)
		return
	}
	// If the client disconnected between the check above and Enter, Disconnect found nothing to remove from the queue.
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

// retryAfter estimates in how many seconds, at least 1, a queue will have served its present backlog. The backlog is
// the waiting tickets plus one, served by all places at once, each for as long as recent work took.
func (a *App) retryAfter(queue *admission.Queue) int {
	if queue == nil {
		return 1
	}
	rounds := (queue.Len() + queue.Limits().Places) / queue.Limits().Places
	backlog := time.Duration(rounds) * time.Duration(a.avgServiceTime.Load())
	return max(1, int((backlog+time.Second-1)/time.Second))
}

// observeServiceTime moves the average service time an eighth of the way to the newest value, as TCP smooths its
// round-trip time (RFC 6298, section 2). Of two concurrent updates one may be lost; an estimate can tolerate that.
func (a *App) observeServiceTime(worked time.Duration) {
	average := a.avgServiceTime.Load()
	a.avgServiceTime.Store(average + (int64(worked)-average)/8)
}

// Now returns the time since the App was made: a monotonic stamp, at half the cost of time.Now.
func (a *App) Now() time.Duration { return time.Since(a.start) }

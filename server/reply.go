package server

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"demo-server/server/fault"
	"demo-server/work"
)

// The errors that decide a request's reply. Each has a row in the table below.
var (
	ErrQueueFull    = errors.New("queue full")
	ErrQueueTimeout = errors.New("queue timeout")
	ErrDraining     = errors.New("draining")
	ErrDisconnected = errors.New("client left")
	ErrPanic        = errors.New("panic")
	ErrWork         = errors.New("work failed")

	ErrBadRequest       = errors.New("bad request")
	ErrNoHost           = errors.New("no host")
	ErrNotFound         = errors.New("not found")
	ErrMethodNotAllowed = errors.New("method not allowed")
	ErrTimeout          = errors.New("request timeout")
	ErrBodyTooLarge     = errors.New("body too large")
	ErrExpectation      = errors.New("expectation failed")
	ErrHeaderTooLarge   = errors.New("header too large")
	ErrCoding           = errors.New("unknown transfer coding")
	ErrVersion          = errors.New("version not supported")

	ErrPreflight = errors.New("preflight") // a browser asks whether a page may send a request; its client sees no error
)

// StatusDisconnected is nginx's status for a client that disconnected before its reply.
const StatusDisconnected = 499

// A statusRow is a row of the one table from error to reply.
type statusRow struct {
	err     error
	code    int
	outcome Outcome
	closes  bool // the rest of the connection's bytes cannot be trusted or is not wanted
	retry   bool // the reply has a Retry-After header
	body    []byte
}

var statusTable = []statusRow{
	{err: ErrQueueFull, code: 503, outcome: QueueFull, retry: true, body: bodyLine("queue full: try again after the seconds in Retry-After")},
	{err: ErrQueueTimeout, code: 503, outcome: QueueTimeout, retry: true, body: bodyLine("queue timeout: no worker was free in time")},
	{err: ErrDraining, code: 503, outcome: Draining, closes: true, body: bodyLine("draining: this server is stopping")},
	// 499 comes from nginx; no status is registered for a client that cannot read it. A client that only half-closed
	// its connection does read it.
	{err: ErrDisconnected, code: StatusDisconnected, outcome: DisconnectedQueued, closes: true, body: bodyLine("client disconnected: a half-closed connection counts as closed")},
	{err: ErrPanic, code: 500, outcome: Failed, body: bodyLine("panic in the work: see the server's log")},
	{err: ErrNoHost, code: 400, outcome: BadRequest, closes: true, body: bodyLine("bad request: HTTP/1.1 needs one Host header")},
	{err: ErrNotFound, code: 404, outcome: BadRequest, body: bodyLine("not found")}, // App.notFoundBody replaces the body
	{err: ErrMethodNotAllowed, code: 405, outcome: BadRequest, body: bodyLine("method not allowed: see Allow")},
	{err: ErrTimeout, code: 408, outcome: BadRequest, closes: true, body: bodyLine("request timeout: no byte came in time")},
	{err: ErrBodyTooLarge, code: 413, outcome: BadRequest, closes: true, body: bodyLine("body too large")},
	{err: ErrExpectation, code: 417, outcome: BadRequest, closes: true, body: bodyLine("expectation failed: only 100-continue is known")},
	{err: ErrHeaderTooLarge, code: 431, outcome: BadRequest, closes: true, body: bodyLine("request headers too large")},
	{err: ErrCoding, code: 501, outcome: BadRequest, closes: true, body: bodyLine("unknown transfer coding: only chunked is known")},
	{err: ErrVersion, code: 505, outcome: BadRequest, closes: true, body: bodyLine("version not supported: speak HTTP/1.1 or HTTP/1.0")},
	{err: ErrPreflight, code: 204, outcome: Preflight},
	{err: ErrBadRequest, code: 400, outcome: BadRequest, closes: true, body: bodyLine("bad request")},
}

// failed is the row of every error of work without a row of its own.
var failed = statusRow{err: ErrWork, code: 500, outcome: Failed, body: bodyLine("the work failed")}

// failures holds the rows of a dependency's failures. The details belong in the server's log: a client need not know
// the addresses of dependencies.
var failures = map[work.Cause]*statusRow{
	work.Refused:  {code: http.StatusBadGateway, outcome: Failed, body: bodyLine("bad gateway: the dependency refused the connection")},
	work.Broken:   {code: http.StatusBadGateway, outcome: Failed, body: bodyLine("bad gateway: the dependency closed the connection, or sent another reply")},
	work.TimedOut: {code: http.StatusGatewayTimeout, outcome: Failed, body: bodyLine("gateway timeout: the dependency did not answer in time")},
}

func bodyLine(text string) []byte { return []byte(text + "\n") }

func statusOf(err error) *statusRow {
	for i := range statusTable {
		if statusTable[i].err == err {
			return &statusTable[i]
		}
	}
	switch err := err.(type) {
	case *RequestError:
		return &statusRow{code: http.StatusBadRequest, outcome: BadRequest, body: bodyLine("bad request: " + err.Error())}
	case *work.Failure:
		if row := failures[err.Cause]; row != nil {
			return row
		}
	}
	return &failed
}

// A Reply is the reply that a transport has to write. It is the same in every mode.
type Reply struct {
	Status     int
	Body       []byte
	Allow      string // the Allow header, or ""
	RetryAfter string // the Retry-After header, or ""
	Headers    []Header
	Timing     []byte // the Server-Timing header
	Close      bool   // say Connection: close, and close

	Pieces int           // of a body that drips, see Piece: the head goes out first; 0 for a body in one piece
	Over   time.Duration // how long the body drips, or how long a reply hangs before its connection closes
	Abort  fault.Abort   // an abort of the connection instead of a reply, or after a part of it
	Cut    bool          // the head announces all of Body, and only its first Sent bytes follow, before Abort
	Sent   int

	outcome Outcome
	sample  Sample // here, to pass it to observers without an allocation
}

// ContentType is the Content-Type of all replies.
const ContentType = "text/plain; charset=utf-8"

// ServerName returns the Server header of app's replies.
func (a *App) ServerName() string { return "demo-server (" + a.config.Mode + ")" }

func (a *App) reply(j *Job, r *Reply) {
	*r = Reply{Status: http.StatusOK, Body: a.config.Body, Timing: r.Timing[:0], outcome: outcomeOf(j)}
	if j.err != nil {
		row := statusOf(j.err)
		r.Status, r.Body, r.Close = row.code, row.body, row.closes
		if row.retry {
			r.RetryAfter = strconv.Itoa(a.retryAfter(j.queue.Load()))
		}
		switch j.err {
		case ErrNotFound:
			r.Body = a.notFoundBody
		case ErrMethodNotAllowed:
			r.Allow = allowed(j.path())
		}
	} else {
		if j.queue.Load() != nil {
			a.observeServiceTime(j.worked - j.started)
		}
		r.applyPlan(j.plan)
		if r.Abort == fault.Hang {
			r.Over = a.config.Faults.Caps.MaxDelay
		}
	}
	r.Headers = a.headers(j.err)
	r.Close = r.Close || a.announce.Load()
	r.Timing = j.appendTiming(r.Timing)
}

// applyPlan applies the request's plan to the reply.
func (r *Reply) applyPlan(plan *fault.Plan) {
	if plan == nil {
		return
	}
	if plan.Status != 0 && plan.Status != http.StatusOK {
		r.Status, r.Body = plan.Status, bodyLine(strconv.Itoa(plan.Status)+" as asked for")
		r.markInjected()
	}
	if plan.Size >= 0 {
		r.Body = filler(int(plan.Size))
	}
	if plan.RetryAfter > 0 {
		r.RetryAfter = strconv.Itoa(plan.RetryAfter)
	}
	if plan.Drip > 0 {
		r.Pieces, r.Over = min(plan.Drip, len(r.Body)), plan.Delay-plan.DripAfter
	}
	if plan.Abort != fault.None {
		r.abort(plan)
	}
}

// abort turns the reply into one that is cut off in its body or never sent.
func (r *Reply) abort(plan *fault.Plan) {
	r.markInjected()
	r.Abort, r.Cut = plan.Abort, plan.Cut
	if plan.Cut {
		r.Pieces, r.Sent = 1, int(min(plan.After, int64(len(r.Body))))
		return
	}
	r.Status, r.Close = 0, true
}

// markInjected marks the reply as the result of fault injection.
func (r *Reply) markInjected() {
	if r.outcome == OK {
		r.outcome = Injected
	}
}

// Piece returns the ith piece of a body that drips, from 0, and its time after the head. Each piece goes out at the end
// of its part of Over, the last one at the end of Over. The only piece of a reply that is cut off goes out at once.
func (r *Reply) Piece(i int) (piece []byte, at time.Duration) {
	if r.Cut {
		return r.Body[:r.Sent], 0
	}
	n, length := int64(r.Pieces), int64(len(r.Body))
	piece = r.Body[length*int64(i)/n : length*int64(i+1)/n]
	return piece, time.Duration(int64(i+1)*int64(r.Over/time.Microsecond)/n) * time.Microsecond
}

// appendTiming appends the value of the Server-Timing header (W3C Server Timing, section 4): durations in milliseconds.
func (j *Job) appendTiming(b []byte) []byte {
	if j.Backlog >= 0 {
		b = appendMillis(append(b, "backlog;dur="...), j.Backlog)
		b = append(b, ", "...)
	}
	b = appendMillis(append(b, "queue;dur="...), j.queued())
	b = append(b, ", work;dur="...)
	if !j.ran {
		return append(b, '0')
	}
	return appendMillis(b, j.worked-j.started)
}

// appendMillis appends d in milliseconds with up to three decimals. strconv's floats cost five times as much.
func appendMillis(b []byte, d time.Duration) []byte {
	micros := int64(d / time.Microsecond)
	b = strconv.AppendInt(b, micros/1000, 10)
	rest := micros % 1000
	if rest == 0 {
		return b
	}
	return append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

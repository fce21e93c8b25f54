package server

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"demo-server/server/fault"
	"demo-server/work"
)

// What can become of a request other than its reply. Each has a row in the table below.
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

	ErrPreflight = errors.New("preflight") // a browser asks whether a page may send a request: no error to its client
)

// StatusDisconnected is nginx's status for a client that left before its reply.
const StatusDisconnected = 499

// A statusRow is a row of the one table from error to reply.
type statusRow struct {
	err     error
	code    int
	outcome Outcome
	closes  bool // the connection's bytes can no longer be trusted, or are not wanted
	retry   bool // Retry-After is worth saying
	body    []byte
}

var statusTable = []statusRow{
	{err: ErrQueueFull, code: 503, outcome: QueueFull, retry: true, body: bodyLine("queue full: try again after the seconds in Retry-After")},
	{err: ErrQueueTimeout, code: 503, outcome: QueueTimeout, retry: true, body: bodyLine("queue timeout: no worker was free in time")},
	{err: ErrDraining, code: 503, outcome: Draining, closes: true, body: bodyLine("draining: this server is stopping")},
	// 499 is nginx's: nobody registered a status for a client that is not there to read it. One that has closed its
	// sending side only does read it.
	{err: ErrDisconnected, code: StatusDisconnected, outcome: DisconnectedQueued, closes: true, body: bodyLine("client left: closing the sending side counts as leaving")},
	{err: ErrPanic, code: 500, outcome: Failed, body: bodyLine("panic in the work: see the server's log")},
	{err: ErrNoHost, code: 400, outcome: BadRequest, closes: true, body: bodyLine("bad request: HTTP/1.1 needs one Host header")},
	{err: ErrNotFound, code: 404, outcome: BadRequest, body: bodyLine("not found")}, // App.unknown stands for it
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

// failed is the row of every error that work returns and that no other row names.
var failed = statusRow{err: ErrWork, code: 500, outcome: Failed, body: bodyLine("the work failed")}

// failures are the rows of a dependency's failures. What exactly has failed is for the server's log: a client need not
// know where its dependencies are.
var failures = map[work.Cause]*statusRow{
	work.Refused:  {code: http.StatusBadGateway, outcome: Failed, body: bodyLine("bad gateway: what the work depends on refuses it")},
	work.Broken:   {code: http.StatusBadGateway, outcome: Failed, body: bodyLine("bad gateway: what the work depends on broke off, or answered something else")},
	work.TimedOut: {code: http.StatusGatewayTimeout, outcome: Failed, body: bodyLine("gateway timeout: what the work depends on did not answer in time")},
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

// A Reply is what the transport has to write: the same in every mode.
type Reply struct {
	Status     int
	Body       []byte
	Allow      string // for the Allow header, empty for none
	RetryAfter string // for the Retry-After header, empty for none
	Headers    []Header
	Timing     []byte // for the Server-Timing header
	Close      bool   // say Connection: close, and close

	Pieces int           // the body drips: its head goes out at once, and it in so many pieces, see Piece; 0 for whole
	Over   time.Duration // how long that takes, or how long a reply hangs before its connection closes
	Abort  fault.Abort   // what becomes of the connection instead of a reply, or after a part of it
	Cut    bool          // the head announces Body, and its first Sent bytes follow as the only piece, before Abort
	Sent   int

	outcome Outcome
	sample  Sample // here, so that handing it to an observer allocates nothing
}

// ContentType is every reply's.
const ContentType = "text/plain; charset=utf-8"

// ServerName is the Server header of app's replies.
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

// applyPlan makes the reply what the request's plan says.
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

// abort makes the reply one that is cut off in its body, or never sent.
func (r *Reply) abort(plan *fault.Plan) {
	r.markInjected()
	r.Abort, r.Cut = plan.Abort, plan.Cut
	if plan.Cut {
		r.Pieces, r.Sent = 1, int(min(plan.After, int64(len(r.Body))))
		return
	}
	r.Status, r.Close = 0, true
}

// markInjected says that the reply is not what the server would have said by itself.
func (r *Reply) markInjected() {
	if r.outcome == OK {
		r.outcome = Injected
	}
}

// Piece is the ith piece of a body that drips, from 0, and how long after the head it goes out: each at the end of its
// part of Over, so that the last one ends it. Of a reply that is cut off it is what is sent of the body, at once.
func (r *Reply) Piece(i int) (piece []byte, at time.Duration) {
	if r.Cut {
		return r.Body[:r.Sent], 0
	}
	n, length := int64(r.Pieces), int64(len(r.Body))
	piece = r.Body[length*int64(i)/n : length*int64(i+1)/n]
	return piece, time.Duration(int64(i+1)*int64(r.Over/time.Microsecond)/n) * time.Microsecond
}

// appendTiming writes the Server-Timing header's value (W3C Server Timing, section 4): durations in milliseconds.
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

// appendMillis writes d in milliseconds with up to three decimals; strconv's floats cost five times as much.
func appendMillis(b []byte, d time.Duration) []byte {
	micros := int64(d / time.Microsecond)
	b = strconv.AppendInt(b, micros/1000, 10)
	rest := micros % 1000
	if rest == 0 {
		return b
	}
	return append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

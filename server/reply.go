package server

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// What can become of a request other than its reply. Each has a row in the table below.
var (
	ErrQueueFull    = errors.New("queue full")
	ErrQueueTimeout = errors.New("queue timeout")
	ErrDraining     = errors.New("draining")
	ErrLeft         = errors.New("client left")
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
)

// A status is a row of the one table from error to reply.
type status struct {
	err     error
	code    int
	outcome Outcome
	closes  bool // the connection's bytes can no longer be trusted, or are not wanted
	retry   bool // Retry-After is worth saying
	body    []byte
}

var statuses = []status{
	{err: ErrQueueFull, code: 503, outcome: QueueFull, retry: true, body: line("queue full: try again after the seconds in Retry-After")},
	{err: ErrQueueTimeout, code: 503, outcome: QueueTimeout, retry: true, body: line("queue timeout: no worker was free in time")},
	{err: ErrDraining, code: 503, outcome: Draining, closes: true, body: line("draining: this server is stopping")},
	// 499 is nginx's: nobody registered a status for a client that is not there to read it. One that has closed its
	// sending side only does read it.
	{err: ErrLeft, code: 499, outcome: LeftQueued, closes: true, body: line("client left: closing the sending side counts as leaving")},
	{err: ErrPanic, code: 500, outcome: Failed, body: line("panic in the work: see the server's log")},
	{err: ErrNoHost, code: 400, outcome: BadRequest, closes: true, body: line("bad request: HTTP/1.1 needs one Host header")},
	{err: ErrNotFound, code: 404, outcome: BadRequest, body: line("not found: try /")},
	{err: ErrMethodNotAllowed, code: 405, outcome: BadRequest, body: line("method not allowed: see Allow")},
	{err: ErrTimeout, code: 408, outcome: BadRequest, closes: true, body: line("request timeout: no byte came in time")},
	{err: ErrBodyTooLarge, code: 413, outcome: BadRequest, closes: true, body: line("body too large")},
	{err: ErrExpectation, code: 417, outcome: BadRequest, closes: true, body: line("expectation failed: only 100-continue is known")},
	{err: ErrHeaderTooLarge, code: 431, outcome: BadRequest, closes: true, body: line("request headers too large")},
	{err: ErrCoding, code: 501, outcome: BadRequest, closes: true, body: line("unknown transfer coding: only chunked is known")},
	{err: ErrVersion, code: 505, outcome: BadRequest, closes: true, body: line("version not supported: speak HTTP/1.1 or HTTP/1.0")},
	{err: ErrBadRequest, code: 400, outcome: BadRequest, closes: true, body: line("bad request")},
}

// failed is the row of every error that work returns and that no other row names.
var failed = status{err: ErrWork, code: 500, outcome: Failed, body: line("the work failed")}

func line(text string) []byte { return []byte(text + "\n") }

func statusOf(err error) *status {
	for i := range statuses {
		if statuses[i].err == err {
			return &statuses[i]
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
	Timing     []byte // for the Server-Timing header
	Close      bool   // say Connection: close, and close

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
			r.RetryAfter = strconv.Itoa(a.retryAfter())
		}
		if row.code == http.StatusMethodNotAllowed {
			r.Allow = allowed(j.Path)
		}
	} else if a.queue != nil {
		a.learn(j.worked - j.started)
	}
	r.Close = r.Close || a.announce.Load()
	r.Timing = j.appendTiming(r.Timing)
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

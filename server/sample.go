package server

import (
	"strings"
	"time"

	"demo-server/work"
)

// An Outcome classifies how a request ended.
type Outcome uint8

// The outcomes. Each has its own counter.
const (
	OK                  Outcome = iota // worked, and the reply was written
	WriteFailed                        // worked, but the reply was not written completely
	Wasted                             // worked to the end although the client had disconnected
	DisconnectedQueued                 // the client disconnected before work started
	DisconnectedRunning                // the client disconnected while work ran
	QueueFull                          // refused, 503
	QueueTimeout                       // waited too long, 503
	Draining                           // the drain deadline passed, 503
	Injected                           // a requested or configured status or abort
	Failed                             // work failed or panicked, 5xx
	Preflight                          // a browser's question before a cross-origin request, 204
	BadRequest                         // the request was at fault, 4xx or 501, 505
)

// outcomeNames holds the metrics' labels.
var outcomeNames = [...]string{
	OK: "ok", WriteFailed: "write_failed", Wasted: "wasted", DisconnectedQueued: "disconnected_queued", DisconnectedRunning: "disconnected_running",
	QueueFull: "queue_full", QueueTimeout: "queue_timeout", Draining: "draining", Injected: "injected", Failed: "failed",
	Preflight: "preflight", BadRequest: "bad_request",
}

// NumOutcomes is one more than the largest Outcome, for arrays by outcome.
const NumOutcomes = len(outcomeNames)

// Outcomes returns every Outcome in ascending order.
func Outcomes() (all []Outcome) {
	for outcome := range outcomeNames {
		all = append(all, Outcome(outcome))
	}
	return all
}

// String returns the metrics' label.
func (o Outcome) String() string { return outcomeNames[o] }

// Refused reports whether the server itself turned the request away.
func (o Outcome) Refused() bool { return o == QueueFull || o == QueueTimeout || o == Draining }

// A Sample describes one finished request to observers. It is valid only during Observe.
type Sample struct {
	Mode         string
	Method, Path string
	Query        string // the raw query; "" unless Config.Describe is set
	Client       string // the client's address; "" unless Config.Describe is set
	Status       int
	Outcome      Outcome
	Admitted     bool          // the request reached admission, and Queued is valid
	Started      bool          // work started, and Worked is valid
	Backlog      time.Duration // in the kernel's accept queue; negative if unknown
	Queued       time.Duration // from admission to the start of work, or to the end of waiting
	Worked       time.Duration // from the start to the end of work
	Written      time.Duration // from the end of work to the last byte of the reply
	Panic        *Panic        // nil if work did not panic
	Err          error         // the error of work that failed without a panic, or nil
	Failure      *work.Failure // the same, if a dependency failed
}

// An Observer receives each finished request, on the goroutine that finished it. It must be quick, and safe for
// concurrent use.
type Observer interface {
	Observe(*Sample)
}

func (j *Job) sampleAt(r *Reply, finished time.Duration) Sample {
	s := Sample{
		Mode: j.app.config.Mode, Method: j.Method, Path: j.Target, Status: r.Status, Outcome: r.outcome,
		Admitted: r.outcome != BadRequest && r.outcome != Preflight, Started: j.ran, Backlog: j.Backlog, Panic: j.panic,
	}
	if s.Outcome == Failed && j.panic == nil {
		s.Err = j.err
		s.Failure, _ = j.err.(*work.Failure)
	}
	if j.app.config.Describe {
		s.Path, s.Query, _ = strings.Cut(j.Target, "?")
		if j.Owner != nil {
			s.Client = j.Owner.ClientAddr()
		}
	}
	s.Queued = j.queued()
	if j.ran {
		s.Worked, s.Written = j.worked-j.started, finished-j.worked
	}
	return s
}

// queued returns how long the job waited for a place, even if it got none.
func (j *Job) queued() time.Duration {
	if !j.ran {
		return j.worked - j.arrived
	}
	return j.started - j.arrived
}

func outcomeOf(j *Job) Outcome {
	if j.err == nil {
		if j.flags.Load()&disconnected != 0 && !j.instant() {
			return Wasted
		}
		return OK
	}
	row := statusOf(j.err)
	if row.outcome == DisconnectedQueued && j.ran {
		return DisconnectedRunning
	}
	return row.outcome
}

package server

import (
	"strings"
	"time"

	"demo-server/work"
)

// An Outcome is what became of a request.
type Outcome uint8

// The outcomes, each of which is counted apart.
const (
	OK           Outcome = iota // worked and written
	Unwritten                   // worked, but the reply did not go out whole
	Wasted                      // worked to the end for a client that had left (on-leave=finish)
	LeftQueued                  // the client left before work started
	LeftRunning                 // the client left while work ran
	QueueFull                   // refused, 503
	QueueTimeout                // waited too long, 503
	Draining                    // the drain deadline passed, 503
	Injected                    // a status or an abort that was asked for, by the request or by a setting
	Failed                      // work failed or panicked, 5xx
	Preflight                   // a browser's question before a request of another origin, 204
	BadRequest                  // the request was at fault, 4xx or 501, 505
)

// outcomeNames are the metrics' labels.
var outcomeNames = [...]string{
	OK: "ok", Unwritten: "unwritten", Wasted: "wasted", LeftQueued: "left_queued", LeftRunning: "left_running",
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

// Refused reports whether the server turned the request away, and not its client or its work.
func (o Outcome) Refused() bool { return o == QueueFull || o == QueueTimeout || o == Draining }

// A Sample is what observers learn of one finished request. It is valid only during Observe.
type Sample struct {
	Mode         string
	Method, Path string
	Query        string // as it was sent; empty unless Config.Describe is set
	Client       string // the client's address; empty unless Config.Describe is set
	Status       int
	Outcome      Outcome
	Admitted     bool          // reached admission: Queued is meant
	Started      bool          // work started: Worked is meant
	Backlog      time.Duration // in the kernel's accept queue; negative where that cannot be known
	Queued       time.Duration // from admission to the start of work, or to the end of waiting for it
	Worked       time.Duration // from the start to the end of work
	Written      time.Duration // from the end of work to the last byte of the reply
	Panic        *Panic        // nil for no panic
	Err          error         // why the work failed otherwise, nil where it did not
	Failure      *work.Failure // the same, where it is of what the work depends on
}

// An Observer is told of each request that finished, on the goroutine that finished it: it must be quick, and safe to
// call from many goroutines.
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

// queued is how long the job waited for a place, whether it got one or not.
func (j *Job) queued() time.Duration {
	if !j.ran {
		return j.worked - j.arrived
	}
	return j.started - j.arrived
}

func outcomeOf(j *Job) Outcome {
	if j.err == nil {
		if j.said.Load()&clientLeft != 0 && !j.instant() {
			return Wasted
		}
		return OK
	}
	row := statusOf(j.err)
	if row.outcome == LeftQueued && j.ran {
		return LeftRunning
	}
	return row.outcome
}

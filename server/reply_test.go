package server

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"demo-server/server/admission"
	"demo-server/work"
)

// TestStatuses holds the contract of the one table from error to reply.
func TestStatuses(t *testing.T) {
	type row struct {
		Code          int
		Outcome       Outcome
		Closes, Retry bool
	}
	want := map[error]row{
		ErrQueueFull:        {503, QueueFull, false, true},
		ErrQueueTimeout:     {503, QueueTimeout, false, true},
		ErrDraining:         {503, Draining, true, false},
		ErrDisconnected:     {499, DisconnectedQueued, true, false},
		ErrPanic:            {500, Failed, false, false},
		ErrWork:             {500, Failed, false, false},
		ErrBadRequest:       {400, BadRequest, true, false},
		ErrNoHost:           {400, BadRequest, true, false},
		ErrNotFound:         {404, BadRequest, false, false},
		ErrMethodNotAllowed: {405, BadRequest, false, false},
		ErrTimeout:          {408, BadRequest, true, false},
		ErrBodyTooLarge:     {413, BadRequest, true, false},
		ErrExpectation:      {417, BadRequest, true, false},
		ErrHeaderTooLarge:   {431, BadRequest, true, false},
		ErrCoding:           {501, BadRequest, true, false},
		ErrVersion:          {505, BadRequest, true, false},
		ErrPreflight:        {204, Preflight, false, false},
	}
	got := map[error]row{}
	for _, s := range append(slices.Clone(statusTable), failed) {
		if _, twice := got[s.err]; twice {
			t.Errorf("%v has two rows", s.err)
		}
		got[s.err] = row{s.code, s.outcome, s.closes, s.retry}
		if s.code == 204 {
			continue // has no body
		}
		if bytes.Count(s.body, []byte("\n")) != 1 || !bytes.HasSuffix(s.body, []byte("\n")) || len(s.body) < 5 {
			t.Errorf("%v: body %q, want one plain line", s.err, s.body)
		}
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
		t.Errorf("the status table (-want +got):\n%s", diff)
	}
	if statusOf(errors.New("what work may return")) != &failed {
		t.Error("an unknown error is not the work's fault")
	}
	for _, cause := range work.Causes {
		want := map[work.Cause]int{work.Refused: 502, work.Broken: 502, work.TimedOut: 504}[cause]
		if row := statusOf(&work.Failure{Cause: cause}); row.code != want || row.outcome != Failed || row.closes {
			t.Errorf("%s is answered %+v, want %d", cause, row, want)
		}
	}
}

// TestOutcomes checks that every outcome is listed, and comes from a row or from a reply of this test.
func TestOutcomes(t *testing.T) {
	possible := []Outcome{OK, Injected, WriteFailed, Wasted, DisconnectedRunning, failed.outcome}
	for _, s := range statusTable {
		possible = append(possible, s.outcome)
	}
	slices.Sort(possible)
	listed := Outcomes()
	if diff := cmp.Diff(slices.Compact(possible), listed); diff != "" {
		t.Errorf("Outcomes (-possible +listed):\n%s", diff)
	}
	for _, o := range Outcomes() {
		if o.String() == "" {
			t.Errorf("outcome %d has no name", o)
		}
		if want := slices.Contains([]Outcome{QueueFull, QueueTimeout, Draining}, o); o.Refused() != want {
			t.Errorf("%s: refused is %v, want %v", o, o.Refused(), want)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, row := range []struct {
		method, path string
		err          error
		allow        string
	}{
		{"GET", "/", nil, "GET, HEAD"},
		{"HEAD", "/", nil, "GET, HEAD"},
		{"POST", "/", ErrMethodNotAllowed, "GET, HEAD"},
		{"get", "/", ErrMethodNotAllowed, "GET, HEAD"},
		{"", "/", ErrMethodNotAllowed, "GET, HEAD"},
		{"GET", "/nowhere", ErrNotFound, ""},
		{"POST", "/nowhere", ErrNotFound, ""},
		{"GET", "//", ErrNotFound, ""},
		{"GET", "", ErrNotFound, ""},
		{"OPTIONS", "*", ErrNotFound, ""},
		{"GET", "/delay/2", nil, "GET, HEAD, POST, PUT, PATCH, DELETE"},
		{"GET", "/status/200:9,503", nil, "GET, HEAD, POST, PUT, PATCH, DELETE"},
		{"HEAD", "/bytes/10", nil, "GET, HEAD"},
		{"GET", "/drip", nil, "GET, HEAD"},
		{"POST", "/delay/2", nil, "GET, HEAD, POST, PUT, PATCH, DELETE"},
		{"TRACE", "/status/200", ErrMethodNotAllowed, "GET, HEAD, POST, PUT, PATCH, DELETE"},
		{"POST", "/bytes/10", ErrMethodNotAllowed, "GET, HEAD"},
		{"GET", "/delay/", ErrNotFound, ""},
		{"GET", "/delay/2/", nil, "GET, HEAD, POST, PUT, PATCH, DELETE"},
		{"POST", "/drip/", ErrMethodNotAllowed, "GET, HEAD"},
		{"GET", "/delay//", ErrNotFound, ""},
		{"GET", "/delay/2//", ErrNotFound, ""},
		{"GET", "/drip/2", ErrNotFound, ""},
	} {
		route, err := lookup(Routes, row.method, row.path)
		if err != row.err || (route == nil) != (err != nil) {
			t.Errorf("%s %q: %v, %v, want %v", row.method, row.path, route, err, row.err)
		}
		if got := allowed(row.path); got != row.allow {
			t.Errorf("allowed(%q) is %q, want %q", row.path, got, row.allow)
		}
	}
}

func TestServerTiming(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		backlog, queued, worked time.Duration
		ran                     bool
		want                    string
	}{
		{-1, 0, 2000 * ms, true, "queue;dur=0, work;dur=2000"},
		{0, 0, 2000 * ms, true, "backlog;dur=0, queue;dur=0, work;dur=2000"},
		{1990 * ms, 0, 10 * ms, true, "backlog;dur=1990, queue;dur=0, work;dur=10"},
		{-1, 1500 * time.Microsecond, 2001*ms + 42*time.Microsecond, true, "queue;dur=1.500, work;dur=2001.042"},
		{0, time.Minute, 0, false, "backlog;dur=0, queue;dur=60000, work;dur=0"},
		{0, 0, 999 * time.Nanosecond, true, "backlog;dur=0, queue;dur=0, work;dur=0"},
	} {
		j := &Job{Backlog: row.backlog, arrived: time.Hour, ran: row.ran}
		j.started = j.arrived + row.queued
		j.worked = j.started + row.worked
		if got := string(j.appendTiming(nil)); got != row.want {
			t.Errorf("%+v: %q, want %q", row, got, row.want)
		}
	}
}

// TestAppendMillis compares with strconv, which takes five times as long.
func TestAppendMillis(t *testing.T) {
	for d := time.Duration(1); d < 1000*time.Hour; d = d*3/2 + 7 {
		micros := d.Truncate(time.Microsecond)
		got, err := strconv.ParseFloat(string(appendMillis(nil, d)), 64)
		want, _ := strconv.ParseFloat(fmt.Sprintf("%.3f", float64(micros)/float64(time.Millisecond)), 64)
		if err != nil || got != want {
			t.Fatalf("%v is %s, want %v", d, appendMillis(nil, d), want)
		}
	}
}

// TestRetryAfter checks the estimate for the present backlog and one more request.
func TestRetryAfter(t *testing.T) {
	for _, row := range []struct {
		places, waiting int
		service         time.Duration
		want            int
	}{
		{1, 0, 2 * time.Second, 2},
		{1, 2, 2 * time.Second, 6},
		{4, 3, 2 * time.Second, 2},
		{4, 4, 2 * time.Second, 4},
		{100, 1024, 2 * time.Second, 22},
		{1, 0, 0, 1},
		{1, 9, 10 * time.Millisecond, 1},
		{1, 10, 100 * time.Millisecond, 2},
	} {
		a := New(Config{Work: work.NewSleep(), Delay: row.service, Admission: &admission.Limits{Places: row.places, Length: row.waiting}})
		for range row.places + row.waiting {
			job := newJob(a)
			job.Begin("GET", "/", "", 0)
			a.Schedule(func(*Job) {})
			a.Admit(job.Job)
		}
		if got := a.retryAfter(a.queue); got != row.want || a.Queued() != row.waiting {
			t.Errorf("%+v: %d s with %d waiting, want %d", row, got, a.Queued(), row.want)
		}
		a.Close()
	}
	if got := New(Config{Work: work.NewSleep(), Delay: time.Hour}).retryAfter(nil); got != 1 {
		t.Errorf("%d s without a queue, want 1", got)
	}
}

// TestLearn checks that the estimate follows the time that work takes.
func TestLearn(t *testing.T) {
	a := New(Config{Work: work.NewSleep(), Admission: &admission.Limits{Places: 1}})
	defer a.Close()
	for range 60 {
		a.observeServiceTime(10 * time.Second)
	}
	if got := a.retryAfter(a.queue); got != 10 {
		t.Errorf("after much work of 10s: %d s, want 10", got)
	}
}

// TestReply checks the parts of a reply that do not come from the table.
func TestReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(Config{Mode: "test", Work: work.NewSleep(), Body: []byte("Hello World")})
		reply := func(method, path string, err error) Reply {
			job := newJob(a)
			job.Begin(method, path, "", -1)
			job.End(err)
			r := *job.Reply()
			job.Finish(true)
			r.Timing = nil
			return r
		}
		for _, row := range []struct {
			method, path string
			err          error
			want         Reply
		}{
			{"GET", "/", nil, Reply{Status: 200, Body: []byte("Hello World")}},
			{"POST", "/", ErrMethodNotAllowed, Reply{Status: 405, Body: statusOf(ErrMethodNotAllowed).body, Allow: "GET, HEAD"}},
			{"GET", "/", ErrQueueFull, Reply{Status: 503, Body: statusOf(ErrQueueFull).body, RetryAfter: "1"}},
			{"GET", "/", ErrDraining, Reply{Status: 503, Body: statusOf(ErrDraining).body, Close: true}},
		} {
			if diff := cmp.Diff(row.want, reply(row.method, row.path, row.err), cmpopts.IgnoreUnexported(Reply{})); diff != "" {
				t.Errorf("%v (-want +got):\n%s", row.err, diff)
			}
		}
		a.AnnounceClose()
		if !reply("GET", "/", nil).Close || !a.Closing() {
			t.Error("an announced end is not in the reply")
		}
		if a.ServerName() != "demo-server (test)" {
			t.Errorf("Server: %s", a.ServerName())
		}
	})
}

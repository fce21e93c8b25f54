package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"demo-server/server/admission"
	"demo-server/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A request is a job with its transport's reply.
type request struct {
	*Job
	reply Reply
}

func newJob(a *App) *request {
	j := &Job{}
	j.Init(a)
	return &request{Job: j}
}

func (r *request) Reply() *Reply {
	r.Job.Reply(&r.reply)
	return &r.reply
}

func (r *request) Finish(written bool) { r.Job.Finish(&r.reply, written) }

// observed keeps the last sample of all jobs except bystanders.
type observed struct {
	Sample
	n int
}

func (o *observed) Observe(s *Sample) {
	if s.Path != bystander {
		o.Sample, o.n = *s, o.n+1
	}
}

// bystander is the path of jobs that only occupy a place.
const bystander = "/bystander"

// doing is work of any kind.
type doing struct {
	do func(context.Context) error
}

func (d doing) Do(ctx context.Context, _ time.Duration) error { return d.do(ctx) }
func (doing) Holds() work.Resource                            { return "test" }

// TestJob checks the sample of a job that nothing disturbs, and that its place is free afterwards.
func TestJob(t *testing.T) {
	boom := errors.New("boom")
	refused := &work.Failure{Cause: work.Refused, Err: boom}
	for _, row := range []struct {
		name string
		do   func(context.Context) error
		want Sample
	}{
		{"works", func(context.Context) error { time.Sleep(2 * time.Second); return nil }, Sample{Status: 200, Outcome: OK, Worked: 2 * time.Second}},
		{"fails", func(context.Context) error { return boom }, Sample{Status: 500, Outcome: Failed, Err: boom}},
		{"panics", func(context.Context) error { panic(boom) }, Sample{Status: 500, Outcome: Failed, Panic: &Panic{Value: boom}}},
		{"misses what it depends on", func(context.Context) error { return refused }, Sample{Status: 502, Outcome: Failed, Err: refused, Failure: refused}},
		{"gives up by itself", func(context.Context) error { return context.Canceled }, Sample{Status: 500, Outcome: Failed, Err: context.Canceled}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := &observed{}
				a := New(Config{Mode: "test", Work: doing{row.do}, Observers: []Observer{seen}, Admission: &admission.Limits{Places: 1}})
				defer a.Close()
				j := newJob(a)
				for range 2 { // the second time it is the connection's next request
					time.Sleep(time.Second)
					j.Begin("GET", "/", "", -1)
					a.Schedule((*Job).Run)
					a.Admit(j.Job)
					j.Wait()
					j.Reply()
					if a.InFlight() != 1 {
						t.Errorf("%d in flight while the reply is written, want 1", a.InFlight())
					}
					time.Sleep(time.Second)
					j.Finish(true)
					want := row.want
					want.Mode, want.Method, want.Path, want.Backlog = "test", "GET", "/", -1
					want.Admitted, want.Started, want.Written = true, true, time.Second
					if diff := cmp.Diff(want, seen.Sample, cmp.Comparer(sameError)); diff != "" {
						t.Errorf("sample (-want +got):\n%s", diff)
					}
					if a.InFlight() != 0 {
						t.Errorf("%d in flight afterwards", a.InFlight())
					}
				}
				if seen.n != 2 {
					t.Errorf("%d samples, want one for each request", seen.n)
				}
			})
		})
	}
}

// sameError compares panics by their value, and other errors by identity.
func sameError(a, b error) bool {
	if a, ok := a.(*Panic); ok {
		b, _ := b.(*Panic)
		return (a == nil) == (b == nil) && (a == nil || a.Value == b.Value)
	}
	return a == b
}

// TestJobCancelled checks a job whose client disconnects, or that meets the drain deadline, at each point of its life.
// The job works for 2 s, starting at 0 s or at 1 s.
func TestJobCancelled(t *testing.T) {
	const s = time.Second
	leave, abort := (*Job).Disconnect, (*Job).Abort
	both := func(j *Job) { j.Disconnect(); j.Disconnect(); j.Abort(); j.Abort() }
	for _, row := range []struct {
		name    string
		finish  bool // FinishOnDisconnect
		cancel  func(*Job)
		at      time.Duration // negative: before it is admitted
		queued  bool          // waits for its place until 1 s
		want    Outcome
		started bool
		ends    time.Duration
	}{
		{"leaves before", false, leave, -1, false, DisconnectedQueued, false, 0},
		{"leaves while queued", false, leave, s / 2, true, DisconnectedQueued, false, s / 2},
		{"leaves while it runs", false, leave, s, false, DisconnectedRunning, true, s},
		{"leaves while it runs after queueing", false, leave, 2 * s, true, DisconnectedRunning, true, 2 * s},
		{"leaves after", false, leave, 5 * s, false, OK, true, 2 * s},
		{"finish: leaves before", true, leave, -1, false, Wasted, true, 2 * s},
		{"finish: leaves while queued", true, leave, s / 2, true, Wasted, true, 3 * s},
		{"finish: leaves while it runs", true, leave, s, false, Wasted, true, 2 * s},
		{"finish: leaves, and then the deadline", true, both, s, false, Draining, true, s},
		{"deadline before", false, abort, -1, false, Draining, false, 0},
		{"deadline while queued", false, abort, s / 2, true, Draining, false, s / 2},
		{"deadline while it runs", false, abort, s, false, Draining, true, s},
		{"deadline after", false, abort, 5 * s, false, OK, true, 2 * s},
		{"the first cause counts", false, both, s, false, DisconnectedRunning, true, s},
		{"nothing", false, nil, 0, true, OK, true, 3 * s},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := &observed{}
				a := New(Config{
					Work: work.NewSleep(), Delay: 2 * s, FinishOnDisconnect: row.finish, Observers: []Observer{seen},
					Admission: &admission.Limits{Places: 1, Length: 1, Timeout: time.Hour},
				})
				defer a.Close()
				if row.queued {
					holdPlace(a, s)
				}
				j := newJob(a)
				j.Begin("GET", "/", "", -1)
				switch {
				case row.at < 0:
					row.cancel(j.Job)
				case row.cancel != nil:
					time.AfterFunc(row.at, func() { row.cancel(j.Job) })
				}
				before := time.Now()
				a.Schedule(func(j *Job) { go j.Run() })
				a.Admit(j.Job)
				j.Wait()
				if took := time.Since(before); took != row.ends {
					t.Errorf("ended after %v, want %v", took, row.ends)
				}
				j.Reply()
				j.Finish(true)
				if seen.Outcome != row.want || seen.Started != row.started {
					t.Errorf("%s, started %v; want %s, %v", seen.Outcome, seen.Started, row.want, row.started)
				}
				time.Sleep(time.Minute)
				if a.InFlight() != 0 || a.Queued() != 0 {
					t.Errorf("%d in flight, %d queued afterwards", a.InFlight(), a.Queued())
				}
			})
		})
	}
}

// holdPlace takes a's only place for d.
func holdPlace(a *App, d time.Duration) {
	j := newJob(a)
	j.Begin("GET", bystander, "", -1)
	a.Schedule(func(*Job) {})
	a.Admit(j.Job)
	time.AfterFunc(d, func() {
		j.End(nil)
		j.Reply()
		j.Finish(true)
	})
}

// TestCancelledForGood checks that a cancellation applies to the connection's later jobs too.
func TestCancelledForGood(t *testing.T) {
	a := New(Config{Delay: time.Second, Work: doing{func(context.Context) error { panic("started") }}})
	j := newJob(a)
	j.Disconnect()
	for range 2 {
		j.Begin("GET", "/", "", -1)
		a.Schedule((*Job).Run)
		a.Admit(j.Job)
		j.Wait()
		if got := j.Reply().Status; got != 499 {
			t.Errorf("status %d, want 499", got)
		}
		j.Finish(false)
	}
	if j.Err() != context.Canceled {
		t.Errorf("Err is %v", j.Err())
	}
	if _, ok := j.Deadline(); ok {
		t.Error("has a deadline")
	}
	<-j.Done()
}

// TestInstant checks that a request with nothing to wait for is answered even if its client has disconnected, unless
// its reply drips.
func TestInstant(t *testing.T) {
	for _, row := range []struct {
		query string
		want  Outcome
	}{
		{"delay=0s", OK}, {"delay=0s&status=503", Injected}, {"delay=1ns", DisconnectedQueued}, {"delay=0s&drip=2", DisconnectedQueued}, {"", DisconnectedQueued},
	} {
		seen := &observed{}
		a := New(Config{
			Work: work.NewSleep(), Delay: time.Hour, Body: []byte("hello"), Faults: Faults{Overrides: true, Caps: caps}, Observers: []Observer{seen},
		})
		j := newJob(a)
		j.Disconnect()
		for range 2 { // the second time it is the connection's next request
			j.Begin("GET", "/", row.query, 0)
			a.Schedule((*Job).Run)
			a.Admit(j.Job)
			j.Wait()
			j.Reply()
			j.Finish(true)
			if seen.Outcome != row.want {
				t.Errorf("%q: %s, want %s", row.query, seen.Outcome, row.want)
			}
		}
		a.Close()
	}
}

// TestReusable checks that a job is not reused if another goroutine may have seen it cancelled.
func TestReusable(t *testing.T) {
	leave, ask := (*Job).Disconnect, func(j *Job) { j.Done() }
	for _, row := range []struct {
		name  string
		steps []func(*Job)
		want  bool
	}{
		{"nothing happened", nil, true},
		{"asked", []func(*Job){ask}, true},
		{"cancelled", []func(*Job){leave}, true},
		{"asked, then cancelled", []func(*Job){ask, leave}, false},
		{"cancelled, then asked", []func(*Job){leave, ask}, false},
		{"asked before and after", []func(*Job){ask, leave, ask}, false},
		{"cancelled twice", []func(*Job){leave, (*Job).Abort, ask, leave}, false},
	} {
		j := newJob(New(Config{Work: work.NewSleep(), Delay: time.Second}))
		j.Begin("GET", "/", "", 0)
		for _, step := range row.steps {
			step(j.Job)
		}
		if got := j.Reusable(); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
		select {
		case <-j.Done():
			if j.Err() == nil {
				t.Errorf("%s: done without an error", row.name)
			}
		default:
			if j.Err() != nil {
				t.Errorf("%s: %v, but not done", row.name, j.Err())
			}
		}
	}
}

// TestRefuse checks that a faulty request is answered if its client has stopped sending, but not after the drain
// deadline.
func TestRefuse(t *testing.T) {
	for _, row := range []struct {
		name   string
		before func(*Job)
		want   int
	}{
		{"at once", func(*Job) {}, 404},
		{"client left", (*Job).Disconnect, 404},
		{"drain deadline", (*Job).Abort, 503},
	} {
		seen := &observed{}
		j := newJob(New(Config{Work: work.NewSleep(), Observers: []Observer{seen}}))
		j.Begin("GET", "/nowhere", "", -1)
		row.before(j.Job)
		j.Refuse(ErrNotFound)
		j.Wait()
		if got := j.Reply().Status; got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
		j.Finish(true)
		if seen.Started || seen.Admitted != (row.want == 503) {
			t.Errorf("%s: started %v, admitted %v", row.name, seen.Started, seen.Admitted)
		}
	}
}

// TestUnwritten checks that an OK reply that cannot be written counts as WriteFailed, and that other outcomes stay.
func TestUnwritten(t *testing.T) {
	for err, want := range map[error]Outcome{nil: WriteFailed, ErrPanic: Failed, ErrQueueFull: QueueFull} {
		seen := &observed{}
		j := newJob(New(Config{Work: work.NewSleep(), Observers: []Observer{seen}}))
		j.Begin("GET", "/", "", -1)
		j.End(err)
		j.Reply()
		j.Finish(false)
		if seen.Outcome != want {
			t.Errorf("%v: %s, want %s", err, seen.Outcome, want)
		}
	}
}

func TestExpire(t *testing.T) {
	a := New(Config{Work: work.NewSleep()})
	select {
	case <-a.DrainExpired():
		t.Fatal("expired from the start")
	default:
	}
	a.ExpireDrain()
	a.ExpireDrain()
	<-a.DrainExpired()
	j := newJob(a)
	j.Begin("GET", "/", "", -1)
	a.Schedule(func(*Job) { t.Error("scheduled") })
	a.Admit(j.Job)
	j.Wait()
	if r := j.Reply(); r.Status != 503 || !r.Close {
		t.Errorf("reply %+v, want 503 and close", r)
	}
	j.Finish(true)
}

// TestJobRaces lets clients disconnect, deadlines pass and places become free while jobs are queued, started and ended.
// It is for the race detector, and checks the counts at the end.
func TestJobRaces(t *testing.T) {
	for _, finish := range []bool{false, true} {
		t.Run(fmt.Sprintf("finish=%v", finish), func(t *testing.T) {
			count := &counter{}
			a := New(Config{
				Work: work.NewSleep(), Delay: 20 * time.Microsecond, FinishOnDisconnect: finish, Observers: []Observer{count},
				Admission: &admission.Limits{Places: 2, Length: 6, Timeout: 100 * time.Microsecond},
			})
			defer a.Close()
			a.Schedule(func(j *Job) { go j.Run() })
			const clients, connections, requests = 8, 40, 4
			var wait sync.WaitGroup
			for range clients {
				wait.Go(func() {
					for i := range connections {
						connection(a, i, requests)
					}
				})
			}
			wait.Wait()
			if n := count.Load(); n != clients*connections*requests || a.InFlight() != 0 || a.Queued() != 0 {
				t.Errorf("%d samples, %d in flight, %d queued; want %d, 0, 0", n, a.InFlight(), a.Queued(), clients*connections*requests)
			}
		})
	}
}

type counter struct{ atomic.Int64 }

func (c *counter) Observe(*Sample) { c.Add(1) }

// connection makes requests one after the other, and is cancelled at about the i-th moment.
func connection(a *App, i, requests int) {
	j := newJob(a)
	var cancel sync.WaitGroup
	cancel.Go(func() {
		time.Sleep(time.Duration(i) * 5 * time.Microsecond)
		if i%2 == 0 {
			j.Disconnect()
		}
		if i%3 == 0 {
			j.Abort()
		}
	})
	for range requests {
		j.Begin("GET", "/", "", -1)
		a.Admit(j.Job)
		j.Wait()
		j.Reply()
		j.Finish(true)
	}
	cancel.Wait()
}

// TestJobTrace checks that a request is a task while a trace is on, and that its regions end with the work and with the
// reply, on whichever goroutine the work runs.
func TestJobTrace(t *testing.T) {
	if err := trace.Start(io.Discard); err != nil {
		t.Skip("a trace is on already: ", err)
	}
	defer trace.Stop()
	for name, schedule := range map[string]func(*Job){"here": (*Job).Run, "elsewhere": func(j *Job) { go j.Run() }} {
		var inWork *trace.Region
		var j *request
		a := New(Config{Work: doing{func(ctx context.Context) error {
			inWork = j.traced.region
			trace.WithRegion(ctx, "part", func() {}) // a job is the context of its task
			return nil
		}}})
		j = newJob(a)
		j.Begin("GET", "/", "", -1)
		if j.traced == nil || j.traced.region != nil {
			t.Errorf("%s: task %v, region %v at first", name, j.traced, j.traced.region)
		}
		a.Schedule(schedule)
		a.Admit(j.Job)
		j.Wait()
		if inWork == nil || j.traced.region != nil {
			t.Errorf("%s: region %v in work, %v after it", name, inWork, j.traced.region)
		}
		j.Reply()
		if j.traced.region == nil {
			t.Errorf("%s: no region while the reply is written", name)
		}
		j.Finish(true)
		if j.traced != nil {
			t.Errorf("%s: %v at last", name, j.traced)
		}
	}
}

// TestJobDetached checks that a detached job has a task in place of its region, because regions of a goroutine have to
// nest.
func TestJobDetached(t *testing.T) {
	if err := trace.Start(io.Discard); err != nil {
		t.Skip("a trace is on already: ", err)
	}
	defer trace.Stop()
	a := New(Config{Work: work.NewSleep()})
	j := newJob(a)
	j.Begin("GET", "/", "", -1)
	a.Schedule(func(j *Job) { j.Start() })
	a.Admit(j.Job)
	if j.traced.region == nil || j.traced.detached != nil {
		t.Errorf("region %v and task %v in work", j.traced.region, j.traced.detached)
	}
	j.Detach()
	if j.traced.region != nil || j.traced.detached == nil {
		t.Errorf("region %v and task %v, detached", j.traced.region, j.traced.detached)
	}
	j.End(nil)
	if j.traced.detached != nil {
		t.Error("the task goes on after the job")
	}
	j.Reply()
	j.Finish(true)
}

// TestNotifyEnd checks that the goroutine that ends the job calls the App's function, unless the job had already ended.
func TestNotifyEnd(t *testing.T) {
	for _, early := range []bool{false, true} {
		a := New(Config{Work: work.NewSleep()})
		a.Schedule(func(j *Job) {
			if early {
				j.Run()
			}
		})
		calls := 0
		a.OnJobEnd(func(*Job) { calls++ })
		j := newJob(a)
		j.Begin("GET", "/", "", -1)
		a.Admit(j.Job)
		if j.NotifyEnd() == early {
			t.Errorf("ended early %v, and NotifyEnd says otherwise", early)
		}
		if !early {
			j.Run()
		}
		if want := map[bool]int{false: 1, true: 0}[early]; calls != want {
			t.Errorf("ended early %v: %d calls, want %d", early, calls, want)
		}
		j.Reply()
		j.Finish(true)
	}
}

// TestJobSize checks the size, because an event loop keeps a job for each connection.
func TestJobSize(t *testing.T) {
	if size := unsafe.Sizeof(Job{}); size > 176 {
		t.Errorf("%d bytes, want at most 176", size)
	}
}

// TestJobAllocatesNothing checks that a connection's later requests allocate nothing.
func TestJobAllocatesNothing(t *testing.T) {
	a := New(Config{Work: work.NewSleep(), Observers: []Observer{&observed{}}, Admission: &admission.Limits{Places: 1}})
	defer a.Close()
	j := newJob(a)
	again := func() {
		j.Begin("GET", "/", "", 0)
		a.Schedule((*Job).Run)
		a.Admit(j.Job)
		j.Wait()
		j.Reply()
		j.Finish(true)
	}
	again()
	if n := testing.AllocsPerRun(100, again); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

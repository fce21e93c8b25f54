package prefork_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"demo-server/internal/testkit"
	"demo-server/server/listener"
	"demo-server/server/prefork"
)

// TestMain is also the worker: the supervisors of these tests start this binary.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{"worker"}) {
		os.Exit(work())
	}
	prefork.SetEndGrace(time.Second)
	goleak.VerifyTestMain(m)
}

// A brief configures a worker of these tests.
type brief struct {
	Name   string
	Fails  string // why it cannot start
	Exits  bool   // before it is ready
	Mute   bool   // never reports that it is ready
	Dies   bool   // once it is ready
	Stuck  bool   // does not drain
	Deaf   bool   // does not answer the supervisor
	Burns  bool   // CPU time
	Stays  bool   // does not exit
	Babble string // sent as its report
}

// work accepts connections and writes its name on each, until it is told to drain.
func work() int {
	in, err := prefork.Inherit()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	var b brief
	json.Unmarshal(in.WorkerConfig, &b)
	switch {
	case b.Babble != "":
		os.NewFile(prefork.ReportsFile, "reports").WriteString(b.Babble)
		select {}
	case b.Fails != "":
		in.Failed(errors.New(b.Fails))
		if b.Stays {
			select {}
		}
		return 1
	case b.Exits:
		return 4
	case b.Mute:
		select {}
	}
	go greet(in.Listener, b.Name)
	if !b.Deaf {
		go answerAdmin(in.Admin)
	}
	if b.Burns {
		go burn()
	}
	in.Ready()
	if b.Dies {
		return 5
	}
	order := in.Order()
	if b.Stuck {
		select {}
	}
	if order == prefork.Stop {
		emptyQueue(in.Listener)
	}
	in.Listener.Close()
	in.Drained()
	if b.Stays {
		select {}
	}
	return 0
}

// burned makes burn compute something.
var burned atomic.Uint64

// burn uses CPU time for ever.
func burn() {
	for {
		burned.Add(1)
	}
}

// emptyQueue waits until the accept queue is empty.
func emptyQueue(socket net.Listener) {
	for source := listener.NewSource(socket); ; time.Sleep(time.Millisecond) {
		if queue, _ := source.AcceptQueue(); queue.Depth == 0 {
			return
		}
	}
}

func greet(socket net.Listener, name string) {
	for {
		conn, err := socket.Accept()
		if err != nil {
			return
		}
		fmt.Fprintf(conn, "%s %d", name, os.Getpid())
		conn.Close()
	}
}

// A service is a running supervisor.
type service struct {
	*prefork.Supervisor
	source *listener.Source
	stop   context.CancelFunc
	ended  chan error

	mu     sync.Mutex
	events []prefork.Event
}

func planned(processes int, b brief) prefork.Plan {
	return prefork.Plan{Processes: processes, WorkerConfig: b, StartTimeout: testkit.Patience, DrainTimeout: testkit.Patience}
}

// run runs a supervisor, and waits until it is ready or has ended.
func run(t *testing.T, plan prefork.Plan, change ...func(*prefork.Config)) *service {
	t.Helper()
	source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	s := &service{source: source, ended: make(chan error, 1)}
	config := prefork.Config{
		Source: source, Command: workerCommand, MaxWorkers: 4, Observe: s.observe,
	}
	for _, change := range change {
		change(&config)
	}
	if s.Supervisor, err = prefork.New(config, plan); err != nil {
		t.Fatal(err)
	}
	stop, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	ready, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		s.ended <- s.Run(stop, func() { close(ready) })
	}()
	t.Cleanup(func() {
		s.Kill()
		cancel()
		<-over
	})
	select {
	case <-ready:
	case <-over:
	}
	return s
}

func workerCommand() *exec.Cmd {
	command := exec.Command("/proc/self/exe", "worker")
	command.Stderr = os.Stderr
	return command
}

func (s *service) observe(e prefork.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// happened returns the events of a type.
func (s *service) happened(kind prefork.EventType) (found []prefork.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Type == kind {
			found = append(found, e)
		}
	}
	return found
}

// pids returns the PIDs of the ready workers.
func (s *service) pids() (pids []int) {
	for _, w := range s.Workers() {
		if w.State == prefork.Ready {
			pids = append(pids, w.PID)
		}
	}
	return pids
}

// alone reports whether there are n workers, all ready.
func (s *service) alone(n int) bool { return len(s.pids()) == n && len(s.Workers()) == n }

// ask connects once, and returns the name of the worker that answers.
func (s *service) ask(t *testing.T) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.source.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(testkit.Patience))
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(string(text), " ")
	return name
}

func (s *service) wantEnd(t *testing.T, want string) {
	t.Helper()
	got := ""
	if err := <-s.ended; err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("Run returned %q, want %q", got, want)
	}
}

// hasExited reports whether the process has exited.
func hasExited(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// TestServe starts workers, connects to them, and stops them.
func TestServe(t *testing.T) {
	s := run(t, planned(3, brief{Name: "one"}))
	pids := s.pids()
	if ready, reason := s.Ready(); !ready || len(pids) != 3 {
		t.Errorf("ready %v, %s with %v", ready, reason, pids)
	}
	if got := s.ask(t); got != "one" {
		t.Errorf("%q answered", got)
	}
	s.stop()
	s.wantEnd(t, "")
	for _, pid := range pids {
		if !hasExited(pid) {
			t.Errorf("worker %d is still there", pid)
		}
	}
	for kind, want := range map[prefork.EventType]int{
		prefork.Started: 3, prefork.WorkerReady: 3, prefork.ReloadDone: 0, prefork.WorkerDrained: 3, prefork.Exited: 3, prefork.Crashed: 0,
	} {
		if got := len(s.happened(kind)); got != want {
			t.Errorf("event %d happened %d times, want %d", kind, got, want)
		}
	}
	if _, err := net.DialTimeout("tcp", s.source.Addr().String(), 50*time.Millisecond); err == nil {
		t.Error("connected to a service that stopped: nobody kept new connections out")
	}
}

// TestShared checks that a socket that outlives the service stays open to new connections.
func TestShared(t *testing.T) {
	s := run(t, planned(1, brief{}), func(c *prefork.Config) { c.SocketShared = true })
	s.stop()
	s.wantEnd(t, "")
	conn, err := net.Dial("tcp", s.source.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestCannotStart checks that a failed start reports the worker's own reason, and leaves no process.
func TestCannotStart(t *testing.T) {
	for _, row := range []struct {
		name     string
		brief    brief
		patience time.Duration
		change   func(*prefork.Config)
		want     string
	}{
		{"it says why", brief{Fails: "no luck"}, testkit.Patience, func(*prefork.Config) {}, "no luck"},
		{"it exits", brief{Exits: true}, testkit.Patience, func(*prefork.Config) {}, "exit status 4"},
		{"it says nothing", brief{Mute: true}, 50 * time.Millisecond, func(*prefork.Config) {}, "was not ready after 50ms"},
		{"it says why, and stays", brief{Fails: "no luck", Stays: true}, 500 * time.Millisecond, func(*prefork.Config) {}, "no luck"},
		{"it babbles", brief{Babble: "]"}, testkit.Patience, func(*prefork.Config) {}, "sent reports that make no sense"},
		{
			"it says one endless thing", brief{Babble: `{"says":"` + strings.Repeat("x", 1<<20)}, testkit.Patience,
			func(*prefork.Config) {}, "sent reports that make no sense",
		},
		{
			"it says things without end", brief{Babble: strings.Repeat("{}", 1<<20)}, testkit.Patience,
			func(*prefork.Config) {}, "sent reports that make no sense",
		},
		{
			"there is no such command", brief{}, testkit.Patience, func(c *prefork.Config) {
				c.Command = func() *exec.Cmd { return exec.Command("/nowhere/at/all") }
			}, "fork/exec /nowhere/at/all: no such file or directory",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			plan := planned(3, row.brief)
			plan.StartTimeout = row.patience
			s := run(t, plan, row.change)
			s.wantEnd(t, row.want)
			for _, e := range s.happened(prefork.Started) {
				if !hasExited(e.Worker.PID) {
					t.Errorf("worker %d is still there", e.Worker.PID)
				}
			}
		})
	}
}

// TestStopWhileStarting checks that workers that are not ready yet are drained too, and that one that never gets ready
// does not delay the stop.
func TestStopWhileStarting(t *testing.T) {
	for _, row := range []struct {
		name     string
		brief    brief
		patience time.Duration
		want     string
	}{
		{"in time", brief{}, testkit.Patience, ""},
		{"never", brief{Mute: true}, time.Second, "was not ready after 1s"},
		{
			"never, after a brief that fills the pipe", brief{Name: strings.Repeat("x", 1<<20), Mute: true}, time.Second,
			"was not ready after 1s",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			source, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			plan := planned(1, row.brief)
			plan.StartTimeout = row.patience
			s, err := prefork.New(prefork.Config{
				Source: source, Command: workerCommand, MaxWorkers: 4, Observe: func(prefork.Event) {},
			}, plan)
			if err != nil {
				t.Fatal(err)
			}
			stop, cancel := context.WithCancel(t.Context())
			cancel()
			err = s.Run(stop, func() {})
			if (err == nil) != (row.want == "") || err != nil && !strings.HasSuffix(err.Error(), row.want) {
				t.Errorf("Run returned %v, want %q", err, row.want)
			}
			if left := s.Workers(); len(left) != 0 {
				t.Errorf("%v are left", left)
			}
		})
	}
}

// TestReplaced checks that a worker that has served and is killed is replaced at once, even after many others.
func TestReplaced(t *testing.T) {
	prefork.SetSteady(t, 0)
	s := run(t, planned(2, brief{}))
	for n := 1; n <= 5; n++ {
		victim := s.pids()[0]
		syscall.Kill(victim, syscall.SIGKILL)
		testkit.Eventually(t, "another takes its place", func() bool { return s.alone(2) && !slices.Contains(s.pids(), victim) })
		died := s.happened(prefork.Crashed)
		if last := died[len(died)-1]; len(died) != n || last.Worker.PID != victim || last.Err.Error() != "signal: killed" || last.Pause != 0 {
			t.Errorf("got %+v, want one more death, without a pause", died)
		}
		testkit.Eventually(t, "it has settled again", func() bool { return len(s.happened(prefork.ReloadDone)) == n })
	}
}

// TestOthersStay checks that workers killed one after the other in one place do not affect others.
func TestOthersStay(t *testing.T) {
	s := run(t, planned(3, brief{}))
	others := s.pids()[:2]
	for len(s.happened(prefork.Crashed)) < 3 {
		for _, pid := range s.pids() {
			if !slices.Contains(others, pid) {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		time.Sleep(100 * time.Millisecond)
		if pids := s.pids(); len(pids) < 2 || !slices.Equal(pids[:2], others) {
			t.Fatalf("%v are ready, want %v", pids, others)
		}
	}
	testkit.Eventually(t, "all are ready again", func() bool { return s.alone(3) })
}

// TestPlacesApart checks that a place in which no worker can start does not delay another place.
func TestPlacesApart(t *testing.T) {
	prefork.SetSteady(t, 0)
	var fails atomic.Bool
	s := run(t, planned(2, brief{}), func(c *prefork.Config) {
		c.Command = func() *exec.Cmd {
			if fails.Load() {
				return exec.Command("/nowhere/at/all")
			}
			return workerCommand()
		}
	})
	pids := s.pids()
	fails.Store(true)
	syscall.Kill(pids[0], syscall.SIGKILL)
	testkit.Eventually(t, "three in its place fail", func() bool { return len(s.happened(prefork.Crashed)) >= 4 })
	fails.Store(false)
	syscall.Kill(pids[1], syscall.SIGKILL)
	testkit.Eventually(t, "both are replaced", func() bool { return s.alone(2) && !slices.Contains(s.pids(), pids[1]) })
	for _, e := range s.happened(prefork.Crashed) {
		if served := e.Worker.PID != 0; served != (e.Pause == 0) {
			t.Errorf("%+v: want a pause for what was not started, and for no other", e)
		}
	}
}

// TestPauses checks that workers that die as soon as they are ready are started less and less often.
func TestPauses(t *testing.T) {
	prefork.SetSteady(t, time.Hour)
	s := run(t, planned(1, brief{}))
	s.Apply(planned(1, brief{Dies: true}))
	testkit.Eventually(t, "four died", func() bool { return len(s.happened(prefork.Crashed)) >= 4 })
	var pauses []time.Duration
	for _, e := range s.happened(prefork.Crashed)[:4] {
		pauses = append(pauses, e.Pause)
	}
	const ms = time.Millisecond
	if diff := cmp.Diff([]time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms}, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	died := s.happened(prefork.Crashed)
	if apart := died[3].Worker.Started.Sub(died[0].Worker.Started); apart < 700*ms {
		t.Errorf("the fourth was started %v after the first, want 700ms at least", apart)
	}
}

// TestAdd checks the limits of Add.
func TestAdd(t *testing.T) {
	s := run(t, planned(2, brief{}))
	first := s.pids()[0]
	for _, step := range []struct {
		by, want int
		changed  bool
	}{{1, 3, true}, {1, 4, true}, {1, 4, false}, {-1, 3, true}, {-1, 2, true}, {-1, 1, true}, {-1, 1, false}} {
		if got, changed := s.Add(step.by); got != step.want || changed != step.changed {
			t.Errorf("%+d: %d, %v; want %d, %v", step.by, got, changed, step.want, step.changed)
		}
		testkit.Eventually(t, fmt.Sprintf("%d workers", step.want), func() bool { return s.alone(step.want) })
	}
	if !hasExited(first) {
		t.Errorf("the oldest worker, %d, is still there", first)
	}
	if died := s.happened(prefork.Crashed); len(died) != 0 {
		t.Errorf("%+v died", died)
	}
}

// TestApply checks that workers are replaced one by one, and that as many as planned serve at any time.
func TestApply(t *testing.T) {
	s := run(t, planned(3, brief{Name: "old"}))
	before := s.pids()
	s.Apply(planned(2, brief{Name: "new"}))
	testkit.Eventually(t, "all are exchanged", func() bool {
		if ready, reason := s.Ready(); !ready {
			t.Errorf("not ready meanwhile: %s", reason)
		}
		return s.alone(2) && !slices.ContainsFunc(s.pids(), func(pid int) bool { return slices.Contains(before, pid) })
	})
	for range 10 {
		if got := s.ask(t); got != "new" {
			t.Errorf("%q answered, want new", got)
		}
	}
	if n := len(s.happened(prefork.ReloadDone)); n != 1 {
		t.Errorf("settled %d times, want 1", n)
	}
}

// TestApplyAgain checks that a plan does not wait for workers of an earlier plan to be ready, because they may never
// be.
func TestApplyAgain(t *testing.T) {
	s := run(t, planned(2, brief{Name: "old"}))
	before := s.pids()
	stuck := planned(2, brief{Mute: true})
	stuck.StartTimeout = 10 * testkit.Patience
	s.Apply(stuck)
	s.Apply(planned(2, brief{Name: "new"}))
	testkit.Eventually(t, "all are exchanged", func() bool {
		if ready, reason := s.Ready(); !ready {
			t.Errorf("not ready meanwhile: %s", reason)
		}
		gone := !slices.ContainsFunc(s.Workers(), func(w prefork.Worker) bool { return slices.Contains(before, w.PID) })
		return len(s.pids()) == 2 && gone // a draining worker may still answer
	})
	if got := s.ask(t); got != "new" {
		t.Errorf("%q answered, want new", got)
	}
}

// TestRejected checks that a plan with which workers fail changes nothing.
func TestRejected(t *testing.T) {
	s := run(t, planned(2, brief{Name: "old"}))
	before := s.pids()
	s.Apply(planned(3, brief{Fails: "no luck"}))
	testkit.Eventually(t, "it is rejected", func() bool { return len(s.happened(prefork.ReloadRejected)) == 1 })
	if err := s.happened(prefork.ReloadRejected)[0].Err; err.Error() != "no luck" {
		t.Errorf("rejected because of %v", err)
	}
	testkit.Eventually(t, "nothing else runs", func() bool { return s.alone(2) })
	if diff := cmp.Diff(before, s.pids()); diff != "" || s.Plan().Processes != 2 {
		t.Errorf("%d are planned, workers (-before +after):\n%s", s.Plan().Processes, diff)
	}
}

// TestRejectedAdd checks that a worker added while a plan is tried stays, even if the plan is rejected.
func TestRejectedAdd(t *testing.T) {
	s := run(t, planned(1, brief{}))
	plan := planned(1, brief{Mute: true})
	plan.StartTimeout = 500 * time.Millisecond
	s.Apply(plan)
	if n, changed := s.Add(+1); n != 2 || !changed {
		t.Errorf("got %d, %v", n, changed)
	}
	testkit.Eventually(t, "the plan is rejected", func() bool { return len(s.happened(prefork.ReloadRejected)) == 1 })
	testkit.Eventually(t, "two are ready", func() bool { return s.alone(2) })
}

// TestDiesDraining checks that a worker that dies with requests in flight is an error of the stop.
func TestDiesDraining(t *testing.T) {
	s := run(t, planned(1, brief{Stuck: true}))
	s.stop()
	testkit.Eventually(t, "it drains", func() bool { return len(s.Workers()) == 1 && s.Workers()[0].State == prefork.Draining })
	pid := s.Workers()[0].PID
	syscall.Kill(pid, syscall.SIGKILL)
	s.wantEnd(t, fmt.Sprintf("worker %d: signal: killed", pid))
	if n := len(s.happened(prefork.DiedDraining)); n != 1 {
		t.Errorf("%d were lost, want 1", n)
	}
}

// askAll asks each worker repeatedly, as a supervisor's owner has to, until the test ends.
func (s *service) askAll(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
			for _, w := range s.Workers() {
				if conn, err := w.Dial(); err == nil {
					conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
					if answer, _ := io.ReadAll(conn); string(answer) == fmt.Sprint(w.PID) {
						s.Answered(w.PID)
					}
					conn.Close()
				}
			}
		}
	})
	t.Cleanup(asking.Wait)
	t.Cleanup(cancel)
}

// TestHangs checks that a stopped worker is killed and replaced, and that one that answers is not, although it uses
// hardly any CPU time.
func TestHangs(t *testing.T) {
	t.Parallel()
	plan := planned(2, brief{})
	plan.WorkerTimeout = 3 * time.Second
	s := run(t, plan)
	s.askAll(t)
	pids := s.pids()
	syscall.Kill(pids[0], syscall.SIGSTOP)
	testkit.Eventually(t, "it is replaced", func() bool { return s.alone(2) && s.pids()[0] == pids[1] })
	died := s.happened(prefork.Crashed)
	if len(died) != 1 || died[0].Worker.PID != pids[0] || died[0].Err.Error() != "neither answered nor used CPU time for 3s" {
		t.Errorf("got %+v, want one death", died)
	}
}

// TestHangsDeaf checks that a worker that does not answer is killed, unless it uses CPU time: it may be starved.
func TestHangsDeaf(t *testing.T) {
	t.Parallel()
	for _, burns := range []bool{false, true} {
		plan := planned(1, brief{Deaf: true, Burns: burns})
		plan.WorkerTimeout = time.Second
		s := run(t, plan)
		if !burns {
			testkit.Eventually(t, "it is killed", func() bool { return len(s.happened(prefork.Crashed)) > 0 })
			continue
		}
		time.Sleep(3 * plan.WorkerTimeout)
		if died := s.happened(prefork.Crashed); len(died) > 0 {
			t.Errorf("killed while it used CPU time: %v", died[0].Err)
		}
	}
}

// TestHangsOff checks that no worker is killed without a timeout.
func TestHangsOff(t *testing.T) {
	t.Parallel()
	s := run(t, planned(1, brief{Deaf: true}))
	time.Sleep(1500 * time.Millisecond) // one check
	if died := s.happened(prefork.Crashed); len(died) > 0 {
		t.Errorf("killed: %v", died[0].Err)
	}
}

// TestHangsDraining checks that a worker that hangs while it drains, or after that, is killed.
func TestHangsDraining(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		brief brief
		stop  bool // by SIGSTOP, which it cannot handle
	}{
		{"while it drains", brief{Stuck: true}, false},
		{"stopped while it drains", brief{Stuck: true}, true},
		{"once it has drained", brief{Stays: true}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			plan := planned(1, row.brief)
			plan.DrainTimeout = 0
			s := run(t, plan)
			pid := s.pids()[0]
			s.stop()
			testkit.Eventually(t, "it drains", func() bool { return len(s.pids()) == 0 })
			if row.stop {
				syscall.Kill(pid, syscall.SIGSTOP)
			}
			s.wantEnd(t, fmt.Sprintf("worker %d: had not ended after 1s", pid))
		})
	}
}

// TestHangsStarting checks that a worker that is stopped before it is ready is killed and replaced.
func TestHangsStarting(t *testing.T) {
	t.Parallel()
	s := run(t, planned(1, brief{}))
	plan := planned(1, brief{Mute: true})
	plan.StartTimeout = 500 * time.Millisecond
	s.Apply(plan)
	testkit.Eventually(t, "it is started", func() bool { return len(s.Workers()) == 2 })
	syscall.Kill(s.Workers()[1].PID, syscall.SIGSTOP)
	testkit.Eventually(t, "it is killed", func() bool { return len(s.happened(prefork.ReloadRejected)) == 1 })
	if err := s.happened(prefork.ReloadRejected)[0].Err; err.Error() != "was not ready after 500ms" {
		t.Errorf("got %v", err)
	}
}

// TestKill checks that Kill ends all workers.
func TestKill(t *testing.T) {
	s := run(t, planned(2, brief{Stuck: true}))
	s.stop()
	testkit.Eventually(t, "both drain", func() bool { return len(s.pids()) == 0 })
	s.Kill()
	s.wantEnd(t, "")
}

// TestInheritAlone checks the error of Inherit in a process without a supervisor.
func TestInheritAlone(t *testing.T) {
	out, err := workerCommand().Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("%v %s", err, out)
	}
}

//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
	"demo-server/work/remote/pgtest"
)

// workDone is what a reply says of how long its work took.
var workDone = regexp.MustCompile(`work;dur=([0-9.]+)`)

// serveWork asks for / once, and returns for how long it was worked on.
func (p *process) serveWork(t *testing.T) time.Duration {
	t.Helper()
	response, err := p.http.Get(p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK || string(body) != "Hello World" || err != nil {
		t.Fatalf("%s %q, %v; want Hello World", response.Status, body, err)
	}
	found := workDone.FindStringSubmatch(response.Header.Get("Server-Timing"))
	if found == nil {
		t.Fatalf("Server-Timing is %q", response.Header.Get("Server-Timing"))
	}
	millis, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(millis * float64(time.Millisecond))
}

// TestWork: each kind takes its time, and not much more when the machine is idle.
func TestWork(t *testing.T) {
	const delay = 200 * time.Millisecond
	postgres, apart := pgtest.Start(t), startBackends(t, "0", "0")
	near, hashing := delay/100+2*time.Millisecond, delay/20
	for _, row := range []struct {
		work string
		args []string
		off  time.Duration // 0 where it is not promised
	}{
		{"sleep", nil, near},
		{"block", nil, near},
		{"cpu", nil, hashing},
		{"mutex", nil, near},
		{"file", []string{"--dir=" + t.TempDir()}, 0},
		{"http", nil, near},
		{"http", []string{"--target=http://" + apart.http + "/"}, near},
		{"grpc", nil, near},
		{"grpc", []string{"--target=" + apart.rpc}, near},
		{"sql", []string{"--dsn=" + postgres.DSN()}, near},
	} {
		t.Run(row.work+strings.Join(row.args, ""), func(t *testing.T) {
			p := start(t, append(row.args, "--work="+row.work, "--delay="+delay.String())...)
			least := time.Hour
			for end := time.Now().Add(testkit.Patience); time.Now().Before(end); { // others may be busy on this machine
				least = min(least, p.serveWork(t))
				if row.off == 0 || least <= delay+row.off {
					break
				}
			}
			if least < delay || row.off > 0 && least > delay+row.off {
				t.Errorf("the work took %s at least, want %s and at most %s more", least, delay, row.off)
			}
			if strings.Contains(p.text(), pgtest.Password) {
				t.Error("the log has the password")
			}
		})
	}
}

// TestSQLInEveryMode: the other kinds are run in every mode by package modes, which needs nothing installed.
func TestSQLInEveryMode(t *testing.T) {
	postgres := pgtest.Start(t)
	eachMode(t, func(t *testing.T, m mode) {
		t.Parallel()
		p := start(t, "--mode="+m.Name, "--work=sql", "--dsn="+postgres.DSN(), "--delay=100ms", "--pool-size=2")
		if !m.single() {
			began := time.Now()
			ok, _ := receiveAll(t, p.dialAll(t, 6))
			if took := time.Since(began); ok != 6 || took < 300*time.Millisecond {
				t.Errorf("%d of 6 in %s, want all in three rounds of 100ms: two connections are the bound", ok, took)
			}
		}
		p.serveWork(t)
		if out := mustTool(t, "curl", "-sS", p.admin+"metrics"); !strings.Contains(out, fmt.Sprintf("demo_server_work_pool_size{kind=%q,mode=%q} 2\n", "sql", m.Name)) {
			t.Error("/metrics lacks the pool")
		}
	})
}

// workStats is what /stats says of the work.
type workStats struct {
	Ready    bool           `json:"ready"`
	InFlight int            `json:"in_flight"`
	Requests map[string]int `json:"requests"`
	Failures map[string]int `json:"work_failures"`
	Pools    []struct {
		Kind    string `json:"kind"`
		Size    int    `json:"size"`
		InUse   int    `json:"in_use"`
		Waiting int    `json:"waiting"`
	} `json:"work_pools"`
}

func (p *process) workStats(t *testing.T) (s workStats) {
	t.Helper()
	response, err := p.http.Get(p.admin + "stats")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPoolIsSeen: what uses the pool and what waits for it, until everybody has left; and the database knows that they have.
func TestPoolIsSeen(t *testing.T) {
	postgres := pgtest.Start(t)
	p := start(t, "--work=sql", "--dsn="+postgres.DSN(), "--delay=60s", "--pool-size=3")
	clients := p.dialAll(t, 7)
	testkit.Eventually(t, "three use the pool, four wait", func() bool {
		pools := p.workStats(t).Pools
		return len(pools) > 0 && pools[len(pools)-1].Kind == "sql" && pools[len(pools)-1].InUse == 3 && pools[len(pools)-1].Waiting == 4
	})
	testkit.Eventually(t, "three queries sleep", func() bool { return postgres.Sleepers(t) == 3 })
	for _, c := range clients {
		c.Close()
	}
	testkit.Eventually(t, "all places are free", func() bool { return p.workStats(t).InFlight == 0 })
	testkit.Eventually(t, "no query sleeps", func() bool { return postgres.Sleepers(t) == 0 })
}

// silent listens, and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

// TestDependencyDownAtStart: the server says what did not answer and where, within dial-timeout, and ends.
func TestDependencyDownAtStart(t *testing.T) {
	for _, row := range []struct {
		name, work, flag, format string
		at                       func(*testing.T) string
		extra                    []string
	}{
		{name: "http", work: "http", flag: "--target=", format: "http://%s/", at: freeAddress},
		{name: "http that is silent", work: "http", flag: "--target=", format: "http://%s/", at: silent},
		{name: "grpc", work: "grpc", flag: "--target=", format: "%s", at: freeAddress},
		{name: "grpc that is silent", work: "grpc", flag: "--target=", format: "%s", at: silent},
		{name: "sql", work: "sql", flag: "--dsn=", format: "postgres://me:hush@%s/demo", at: freeAddress},
		{name: "sql that is silent", work: "sql", flag: "--dsn=", format: "postgres://me:hush@%s/demo", at: silent},
		{name: "in worker processes", work: "http", flag: "--target=", format: "http://%s/", at: freeAddress, extra: []string{"--processes=2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			address := row.at(t)
			args := append(row.extra, "--port=0", "--work="+row.work, row.flag+fmt.Sprintf(row.format, address), "--dial-timeout=500ms")
			began := time.Now()
			p := launch(t, exec.Command(built(t), args...))
			p.wantExit(t, 1)
			if took := time.Since(began); took < 400*time.Millisecond || took > 5*time.Second {
				t.Errorf("ended after %s, want some more than 500ms", took)
			}
			if text := p.text(); !strings.Contains(text, address) || strings.Contains(text, "hush") {
				t.Errorf("its log does not name %s, or names the password:\n%s", address, text)
			}
		})
	}
}

// TestStopWhileDependencyIsDown: a signal ends a start that still waits.
func TestStopWhileDependencyIsDown(t *testing.T) {
	p := launch(t, exec.Command(built(t), "--port=0", "--work=http", "--target=http://"+silent(t)+"/", "--dial-timeout=1m"))
	time.Sleep(300 * time.Millisecond) // whenever it comes, the end is the same
	p.signal(t, syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(testkit.Patience):
		t.Fatal("still waits")
	}
}

// TestDependencyRestarted: while what the work depends on is killed and started again under load, every request gets an
// answer, /readyz follows, and service resumes by itself.
func TestDependencyRestarted(t *testing.T) {
	postgres, apart := pgtest.Start(t), startBackends(t, "0", "0")
	kill := func() {
		apart.cmd.Process.Kill()
		apart.cmd.Wait()
		postgres.Kill(t)
	}
	again := func() {
		apart = apart.again(t)
		postgres.Run(t)
	}
	servers := map[string]*process{
		"http": start(t, "--work=http", "--target=http://"+apart.http+"/", "--delay=20ms", "--mode=eventloop"),
		"grpc": start(t, "--work=grpc", "--target="+apart.rpc, "--delay=20ms", "--mode=pool"),
		"sql":  start(t, "--work=sql", "--dsn="+postgres.DSN(), "--delay=20ms", "--mode=fasthttp"),
	}
	var load sync.WaitGroup
	over := make(chan struct{})
	for name, p := range servers {
		for range 4 {
			load.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					if status, err := p.answer(); err != nil || status != 200 && status != 502 && status != 504 {
						t.Errorf("%s: %d, %v", name, status, err)
						return
					}
				}
			})
		}
	}
	all := func(what string, holds func(*process) bool) {
		t.Helper()
		for name, p := range servers {
			testkit.Eventually(t, name+": "+what, func() bool { return holds(p) })
		}
	}
	all("serves", func(p *process) bool { return p.workStats(t).Requests["ok"] > 10 })
	kill()
	all("fails", func(p *process) bool { return p.workStats(t).Requests["failed"] > 10 })
	all("is not ready", func(p *process) bool { status, _ := p.ask(t, "readyz"); return status == 503 })
	again()
	all("is ready", func(p *process) bool { status, _ := p.ask(t, "readyz"); return status == 200 })
	served := map[*process]int{}
	for _, p := range servers {
		served[p] = p.workStats(t).Requests["ok"]
	}
	all("serves again", func(p *process) bool { return p.workStats(t).Requests["ok"] > served[p]+10 })
	close(over)
	load.Wait()
	for name, p := range servers {
		testkit.Eventually(t, name+": all that failed have a cause", func() bool {
			s := p.workStats(t)
			return s.Failures["refused"]+s.Failures["broken"]+s.Failures["timeout"] == s.Requests["failed"]
		})
		p.terminate(t)
		p.wantStopped(t)
	}
}

// answer asks for / on a connection of its own, and returns the status.
func (p *process) answer() (int, error) {
	c, err := p.connect()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.send(); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// TestDrainWork: queries that are under way at a stop are finished.
func TestDrainWork(t *testing.T) {
	postgres := pgtest.Start(t)
	p := start(t, "--work=sql", "--dsn="+postgres.DSN(), "--delay=2s", "--pool-size=2")
	clients := p.dialAll(t, 4)
	testkit.Eventually(t, "all are in", func() bool { return p.workStats(t).InFlight == 4 })
	p.terminate(t)
	if ok, refused := receiveAll(t, clients); ok != 4 || refused != 0 {
		t.Errorf("%d served and %d refused, want all 4 served", ok, refused)
	}
	p.wantStopped(t)
}

//go:build e2e

package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
	"demo-server/work/remote/pgtest"
)

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

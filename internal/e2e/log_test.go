//go:build e2e

package e2e_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"demo-server/internal/testkit"
)

// logging starts the server with a log that is read until it is ready. The rest of the log is the caller's to read.
func logging(t *testing.T, args ...string) (p *process, rest *os.File) {
	t.Helper()
	rest, itsEnd, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rest.Close() })
	p = &process{ready: make(chan struct{}), exited: make(chan struct{}), http: http.Client{Timeout: testkit.Patience}}
	p.cmd = exec.Command(built(t), append([]string{"--port=0", "--delay=0s", "--access-log=all"}, args...)...)
	p.cmd.Stderr = itsEnd
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	itsEnd.Close()
	go func() {
		defer close(p.exited)
		p.cmd.Wait()
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		p.http.CloseIdleConnections()
		p.cmd.Process.Kill()
		<-p.exited
	})
	for lines := bufio.NewReaderSize(rest, 16); p.url == ""; { // so small that it takes no more than it has to
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		l := line{text: text}
		json.Unmarshal([]byte(text), &l.fields)
		p.note(l)
	}
	return p, rest
}

// flood has the server log more than the pipe and its buffer hold, and checks that it answers.
func (p *process) flood(t *testing.T) {
	t.Helper()
	for range 20 {
		if out := mustTool(t, "ab", "-q", "-n", "2000", "-c", "10", p.url); !strings.Contains(out, "Failed requests:        0\n") {
			t.Fatalf("not all requests were answered:\n%s", out)
		}
		if p.dropped(t) > 0 {
			return
		}
	}
	t.Error("no line is counted as dropped")
}

// dropped is how many lines of log /stats says were dropped.
func (p *process) dropped(t *testing.T) int {
	t.Helper()
	var stats struct {
		Dropped int `json:"log_lines_dropped"`
	}
	p.readStats(t, &stats)
	return stats.Dropped
}

// logArgs are the modes and shapes in which nobody may wait for the log: each has its own goroutines, threads or loops.
var logArgs = [][]string{{"--mode=goroutine"}, {"--mode=pool"}, {"--mode=eventloop"}, {"--mode=eventloop", "--processes=2"}}

// TestLogStalled: a reader of the log that stops keeps neither requests nor a signal waiting. Once it reads again, the
// log says what is missing.
func TestLogStalled(t *testing.T) {
	for _, args := range logArgs {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			p, _ := logging(t, args...)
			p.flood(t)
			p.signal(t, syscall.SIGTERM)
			p.wantExit(t, 0)

			p, log := logging(t, args...)
			p.flood(t)
			read := make(chan string, 1)
			go func() {
				text, _ := io.ReadAll(log)
				read <- string(text)
			}()
			p.signal(t, syscall.SIGTERM)
			p.wantExit(t, 0)
			text := <-read
			if !strings.Contains(text, `"log lines dropped"`) || !strings.Contains(text, `"stopped"`) {
				t.Error("the log says nothing of dropped lines, or of the end")
			}
			for l := range strings.Lines(text) {
				if !json.Valid([]byte(l)) {
					t.Fatalf("no whole line: %q", l)
				}
			}
		})
	}
}

// TestLogReaderGone: a reader of the log that goes away ends no process, at whatever is logged.
func TestLogReaderGone(t *testing.T) {
	for _, args := range logArgs {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			p, log := logging(t, args...)
			log.Close()
			p.flood(t)
			if args[len(args)-1] == "--processes=2" {
				p.signal(t, syscall.SIGHUP) // the supervisor logs, too
				testkit.Eventually(t, "it is ready", func() bool { status, _ := p.ask(t, "readyz"); return status == http.StatusOK })
			}
			p.signal(t, syscall.SIGTERM)
			p.wantExit(t, 0)
		})
	}
}

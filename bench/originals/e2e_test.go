//go:build e2e

package originals

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	delay    = 200 * time.Millisecond
	patience = 20 * time.Second // for events that take a moment on an idle machine
	attempts = 5                // for timing that a noisy machine may miss
)

// A running is a program in a process group of its own.
type running struct {
	*exec.Cmd
	address string
	ended   chan error
}

func prepared(t *testing.T) *Set {
	t.Helper()
	set, err := Prepare(t.Context(), Programs())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
	if set.Missing() != "" {
		t.Fatal(set.Missing())
	}
	return set
}

// start starts a program and waits until it answers.
func start(t *testing.T, set *Set, name string, workers int, delay time.Duration) *running {
	t.Helper()
	port := freePort(t)
	p := &running{
		Cmd: set.Command(name, port, delay, workers), address: fmt.Sprintf("127.0.0.1:%d", port), ended: make(chan error, 1),
	}
	var log bytes.Buffer
	p.Stdout, p.Stderr = &log, &log
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.Wait() }()
	t.Cleanup(func() { syscall.Kill(-p.Process.Pid, syscall.SIGKILL) })
	waitFor(t, "an answer of "+name, func() bool {
		select {
		case err := <-p.ended:
			t.Fatalf("%s ended: %v\n%s", name, err, &log)
		default:
		}
		return get(p.address) == nil
	})
	return p
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still no %s after %s", what, patience)
		}
	}
}

func get(address string) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://" + address)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || string(body) != "Hello World") {
		err = fmt.Errorf("%s: %q", response.Status, body)
	}
	return err
}

// atOnce sends requests at the same time, and returns the time until all were answered.
func atOnce(t *testing.T, address string, requests int) time.Duration {
	t.Helper()
	began := time.Now()
	var clients sync.WaitGroup
	for range requests {
		clients.Go(func() {
			if err := get(address); err != nil {
				t.Error(err)
			}
		})
	}
	clients.Wait()
	return time.Since(began)
}

// left reports whether the group still has a process.
func (p *running) left() bool { return syscall.Kill(-p.Process.Pid, 0) == nil }

// TestRun checks that each program answers three requests at once in one delay, or in three if it works on one at a
// time, and that one SIGTERM ends all its processes.
func TestRun(t *testing.T) {
	set := prepared(t)
	const requests = 3
	for _, program := range Programs() {
		t.Run(program.Name, func(t *testing.T) {
			p := start(t, set, program.Name, requests, delay)
			took := time.Hour
			for range attempts {
				if took = min(took, atOnce(t, p.address, requests)); took < requests*delay {
					break
				}
			}
			if oneByOne := took >= requests*delay; oneByOne != (program.Places(requests) == 1) {
				t.Errorf("%d requests at once took %s, and %d have a place", requests, took, program.Places(requests))
			}
			stopped := time.Now()
			p.Process.Signal(syscall.SIGTERM)
			<-p.ended
			waitFor(t, "end of all processes", func() bool { return !p.left() })
			if took := time.Since(stopped); took > patience {
				t.Errorf("took %s to end", took)
			}
		})
	}
}

// TestThreads checks that gthread works on as many requests as it has threads.
func TestThreads(t *testing.T) {
	p := start(t, prepared(t), "gunicorn-gthread", 2, delay)
	took := time.Hour
	for try := 0; try < attempts && took >= 5*delay; try++ {
		took = min(took, atOnce(t, p.address, 5))
	}
	if took < 3*delay || took >= 5*delay {
		t.Errorf("5 requests on 2 threads took %s, want 3 times %s", took, delay)
	}
}

// TestKilled checks that gunicorn's worker does not outlive its parent, even if the parent could not stop it.
func TestKilled(t *testing.T) {
	set := prepared(t)
	for _, name := range []string{"gunicorn-gevent", "gunicorn-gthread"} {
		p := start(t, set, name, 1, delay)
		p.Process.Kill()
		<-p.ended
		waitFor(t, "end of "+name, func() bool { return !p.left() })
	}
}

// TestBacklog checks that more clients than the program's default backlog connect at once while it does not accept.
func TestBacklog(t *testing.T) {
	set := prepared(t)
	for _, name := range []string{"flask-single", "gevent-unpatched"} {
		p := start(t, set, name, 1, 2*time.Second)
		blocking := dial(t, p)
		if _, err := io.WriteString(blocking, "GET / HTTP/1.0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		for range 600 {
			dial(t, p)
		}
	}
}

// dial fails if the kernel dropped the SYN and sent it again.
func dial(t *testing.T, p *running) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp4", p.address, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if again := sentAgain(t, conn); again > 0 {
		t.Fatalf("a connection was found after %d more attempts", again)
	}
	return conn
}

// sentAgain returns how many segments of the connection the kernel had to send again.
func sentAgain(t *testing.T, conn net.Conn) (again uint32) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	if controlErr := raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); controlErr != nil || err != nil {
		t.Fatal(controlErr, err)
	}
	return info.Total_retrans
}

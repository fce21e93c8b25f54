package prefork_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
	"demo-server/server/prefork"
)

// answerAdmin answers each of the supervisor's connections with this process's PID.
func answerAdmin(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		fmt.Fprint(conn, os.Getpid())
		conn.Close()
	}
}

// askAdmin returns the answer of a worker's admin listener.
func askAdmin(w prefork.Worker) (string, error) {
	conn, err := w.Dial()
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(testkit.Patience))
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// TestDial checks that Dial reaches the right worker each time.
func TestDial(t *testing.T) {
	s := run(t, planned(2, brief{}))
	for range 3 {
		for _, w := range s.Workers() {
			if got, err := askAdmin(w); err != nil || got != fmt.Sprint(w.PID) {
				t.Errorf("worker %d answered %q, %v; want its PID", w.PID, got, err)
			}
		}
	}
}

// TestDialGone checks that no process answers for a worker that has exited.
func TestDialGone(t *testing.T) {
	s := run(t, planned(1, brief{}))
	victim := s.Workers()[0]
	syscall.Kill(victim.PID, syscall.SIGKILL)
	testkit.Eventually(t, "it is replaced", func() bool { return s.alone(1) && s.pids()[0] != victim.PID })
	if got, err := askAdmin(victim); err == nil {
		t.Errorf("got %q from a worker that has ended", got)
	}
}

// TestDialHung checks that connecting to a stopped worker does not wait for it, and fails once too many connections
// wait.
func TestDialHung(t *testing.T) {
	s := run(t, planned(1, brief{}))
	w := s.Workers()[0]
	syscall.Kill(w.PID, syscall.SIGSTOP)
	defer syscall.Kill(w.PID, syscall.SIGCONT)
	for range 200 {
		conn, err := w.Dial()
		if err != nil {
			if !errors.Is(err, syscall.EAGAIN) {
				t.Errorf("got %v", err)
			}
			return
		}
		conn.Close()
	}
	t.Error("200 connections wait for a worker that has stopped")
}

// TestNoName checks that the Unix sockets of a supervisor and its workers have no names. Any user could connect to a
// name, or take it once the worker has exited.
func TestNoName(t *testing.T) {
	s := run(t, planned(2, brief{}))
	ours := map[string]bool{}
	for _, pid := range append(s.pids(), os.Getpid()) {
		for _, inode := range socketsOf(t, pid) {
			ours[inode] = true
		}
	}
	table, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line) // Num RefCount Protocol Flags Type St Inode Path
		if len(fields) < 7 || !ours[fields[6]] {
			continue
		}
		found++
		if len(fields) > 7 {
			t.Errorf("a Unix socket has the name %s", fields[7])
		}
	}
	if found < 4 {
		t.Errorf("%d Unix sockets were found, want both ends of 2 channels at least", found)
	}
}

var socketLink = regexp.MustCompile(`^socket:\[(\d+)\]$`)

// socketsOf returns the inodes of a process's sockets.
func socketsOf(t *testing.T, pid int) (inodes []string) {
	t.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		target, _ := os.Readlink(link) // on an error it was closed since
		if match := socketLink.FindStringSubmatch(target); match != nil {
			inodes = append(inodes, match[1])
		}
	}
	return inodes
}

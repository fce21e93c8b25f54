//go:build e2e

package e2e_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestBenchKeepsSecrets: what bench starts gets no secret that it has no use for. TestBenchCost looks at nginx and Python.
func TestBenchKeepsSecrets(t *testing.T) {
	for with, args := range map[string][]string{"ab": {"-n=5"}, "wrk": {"-z=1s"}} {
		cmd, read := prepareBench(t, append(args, "--modes=goroutine", "--generator="+with, "-c=1", "--delay=200ms", "--repeat=1")...)
		if b := read(keepsSecrets(t, cmd, "serve", with)); b.code != 0 {
			t.Errorf("exit code %d", b.code)
		}
	}
}

// keepsSecrets runs a command with secrets in its environment. No process that it starts may have one there, or on its
// command line, where everybody can read it. Those that are wanted have to be among them.
func keepsSecrets(t *testing.T, cmd *exec.Cmd, wants ...string) error {
	t.Helper()
	cmd.Env = append(os.Environ(), "DEMO_SERVER_DSN=postgres://me:hush@127.0.0.1/demo", "DEMO_SERVER_ADMIN_TOKEN=hush", "PGPASSWORD=hush")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	started, err := watch(cmd.Process.Pid, ended)
	lines := slices.Collect(maps.Keys(started))
	for _, want := range wants {
		if !regexp.MustCompile(`(?m)(^|[/ ])` + want + ` `).MatchString(strings.Join(lines, "\n")) {
			t.Errorf("%s was not seen, of %q", want, lines)
		}
	}
	for line, environ := range started {
		if strings.Contains(line+environ, "hush") {
			t.Errorf("a secret is in %q or its environment", line)
		}
	}
	return err
}

// watch gathers the environment of each process below root by its command line, until that has ended.
func watch(root int, ended <-chan error) (started map[string]string, err error) {
	started = map[string]string{}
	for {
		select {
		case err := <-ended:
			return started, err
		case <-time.After(20 * time.Millisecond):
		}
		own, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", root))
		for _, pid := range below(root) {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
			if err == nil && len(line) > 0 && !bytes.Equal(line, own) { // else it is about to become something else
				started[string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))] = string(environ)
			}
		}
	}
}

// below are the processes that descend from one.
func below(root int) (all []int) {
	children := map[int][]int{}
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range found {
		if pid, parent, ok := readStat(file); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	for parents := []int{root}; len(parents) > 0; parents = parents[1:] {
		all, parents = append(all, children[parents[0]]...), append(parents, children[parents[0]]...)
	}
	return all
}

// readStat returns a process and its parent, of a file /proc/PID/stat: pid (comm) state ppid (proc(5)).
func readStat(file string) (pid, parent int, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return 0, 0, false
	}
	pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(file)))
	parent, _ = strconv.Atoi(fields[1])
	return pid, parent, true
}

//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
	"demo-server/modes"
)

// TestServe starts the server in this process, requests a reply, and stops it with a signal.
func TestServe(t *testing.T) {
	for _, mode := range modes.Names() {
		t.Run(mode, func(t *testing.T) {
			var log testkit.Buffer
			ended := make(chan int, 1)
			go func() {
				ended <- Main([]string{"--mode", mode, "--port", "0", "--delay", "10ms", "--log-format", "json"}, nil, io.Discard, &log)
			}()
			ready := waitReady(t, &log)
			for url, want := range map[string]string{ready.url: "Hello World", ready.Admin + "readyz": "ready\n"} {
				if got := fetch(t, url); got != want {
					t.Errorf("GET %s: %q, want %q", url, got, want)
				}
			}
			if ready.Mode != mode || ready.Bound == "" || ready.Try != "ab -c 100 -n 500 "+ready.url {
				t.Errorf("ready says %+v", ready)
			}
			syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
			if code := <-ended; code != exitOK {
				t.Errorf("exit code %d, want %d", code, exitOK)
			}
			if !strings.Contains(log.String(), `"msg":"stopped"`) {
				t.Errorf("no word of having stopped:\n%s", log.String())
			}
		})
	}
}

// TestPortTaken checks that a failure to start is exit code 1 and one line with the address and a remedy.
func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, c := range []struct{ flag, value, want string }{
		{"--port", port, "cannot listen on 127.0.0.1:" + port + ": the port is taken; try --port 0"},
		{"--admin-addr", port, "cannot listen on 127.0.0.1:" + port + " for admin: the port is taken; try another --admin-addr"},
		{"--host", "192.0.2.1", "cannot listen on 192.0.2.1:0: this machine does not have that address"},
	} {
		var log bytes.Buffer
		code := Main([]string{"--port=0", "--log-format=json", c.flag + "=" + c.value}, nil, io.Discard, &log)
		if code != exitFailure || !strings.Contains(log.String(), c.want) {
			t.Errorf("%s=%s: exit code %d, want %d and %q in:\n%s", c.flag, c.value, code, exitFailure, c.want, log.String())
		}
	}
}

// readyLine is the log entry of a server that is ready.
type readyLine struct{ Msg, Mode, Address, Bound, Try, Admin, url string }

func waitReady(t *testing.T, log *testkit.Buffer) readyLine {
	t.Helper()
	for end := time.Now().Add(testkit.Patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for line := range strings.SplitSeq(log.String(), "\n") {
			var ready readyLine
			if json.Unmarshal([]byte(line), &ready) == nil && ready.Msg == "ready" {
				ready.url = "http://" + ready.Address + "/"
				return ready
			}
		}
	}
	t.Fatalf("not ready in %v:\n%s", testkit.Patience, log.String())
	return readyLine{}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	response, err := scriptClient.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

//go:build unix

package cli

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"
)

// A shape is a way to serve in one process. Supervisors and workers need their own processes, and are tested end to
// end.
type shape struct {
	args  []string
	ready func(t *testing.T, out *testkit.Buffer) (url string) // waits, and returns a URL with a delayed reply
	queue bool                                                 // the accept queue is served until it is empty
}

var shapes = map[string]shape{
	"alone": {
		[]string{"--port=0", "--delay=300ms", "--log-format=json"},
		func(t *testing.T, out *testkit.Buffer) string { return waitReady(t, out).url }, true,
	},
	"backend": {
		[]string{"backend", "--http-port=0", "--grpc-port=0"},
		func(t *testing.T, out *testkit.Buffer) string {
			for end := time.Now().Add(testkit.Patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
				if text, ready := strings.CutPrefix(out.String(), "ready: "); ready {
					return strings.Fields(text)[0] + "?delay=300ms"
				}
			}
			t.Fatal("the backend is not ready")
			return ""
		}, false,
	},
}

// TestStopSignals checks that each signal that stops the program lets earlier requests finish.
func TestStopSignals(t *testing.T) {
	for name, shape := range shapes {
		for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
			t.Run(name+" "+s.String(), func(t *testing.T) {
				ended, url := shape.start(t)
				fetch(t, url)
				answered := beginFetch(t, url)
				syscall.Kill(os.Getpid(), s)
				if code := <-ended; code != exitOK {
					t.Errorf("exit code %d, want %d", code, exitOK)
				}
				if got := <-answered; shape.queue && got != "Hello World" {
					t.Errorf("the request in flight got %q", got)
				}
			})
		}
	}
}

// TestOtherSignals checks that signals for other purposes, or from a terminal, neither end a server nor suspend it.
func TestOtherSignals(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			ended, url := shape.start(t)
			for _, s := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE, syscall.SIGTTIN, syscall.SIGTTOU} {
				syscall.Kill(os.Getpid(), s)
			}
			if got := fetch(t, url); got != "Hello World" {
				t.Errorf("got %q", got)
			}
			syscall.Kill(os.Getpid(), syscall.SIGTERM)
			if code := <-ended; code != exitOK {
				t.Errorf("exit code %d, want %d", code, exitOK)
			}
		})
	}
}

// start runs the program in this process. ended delivers the exit code; url has a delayed reply.
func (s shape) start(t *testing.T) (ended <-chan int, url string) {
	t.Helper()
	var out testkit.Buffer
	code := make(chan int, 1)
	go func() { code <- Main(s.args, nil, &out, &out) }()
	return code, s.ready(t, &out)
}

// beginFetch returns once the request is sent. The channel gives the body, or the error.
func beginFetch(t *testing.T, url string) (answered <-chan string) {
	t.Helper()
	sent, body := make(chan struct{}), make(chan string, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		response, err := scriptClient.Do(request)
		if err != nil {
			body <- err.Error()
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		body <- string(text)
	}()
	<-sent
	return body
}

// TestHangupAfterAnother checks that a SIGHUP after the signal that stops does not count as a second signal, because
// systemd and shells send it.
func TestHangupAfterAnother(t *testing.T) {
	ended, url := shapes["alone"].start(t)
	answered := beginFetch(t, url)
	for range 3 {
		syscall.Kill(os.Getpid(), syscall.SIGHUP)
		time.Sleep(50 * time.Millisecond)
	}
	if got := <-answered; got != "Hello World" {
		t.Errorf("the request in flight got %q", got)
	}
	if code := <-ended; code != exitOK {
		t.Errorf("exit code %d, want %d", code, exitOK)
	}
}

//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// least is the part of the ideal rate that has to be reached; attempts are how often a noisy machine may try.
const (
	least    = 0.9
	attempts = 5
)

// TestAB: the real ab finds no fault, and the rate is the model's.
func TestAB(t *testing.T) {
	const delay = 100 * time.Millisecond
	eachMode(t, func(t *testing.T, m mode) {
		n, c := 200, 20
		// ab sends one request first, and the others only after its reply.
		ideal := float64(n) / (delay.Seconds() * float64(1+(n-1+c-1)/c))
		if m.single() {
			n, ideal = 20, 1/delay.Seconds()
		}
		p := start(t, "--mode="+m.Name, "--delay="+delay.String(), "--workers=100")
		for _, keep := range []string{"", "-k"} {
			t.Run("ab "+keep, func(t *testing.T) {
				rate := 0.0
				for range attempts {
					rate = max(rate, ab(t, p, m, n, c, keep))
					if rate >= least*ideal {
						return
					}
				}
				t.Errorf("%.1f requests/s at best, want %.0f%% of %.1f", rate, 100*least, ideal)
			})
		}
	})
}

// ab runs ab once, checks that every request went well, and returns the requests per second.
func ab(t *testing.T, p *process, m mode, n, c int, keep string) (rate float64) {
	t.Helper()
	args := []string{"-q", "-n", strconv.Itoa(n), "-c", strconv.Itoa(c)}
	kept := 0
	if keep != "" {
		args = append(args, keep)
		if !m.single() {
			kept = n
		}
	}
	out := mustTool(t, "ab", append(args, p.url)...)
	for name, want := range map[string]int{"Complete requests": n, "Failed requests": 0, "Document Length": 11} {
		if got := int(figure(t, out, name)); got != want {
			t.Errorf("%s: %d, want %d\n%s", name, got, want, out)
		}
	}
	if strings.Contains(out, "Non-2xx") {
		t.Errorf("a reply was no 200\n%s", out)
	}
	if keep != "" && int(figure(t, out, "Keep-Alive requests")) != kept {
		t.Errorf("want %d kept\n%s", kept, out)
	}
	return figure(t, out, "Requests per second")
}

// figure is the number behind a label that ab printed.
func figure(t *testing.T, out, label string) float64 {
	t.Helper()
	match := regexp.MustCompile(regexp.QuoteMeta(label) + `:\s+([0-9.]+)`).FindStringSubmatch(out)
	if match == nil {
		t.Fatalf("ab printed no %s:\n%s", label, out)
	}
	value, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// pipelining makes wrk send several requests at once, before it reads a reply.
const pipelining = `
init = function(args)
  local requests = {}
  for i = 1, 4 do requests[i] = wrk.format() end
  batch = table.concat(requests)
end
request = function() return batch end
`

// TestWrk: the real wrk finds no fault on kept connections, pipelined or not. single closes after each reply, and says
// so: wrk connects anew.
func TestWrk(t *testing.T) {
	script := filepath.Join(t.TempDir(), "pipeline.lua")
	if err := os.WriteFile(script, []byte(pipelining), 0o644); err != nil {
		t.Fatal(err)
	}
	const delay, seconds, c = 20 * time.Millisecond, 2, 20
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay="+delay.String(), "--workers=100")
		ideal := c * seconds / delay.Seconds()
		if m.single() {
			ideal /= c
		}
		for name, args := range map[string][]string{"plain": nil, "pipelining": {"-s", script}} {
			t.Run(name, func(t *testing.T) {
				requests := 0
				for try := 0; float64(requests) < ideal/2 && try < attempts; try++ {
					w := wrk(t, p, seconds, c, args...)
					if w.errors != (socketErrors{}) || w.non2xx {
						t.Errorf("wrk found fault\n%s", w.out)
					}
					requests = max(requests, w.requests)
				}
				// wrk begins its connections one after the other, and the last requests are cut off.
				if float64(requests) < ideal/2 {
					t.Errorf("%d requests at best, ideal %.0f", requests, ideal)
				}
			})
		}
	})
}

type socketErrors struct{ connect, read, write, timeout int }

// wrked is what a run of wrk came to.
type wrked struct {
	out      string
	requests int
	errors   socketErrors
	non2xx   bool
}

func wrk(t *testing.T, p *process, seconds, connections int, args ...string) (w wrked) {
	t.Helper()
	args = append([]string{"-t2", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", seconds), "--timeout", "10s"}, args...)
	w.out = mustTool(t, "wrk", append(args, p.url)...)
	w.non2xx = strings.Contains(w.out, "Non-2xx")
	for text := range strings.Lines(w.out) {
		fmt.Sscanf(text, "%d requests in", &w.requests)
		e := &w.errors
		fmt.Sscanf(strings.TrimSpace(text), "Socket errors: connect %d, read %d, write %d, timeout %d",
			&e.connect, &e.read, &e.write, &e.timeout)
	}
	return w
}

// TestCurl: GET and HEAD in both versions of HTTP.
func TestCurl(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay=10ms")
		for _, version := range []string{"1.0", "1.1"} {
			for method, flag := range map[string]string{"GET": "--include", "HEAD": "--head"} {
				t.Run(method+" HTTP/"+version, func(t *testing.T) {
					head, body, _ := strings.Cut(mustTool(t, "curl", "-sS", "--http"+version, flag, p.url), "\r\n\r\n")
					wantHead(t, head+"\r\n", m)
					if want := map[string]string{"GET": "Hello World"}[method]; body != want {
						t.Errorf("the body is %q, want %q", body, want)
					}
				})
			}
		}
	})
}

func wantHead(t *testing.T, head string, m mode) {
	t.Helper()
	for _, want := range []string{
		" 200 OK\r\n", "\nContent-Type: text/plain; charset=utf-8\r\n", "\nContent-Length: 11\r\n",
		"\nServer: demo-server (" + m.Name + ")\r\n", "\nServer-Timing: backlog;dur=",
	} {
		if !strings.Contains(head, want) {
			t.Errorf("no %q in\n%s", want, head)
		}
	}
}

// TestCurlKeepsConnection: a second request goes over the first one's connection, but in single.
func TestCurlKeepsConnection(t *testing.T) {
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay=10ms")
		for version, keeps := range map[string]bool{"1.0": false, "1.1": !m.single()} {
			want := "200 1\n200 1\n" // status and connections made
			if keeps {
				want = "200 1\n200 0\n"
			}
			got := mustTool(t, "curl", "-sS", "--http"+version, "-o", "/dev/null", "-o", "/dev/null",
				"-w", `%{http_code} %{num_connects}\n`, p.url, p.url)
			if got != want {
				t.Errorf("HTTP/%s: %q, want %q", version, got, want)
			}
		}
	})
}

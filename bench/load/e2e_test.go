//go:build e2e

package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// A slow is a server that answers after a delay, and sends a 503 every failing-th time.
type slow struct {
	*httptest.Server
	hundred chan struct{} // closed after 100 answers
}

func newSlow(t *testing.T, delay time.Duration, failing int64) *slow {
	t.Helper()
	s := &slow{hundred: make(chan struct{})}
	var answered atomic.Int64
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(delay)
		n := answered.Add(1)
		if n == 100 {
			close(s.hundred)
		}
		if failing > 0 && n%failing == 0 {
			http.Error(w, "too much", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "Hello World")
	}))
	t.Cleanup(s.Close)
	return s
}

// attempts is the max number of tries on a noisy machine.
const attempts = 5

// near reports whether a latency is the wanted one, or a little longer.
func near(got, want time.Duration) bool { return got >= want && got < want+want/10+20*time.Millisecond }

func TestAB(t *testing.T) {
	const delay = 300 * time.Millisecond
	s := newSlow(t, delay, 0)
	for _, keepalive := range []bool{false, true} {
		t.Run(fmt.Sprintf("keepalive=%v", keepalive), func(t *testing.T) {
			var r Report
			for try := 0; try < attempts && !(near(r.At(50), delay) && near(r.Mean, delay)); try++ {
				var err error
				r, err = AB(t.Context(), ABConfig{
					URL: s.URL + "/", Clients: 10, Requests: 60, Keepalive: keepalive, Timeout: patience,
				})
				if err != nil || r.Completed != 60 || r.Answered != 60 || len(r.Percentiles) != 101 {
					t.Fatalf("%d of %d answered, %d percentiles, %v; want all of 60, and 101\n%s", r.Answered, r.Completed,
						len(r.Percentiles), err, r.Output)
				}
			}
			if !near(r.At(50), delay) || !near(r.Mean, delay) || r.Longest < r.At(99) || r.Took < 6*delay {
				t.Errorf("median %s, mean %s, longest %s, took %s; want %s", r.At(50), r.Mean, r.Longest, r.Took, delay)
			}
			if got := float64(r.Completed) / r.Took.Seconds(); math.Abs(got/r.PerSecond-1) > 0.01 {
				t.Errorf("ab counts %g requests/s, and it was %g", r.PerSecond, got)
			}
		})
	}
}

// TestABDuration checks that the duration ends the run, and that other statuses are counted.
func TestABDuration(t *testing.T) {
	s := newSlow(t, 20*time.Millisecond, 5)
	r, err := AB(t.Context(), ABConfig{URL: s.URL + "/", Clients: 10, Duration: time.Second, Timeout: patience})
	if err != nil || r.Took < time.Second || r.Took > patience/2 {
		t.Fatalf("took %s, %v; want a second\n%s", r.Took, err, r.Output)
	}
	// Two of the ten requests in flight at the end have another status.
	if want := r.Completed / 5; r.Status < want-2 || r.Status > want+2 || r.Answered != r.Completed-r.Status {
		t.Errorf("of %d requests %d failed, %d were answered; want a fifth and the rest", r.Completed, r.Status, r.Answered)
	}
}

// TestABProbes compares the result with the time of two requests at once: a probe makes ab send them one after the
// other.
func TestABProbes(t *testing.T) {
	const delay = 2 * time.Second
	probes, err := ABProbes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := newSlow(t, delay, 0)
	r, err := AB(t.Context(), ABConfig{URL: s.URL + "/", Clients: 2, Requests: 2, Timeout: patience})
	if err != nil || (r.Took >= 2*delay) != probes {
		t.Errorf("says %v, and two requests at once took %s, %v", probes, r.Took, err)
	}
}

// TestWRK checks that the article's clients and delay give 50.0, although wrk's own time has half a round too much.
func TestWRK(t *testing.T) {
	const delay, clients = 2 * time.Second, 100
	s := newSlow(t, delay, 0)
	run, rounds := WholeRounds(4*time.Second, delay)
	var r Report
	var got float64
	for try := 0; try < attempts && !(got == 50 && near(r.At(50), delay) && near(r.Mean, delay)); try++ {
		var err error
		if r, err = WRK(t.Context(), WRKConfig{URL: s.URL + "/", Clients: clients, Duration: run, Timeout: patience}); err != nil {
			t.Fatal(err)
		}
		got = float64(r.Answered) / (float64(rounds) * delay.Seconds())
	}
	if got != 50 {
		t.Errorf("%g requests/s, want 50\n%s", got, r.Output)
	}
	if !near(r.At(50), delay) || !near(r.Mean, delay) || r.Longest < r.At(99) {
		t.Errorf("median %s, mean %s, longest %s; want %s", r.At(50), r.Mean, r.Longest, delay)
	}
	if r.Took < run || r.PerSecond > 45 {
		t.Errorf("took %s at %g requests/s by wrk's own count; want %s, and less than 45", r.Took, r.PerSecond, run)
	}
}

// TestWRKFailures checks that late replies and other statuses are counted separately.
func TestWRKFailures(t *testing.T) {
	s := newSlow(t, 50*time.Millisecond, 4)
	r, err := WRK(t.Context(), WRKConfig{URL: s.URL + "/", Clients: 10, Duration: time.Second, Timeout: patience})
	want := r.Completed / 4
	// Up to three of the ten requests in flight at the end have another status.
	if err != nil || r.Status < want-3 || r.Status > want+3 || r.Answered != r.Completed-r.Status {
		t.Errorf("of %d requests %d failed, %v; want a quarter", r.Completed, r.Status, err)
	}
	s = newSlow(t, 2*time.Second, 0)
	r, err = WRK(t.Context(), WRKConfig{URL: s.URL + "/", Clients: 10, Duration: 3 * time.Second, Timeout: time.Second})
	if err != nil || r.Completed != 10 || r.Timeout != 10 || r.Answered != 0 || r.Percentiles != nil {
		t.Errorf("of %d requests %d came late, %v; want all of 10\n%s", r.Completed, r.Timeout, err, r.Output)
	}
}

// TestToolsGoWhereTheyAreTold checks that both tools connect to the address of the URL, send the given Host header,
// follow no redirect and ignore proxies of the environment.
func TestToolsGoWhereTheyAreTold(t *testing.T) {
	for _, variable := range []string{"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"} {
		t.Setenv(variable, "http://127.0.0.1:1")
	}
	const host = "no-such-name.test:8080"
	tools := map[string]func(url string) (Report, error){
		"ab": func(url string) (Report, error) {
			return AB(t.Context(), ABConfig{URL: url, Host: host, Clients: 1, Requests: 10, Timeout: patience})
		},
		"wrk": func(url string) (Report, error) {
			return WRK(t.Context(), WRKConfig{URL: url, Host: host, Clients: 1, Duration: time.Second, Timeout: patience})
		},
	}
	for name, run := range tools {
		for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
			t.Run(name+" "+address, func(t *testing.T) {
				listener, err := net.Listen("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				var requests, others atomic.Int64
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					if r.Host != host || r.URL.Path != "/" {
						others.Add(1)
					}
					http.Redirect(w, r, "/elsewhere", http.StatusFound)
				}))
				server.Listener.Close()
				server.Listener = listener
				server.Start()
				defer server.Close()
				r, err := run(server.URL + "/")
				if err != nil || requests.Load() < 10 || others.Load() > 0 {
					t.Errorf("%v: of %d requests %d named another host or path\n%s", err, requests.Load(), others.Load(), r.Output)
				}
			})
		}
	}
}

// TestInterrupted checks that an interrupted run keeps its results.
func TestInterrupted(t *testing.T) {
	tools := map[string]func(context.Context, string) (Report, error){
		"ab": func(ctx context.Context, url string) (Report, error) {
			return AB(ctx, ABConfig{URL: url, Clients: 10, Requests: 100_000, Timeout: patience})
		},
		"wrk": func(ctx context.Context, url string) (Report, error) {
			return WRK(ctx, WRKConfig{URL: url, Clients: 10, Duration: time.Minute, Timeout: patience})
		},
	}
	for name, run := range tools {
		t.Run(name, func(t *testing.T) {
			var r Report
			for try := 0; try < attempts && !near(r.At(50), 20*time.Millisecond); try++ {
				r = interrupted(t, run)
				if r.Completed < 80 || r.Answered != r.Completed {
					t.Errorf("%d requests of which %d were answered, want at least 80, all\n%s", r.Completed, r.Answered, r.Output)
				}
			}
			if !near(r.At(50), 20*time.Millisecond) {
				t.Errorf("a median of %s, want 20ms\n%s", r.At(50), r.Output)
			}
		})
	}
}

// interrupted runs a tool and interrupts it after 100 answers of the server.
func interrupted(t *testing.T, run func(context.Context, string) (Report, error)) Report {
	t.Helper()
	s := newSlow(t, 20*time.Millisecond, 0)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() {
		select {
		case <-s.hundred:
			interrupt()
		case <-ctx.Done():
		}
	}()
	r, err := run(ctx, s.URL+"/")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was interrupted", err)
	}
	return r
}

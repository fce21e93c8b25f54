package load

import (
	"errors"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// recorded returns a file that a real run recorded, or "" if that run wrote none.
func recorded(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if os.IsNotExist(err) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// millis returns n milliseconds.
func millis(n float64) time.Duration { return time.Duration(math.Round(n * float64(time.Millisecond))) }

// TestParseAB parses output of ab 2.3. testdata/README.md has the commands.
func TestParseAB(t *testing.T) {
	cases := []struct {
		recording     string
		want          Report
		p50, p90, p99 time.Duration
		failure       string
	}{
		{
			recording: "ab_lockstep",
			want: Report{
				Completed: 500, Answered: 500, PerSecond: 406.95, Took: millis(1229),
				Mean: millis(204), Longest: millis(211.162),
			},
			p50: millis(203.317), p90: millis(206.518), p99: millis(210.827),
		},
		{
			recording: "ab_keepalive",
			want: Report{
				Completed: 200, Answered: 200, PerSecond: 454.74, Took: millis(440),
				Mean: millis(21), Longest: millis(22.052),
			},
			p50: millis(20.883), p90: millis(21.088), p99: millis(21.766),
		},
		{
			recording: "ab_duration",
			want: Report{
				Completed: 622, Answered: 622, PerSecond: 309.37, Took: millis(2011),
				Mean: millis(31), Longest: millis(33.32),
			},
			p50: millis(31.434), p90: millis(31.756), p99: millis(32.358),
		},
		{ // ab's own 95% to 99% come from a request that did not exist, and are 0.257 ms
			recording: "ab_small",
			want: Report{
				Completed: 5, Answered: 5, PerSecond: 79.67, Took: millis(63), Mean: millis(21), Longest: millis(21.123),
			},
			p50: millis(20.885), p90: millis(21.123), p99: millis(21.123),
		},
		{ // so does its median
			recording: "ab_one",
			want: Report{
				Completed: 1, Answered: 1, PerSecond: 48.01, Took: millis(21), Mean: millis(21), Longest: millis(20.809),
			},
			p50: millis(20.809), p90: millis(20.809), p99: millis(20.809),
		},
		{ // every fifth is a 503 with another length
			recording: "ab_status",
			want: Report{
				Completed: 200, Answered: 160, PerSecond: 11346.23, Took: millis(18), Status: 40, Length: 40,
				Mean: millis(1), Longest: millis(1.692),
			},
			p50: millis(0.835), p90: millis(1.126), p99: millis(1.586),
		},
		{ // every fourth has another length
			recording: "ab_length",
			want: Report{
				Completed: 200, Answered: 150, PerSecond: 1513.5, Took: millis(132), Length: 50,
				Mean: millis(6), Longest: millis(7.357),
			},
			p50: millis(6.213), p90: millis(6.889), p99: millis(7.236),
		},
		{ // every tenth is reset: ab counts 60 failures, each of the 20 three times
			recording: "ab_reset",
			want: Report{
				Completed: 200, Answered: 180, PerSecond: 849.72, Took: millis(235), Broken: 20, Length: 20,
				Mean: millis(11), Longest: millis(11.881),
			},
			p50: millis(11.182), p90: millis(11.53), p99: millis(11.867),
		},
		{ // without a listener: ab counts all requests as complete
			recording: "ab_refused",
			want: Report{
				Completed: 200, PerSecond: 45987.58, Took: millis(4), Broken: 200, Longest: millis(0.132),
			},
			p50: millis(0.012), p90: millis(0.013), p99: millis(0.023),
		},
		{
			recording: "ab_interrupted",
			want: Report{
				Completed: 41, Answered: 41, PerSecond: 37.48, Took: millis(1094), Mean: millis(202), Longest: millis(202.208),
			},
			p50: millis(201.7), p90: millis(202.064), p99: millis(202.208),
		},
		{
			recording: "ab_interrupted_at_once",
			want:      Report{Took: millis(144)},
		},
		{ // without -r
			recording: "ab_ended_early",
			want:      Report{Completed: 2},
			failure:   "gave up after 2 requests: apr_socket_recv: Connection reset by peer (104)",
		},
		{
			recording: "ab_timeout",
			want:      Report{Completed: 89},
			failure:   "gave up after 89 requests: apr_pollset_poll: The timeout specified has expired (70007)",
		},
	}
	for _, c := range cases {
		t.Run(c.recording, func(t *testing.T) {
			got, err := parseAB(recorded(t, c.recording+".txt"), recorded(t, c.recording+".csv"))
			checkReport(t, got, err, c.want, c.failure)
			if p50, p90, p99 := got.At(50), got.At(90), got.At(99); p50 != c.p50 || p90 != c.p90 || p99 != c.p99 {
				t.Errorf("p50 %s, p90 %s, p99 %s; want %s, %s, %s", p50, p90, p99, c.p50, c.p90, c.p99)
			}
		})
	}
}

// checkReport compares everything except the output and the percentiles.
func checkReport(t *testing.T, got Report, err error, want Report, failure string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != failure {
		t.Errorf("error %q, want %q", text, failure)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Report{}, "Output", "Percentiles")); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// TestParseABGarbage checks that other text is an error that quotes it.
func TestParseABGarbage(t *testing.T) {
	cases := []struct{ name, output, percentiles, want string }{
		{"nothing", "", "", "gave up after 0 requests: printed nothing"},
		{"another program", "usage: ab FILE\n", "", "gave up after 0 requests: usage: ab FILE"},
		{"no number", "Complete requests: many\n", "", `printed "many" where a number should be`},
		{"below 0", "Complete requests: -1\n", "", `printed "-1" where a number should be`},
		{"no time", "Complete requests: 1\nTime taken for tests: nan s\n", "", `printed "nan" where a number should be`},
		{"more than a time", "Complete requests: 1\n", "50,1e300\n", `printed "1e300" where a number should be`},
		{"more than all", "Complete requests: 1\n", "101,1\n", `printed "101" where a number should be`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseAB(c.output, c.percentiles); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// TestABArguments checks that -n comes after -t, which would set it to 50000, and is at least the number of clients.
func TestABArguments(t *testing.T) {
	cases := []struct {
		name   string
		config ABConfig
		want   string
	}{
		{
			"requests", ABConfig{URL: "http://a/", Clients: 100, Requests: 5000, Timeout: 30 * time.Second},
			"-q -r -s 30 -e FILE -c 100 -n 5000 http://a/",
		},
		{
			"any body", ABConfig{URL: "http://a/", Clients: 1, Requests: 1, AnyBody: true, Timeout: millis(1)},
			"-q -r -s 1 -e FILE -c 1 -l -n 1 http://a/",
		},
		{
			"keepalive", ABConfig{URL: "http://a/", Clients: 1, Requests: 1, Keepalive: true, Timeout: millis(1)},
			"-q -r -s 1 -e FILE -c 1 -k -n 1 http://a/",
		},
		{
			"duration", ABConfig{URL: "http://a/", Clients: 10, Duration: millis(2500), Timeout: millis(1001)},
			"-q -r -s 2 -e FILE -c 10 -t 3 -n 250000 http://a/",
		},
		{
			"both", ABConfig{URL: "http://a/", Clients: 10, Requests: 20, Duration: time.Minute, Timeout: time.Second},
			"-q -r -s 1 -e FILE -c 10 -t 60 -n 20 http://a/",
		},
		{
			"many clients", ABConfig{URL: "http://a/", Clients: 500, Duration: millis(1), Timeout: time.Second},
			"-q -r -s 1 -e FILE -c 500 -t 1 -n 500 http://a/",
		},
		{
			"another host", ABConfig{URL: "http://127.0.0.1:80/", Host: "a:80", Clients: 1, Requests: 1, Timeout: time.Second},
			"-q -r -s 1 -e FILE -c 1 -H Host: a:80 -n 1 http://127.0.0.1:80/",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(c.config.arguments("FILE"), " "); got != c.want {
				t.Errorf("ab %s, want %s", got, c.want)
			}
		})
	}
}

func FuzzParseAB(f *testing.F) {
	for _, name := range recordings(f, "ab_*.txt") {
		f.Add(recorded(f, name+".txt"), recorded(f, name+".csv"))
	}
	f.Fuzz(func(t *testing.T, output, percentiles string) {
		r, err := parseAB(output, percentiles)
		checkSane(t, r, err)
	})
}

// recordings returns the names of recorded files without their extension.
func recordings(t testing.TB, pattern string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".txt"))
	}
	return names
}

// checkSane checks what must be true for any report, whatever its input.
func checkSane(t *testing.T, r Report, err error) {
	t.Helper()
	if least := min(r.Completed, r.Connect, r.Broken, r.Status, r.Length, r.Timeout); least < 0 {
		t.Errorf("a count of %d", least)
	}
	if r.Answered < 0 || r.Answered > r.Completed {
		t.Errorf("%d of %d were right", r.Answered, r.Completed)
	}
	if !(r.PerSecond >= 0) || math.IsInf(r.PerSecond, 0) {
		t.Errorf("%g requests/s", r.PerSecond)
	}
	if least := min(r.Took, r.Mean, r.Longest); least < 0 {
		t.Errorf("a time of %s", least)
	}
	for _, p := range r.Percentiles {
		if p.Latency < 0 || p.Percent < 0 || err == nil && p.Percent > 100 {
			t.Errorf("%g%% within %s", p.Percent, p.Latency)
		}
	}
}

// TestProbes checks that probes recognises a tool that sends its first request alone.
func TestProbes(t *testing.T) {
	ask := func(url string) error {
		response, err := http.Get(url)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	atOnce := func(url string, requests int) error {
		errs := make(chan error, requests)
		for range requests {
			go func() { errs <- ask(url) }()
		}
		var all []error
		for range requests {
			all = append(all, <-errs)
		}
		return errors.Join(all...)
	}
	cases := []struct {
		name string
		load func(url string) error
		want bool
	}{
		{"all at once", func(url string) error { return atOnce(url, 2) }, false},
		{"one alone, then the others", func(url string) error { return errors.Join(ask(url), atOnce(url, 2)) }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got, err := probes(c.load); got != c.want || err != nil {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
	broken := errors.New("broken")
	if _, err := probes(func(string) error { return broken }); err != broken {
		t.Errorf("error %v of a tool that is broken", err)
	}
}

// TestToolPrintsForever checks that run keeps a limited part of the output and discards the rest, to let the tool end.
func TestToolPrintsForever(t *testing.T) {
	folder := t.TempDir()
	script := "#!/bin/sh\nhead -c 20000000 /dev/zero\nhead -c 20000000 /dev/zero >&2\n"
	if err := os.WriteFile(filepath.Join(folder, "chatty"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	output, _, err := program{name: "chatty"}.run(t.Context())
	if err != nil || len(output) < longestOutput || len(output) > 2*longestOutput+1 {
		t.Errorf("%d bytes, %v; want at most %d of each stream", len(output), err, longestOutput)
	}
}

// TestNoTool checks that the error for a missing tool says how to install it.
func TestNoTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, errAB := AB(t.Context(), ABConfig{})
	_, errProbes := ABProbes(t.Context())
	_, errWRK := WRK(t.Context(), WRKConfig{})
	for _, c := range []struct {
		err  error
		want string
	}{
		{errAB, "apt-get install apache2-utils"},
		{errProbes, "apt-get install apache2-utils"},
		{errWRK, "apt-get install wrk"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || !errors.Is(c.err, exec.ErrNotFound) {
			t.Errorf("error %v, want one with %s", c.err, c.want)
		}
	}
}

package load

import (
	"strings"
	"testing"
	"time"
)

// TestParseWRK parses output of wrk 4.1.0. testdata/README.md has the commands.
func TestParseWRK(t *testing.T) {
	cases := []struct {
		recording     string
		want          Report
		p50, p90, p99 time.Duration
		failure       string
	}{
		{
			recording: "wrk_lockstep",
			want: Report{
				Completed: 500, Answered: 500, PerSecond: 45.33, Took: millis(11030), Mean: millis(2000), Longest: millis(2010),
			},
			p50: millis(2000), p90: millis(2010), p99: millis(2010),
		},
		{
			recording: "wrk_fast",
			want: Report{
				Completed: 68715, Answered: 68715, PerSecond: 68689.17, Took: millis(1000),
				Mean: millis(0.43171), Longest: millis(10.78),
			},
			p50: millis(0.111), p90: millis(1.38), p99: millis(4.11),
		},
		{ // 0.87m each, 1.83m in total
			recording: "wrk_minutes",
			want: Report{
				Completed: 4, Answered: 4, PerSecond: 0.04, Took: millis(109800), Mean: millis(52200), Longest: millis(52200),
			},
			p50: millis(52200), p90: millis(52200), p99: millis(52200),
		},
		{ // every fifth is a 503
			recording: "wrk_status",
			want: Report{
				Completed: 70876, Answered: 56701, PerSecond: 64444.15, Took: millis(1100), Status: 14175,
				Mean: millis(0.34653), Longest: millis(8.34),
			},
			p50: millis(0.118), p90: millis(0.779), p99: millis(3.96),
		},
		{ // every tenth: wrk does not count it as complete
			recording: "wrk_reset",
			want: Report{
				Completed: 819, Answered: 819, PerSecond: 817.44, Took: millis(1000), Broken: 91,
				Mean: millis(10.86), Longest: millis(12.56),
			},
			p50: millis(10.85), p90: millis(11.21), p99: millis(11.6),
		},
		{ // every third comes half a second after the timeout
			recording: "wrk_timeout",
			want: Report{
				Completed: 75, Answered: 56, PerSecond: 18.71, Took: millis(4010), Timeout: 19,
				Mean: millis(100.91), Longest: millis(102.34),
			},
			p50: millis(100.84), p90: millis(101.14), p99: millis(102.34),
		},
		{
			recording: "wrk_interrupted",
			want: Report{
				Completed: 60, Answered: 60, PerSecond: 46.08, Took: millis(1300), Mean: millis(200.82), Longest: millis(201.33),
			},
			p50: millis(200.9), p90: millis(201.21), p99: millis(201.33),
		},
		{ // runs for a second, with a delay of two
			recording: "wrk_none",
			want:      Report{Took: millis(1000)},
		},
		{
			recording: "wrk_refused",
			failure:   "unable to connect to 127.0.0.1:8999 Connection refused",
		},
	}
	for _, c := range cases {
		t.Run(c.recording, func(t *testing.T) {
			got, err := parseWRK(recorded(t, c.recording+".txt"))
			checkReport(t, got, err, c.want, c.failure)
			if p50, p90, p99 := got.At(50), got.At(90), got.At(99); p50 != c.p50 || p90 != c.p90 || p99 != c.p99 {
				t.Errorf("p50 %s, p90 %s, p99 %s; want %s, %s, %s", p50, p90, p99, c.p50, c.p90, c.p99)
			}
		})
	}
}

// TestParseWRKGarbage checks that other text is an error that quotes it.
func TestParseWRKGarbage(t *testing.T) {
	cases := []struct{ name, output, want string }{
		{"nothing", "", "printed nothing"},
		{"another program", "usage: wrk FILE\n", "usage: wrk FILE"},
		{"no number", "Requests/sec: many\n", `printed "many" where a number should be`},
		{"no time", "1 requests in 5, 1B read\nRequests/sec: 1\n", `printed "5" where a number should be`},
		{"below 0", "1 requests in -5s, 1B read\nRequests/sec: 1\n", `printed "-5s" where a number should be`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseWRK(c.output); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// TestWholeRounds checks that wrk, which stops up to a tick late, stops in the middle of a round.
func TestWholeRounds(t *testing.T) {
	cases := []struct {
		name            string
		duration, delay time.Duration
		run             time.Duration
		rounds          int
	}{
		{"the article's delay", 10 * time.Second, 2 * time.Second, millis(10950), 5},
		{"what is left over makes no round", 11900 * time.Millisecond, 2 * time.Second, millis(10950), 5},
		{"less than a round is made one", time.Second, 2 * time.Second, millis(2950), 1},
		{"a part of a second", 3 * time.Second, 300 * time.Millisecond, millis(3100), 10},
		{"the shortest round", time.Second, 200 * time.Millisecond, millis(1050), 5},
		{"too short to stop in", time.Second, 199 * time.Millisecond, time.Second, 0},
		{"no delay", time.Second, 0, time.Second, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			run, rounds := WholeRounds(c.duration, c.delay)
			if run != c.run || rounds != c.rounds {
				t.Errorf("run for %s, which is %d rounds; want %s and %d", run, rounds, c.run, c.rounds)
			}
			if rounds == 0 {
				return
			}
			earliest, latest := run, run+wrkTick
			if end := time.Duration(rounds) * c.delay; earliest < end || latest > end+c.delay {
				t.Errorf("stops from %s to %s, and the last round is from %s to %s", earliest, latest, end, end+c.delay)
			}
		})
	}
}

// TestWRKArguments checks the number of threads, because wrk drops connections that it cannot distribute evenly, and
// the timeout, because it costs memory.
func TestWRKArguments(t *testing.T) {
	cases := []struct {
		name              string
		clients, cores    int
		duration, timeout time.Duration
		want              string
	}{
		{"even", 100, 2, 10 * time.Second, 5 * time.Second, "--connections 100 --threads 2 --duration 10 --timeout 5"},
		{"odd", 101, 2, 10 * time.Second, 5 * time.Second, "--connections 101 --threads 1 --duration 10 --timeout 5"},
		{"one core", 100, 1, 10 * time.Second, 5 * time.Second, "--connections 100 --threads 1 --duration 10 --timeout 5"},
		{"many cores", 100, 64, 10 * time.Second, 5 * time.Second, "--connections 100 --threads 2 --duration 10 --timeout 5"},
		{"parts of seconds", 1, 1, millis(10950), millis(1), "--connections 1 --threads 1 --duration 11 --timeout 1"},
		{"a vain timeout", 1, 1, 10 * time.Second, time.Hour, "--connections 1 --threads 1 --duration 10 --timeout 11"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			config := WRKConfig{URL: "http://a/", Clients: c.clients, Duration: c.duration, Cores: c.cores, Timeout: c.timeout}
			if got, want := strings.Join(config.arguments(), " "), c.want+" --latency http://a/"; got != want {
				t.Errorf("wrk %s, want %s", got, want)
			}
		})
	}
	config := WRKConfig{URL: "http://127.0.0.1:80/", Host: "a:80", Clients: 1, Cores: 1, Duration: time.Second, Timeout: time.Second}
	want := "--connections 1 --threads 1 --duration 1 --timeout 1 --latency --header Host: a:80 http://127.0.0.1:80/"
	if got := strings.Join(config.arguments(), " "); got != want {
		t.Errorf("wrk %s, want %s", got, want)
	}
}

func FuzzParseWRK(f *testing.F) {
	for _, name := range recordings(f, "wrk_*.txt") {
		f.Add(recorded(f, name+".txt"))
	}
	f.Fuzz(func(t *testing.T, output string) {
		r, err := parseWRK(output)
		checkSane(t, r, err)
	})
}

package load

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

var wrkProgram = program{"wrk", "wrk"}

// A WRKConfig is the load that wrk puts on a server. wrk keeps its connections, and sends the next request on each as
// soon as the last is answered.
type WRKConfig struct {
	URL      string // its host is an IP address, which wrk connects to
	Host     string // of the Host header; empty for the URL's
	Clients  int
	Duration time.Duration // above 0; wrk needs up to wrkTick more to stop
	Cores    int           // shared by wrk and the server
	Timeout  time.Duration // above 0; a later reply counts in Timeout; rounded up to seconds
}

// WRKInstalled returns an error if wrk is not installed.
func WRKInstalled() error {
	_, err := wrkProgram.path()
	return err
}

// wrkTick is the interval at which wrk checks whether its time is over.
const wrkTick = 100 * time.Millisecond

func (c WRKConfig) arguments() []string {
	// wrk keeps a counter for each microsecond up to the timeout, and no reply can take longer than the run.
	timeout := min(c.Timeout, c.Duration+time.Second)
	arguments := []string{
		"--connections", strconv.Itoa(c.Clients),
		"--threads", strconv.Itoa(wrkThreads(c.Clients, c.Cores)),
		"--duration", wholeSeconds(c.Duration),
		"--timeout", wholeSeconds(timeout),
		"--latency",
	}
	if c.Host != "" {
		arguments = append(arguments, "--header", "Host: "+c.Host)
	}
	return append(arguments, c.URL)
}

// wrkThreads returns the number of wrk's threads: 2 if there are at least 2 cores, because the server needs some too.
// wrk gives each thread the same number of connections and drops the rest, so an odd number of clients gets one thread.
func wrkThreads(clients, cores int) int {
	if clients%2 == 0 && cores >= 2 {
		return 2
	}
	return 1
}

// WRK runs the real wrk. It prints latencies with at least two digits, up to 0.6% off. It counts a latency of more than
// twice its clients / its rate several times, for the requests that were not sent in that time. If ctx ends, the error
// may come with a report of the requests so far.
func WRK(ctx context.Context, c WRKConfig) (Report, error) {
	running := ctx
	if c.Duration%time.Second > 0 { // wrk accepts only whole seconds, but prints its results on an interrupt
		var stop context.CancelFunc
		running, stop = context.WithTimeout(ctx, c.Duration)
		defer stop()
	}
	output, cpu, err := wrkProgram.run(running, c.arguments()...)
	if err != nil {
		return Report{}, err
	}
	report, err := parseWRK(output)
	report.CPU = cpu
	return report, wrkProgram.ended(ctx, err)
}

// WholeRounds returns how long to run wrk to count whole rounds of replies that take delay each, and their number.
//
// If every request takes the same time, replies come in lockstep: 100 clients at 2 s get 100 replies after 2 s, 100
// after 4 s, and none between. wrk counts the replies until it stopped, and its own rate is up to a round too low. If
// it stops in the middle of a round, requests / (rounds · delay) is the rate. The resolution is one round out of all:
// the lateness of each round adds up unseen until it is half a round.
//
// If rounds are too short for wrk to stop in the middle of one, rounds is 0: its own rate is at most one short round
// off.
func WholeRounds(duration, delay time.Duration) (run time.Duration, rounds int) {
	if delay < 2*wrkTick {
		return duration, 0
	}
	rounds = max(1, int(duration/delay))
	// wrk stops up to a tick late, which is in the middle on average.
	return time.Duration(rounds)*delay + (delay-wrkTick)/2, rounds
}

// parseWRK parses the output of wrk.
func parseWRK(output string) (Report, error) {
	r := Report{Output: output}
	var n numbers
	finished := false
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 2:
		case fields[0] == "Latency" && len(fields) == 5: // mean, deviation, max, share within the deviation
			r.Mean, r.Longest = n.withUnit(fields[1]), n.withUnit(fields[3])
		case strings.HasSuffix(fields[0], "%") && len(fields) == 2:
			percent := n.percent(strings.TrimSuffix(fields[0], "%"))
			r.Percentiles = append(r.Percentiles, Percentile{percent, n.withUnit(fields[1])})
		case fields[1] == "requests" && len(fields) >= 4: // 500 requests in 11.02s, 62.50KB read
			r.Completed, r.Took = n.count(fields[0]), n.withUnit(strings.TrimSuffix(fields[3], ","))
		case fields[0] == "Socket" && len(fields) == 10:
			r.socketErrors(&n, fields[2:])
		case fields[0] == "Non-2xx":
			r.Status = n.count(fields[len(fields)-1])
		case fields[0] == "Requests/sec:":
			r.PerSecond = n.float(fields[1])
			finished = true
		}
	}
	if !finished {
		return r, errors.New(lastLine(output))
	}
	r.Answered = max(0, r.Completed-r.Status-r.Timeout)
	if r.Completed <= r.Timeout { // wrk recorded no latency, and prints 0
		r.Percentiles = nil
	}
	return r, n.err
}

// socketErrors parses "connect 0, read 91, write 0, timeout 0".
func (r *Report) socketErrors(n *numbers, fields []string) {
	count := func(i int) int { return n.count(strings.TrimSuffix(fields[i], ",")) }
	r.Connect, r.Broken, r.Timeout = count(1), count(3)+count(5), count(7)
}

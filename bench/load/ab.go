package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

var abProgram = program{"ab", "apache2-utils"}

// An ABConfig is the load that ab puts on a server.
type ABConfig struct {
	URL       string // its host is an IP address, which ab connects to
	Host      string // of the Host header; empty for the URL's
	Clients   int
	Requests  int           // number to send; 0 sends for Duration
	Duration  time.Duration // no request is sent after it, rounded up to seconds; 0 for no end
	Keepalive bool          // false opens a connection for each request
	AnyBody   bool          // replies may differ in length; otherwise a different length counts as a failure
	Timeout   time.Duration // time without any event, after which ab gives up; rounded up to seconds
}

// abPerSecond is more than ab can send, because a duration must end before the requests run out. ab reserves 40 bytes
// for each request, though it touches only those of sent ones.
const abPerSecond = 100_000

func (c ABConfig) arguments(percentiles string) []string {
	arguments := []string{
		"-q", // quiet
		"-r", // count receive errors and continue
		"-s", wholeSeconds(c.Timeout),
		"-e", percentiles,
		"-c", strconv.Itoa(c.Clients),
	}
	if c.Host != "" {
		arguments = append(arguments, "-H", "Host: "+c.Host)
	}
	if c.AnyBody {
		arguments = append(arguments, "-l")
	}
	if c.Keepalive {
		arguments = append(arguments, "-k")
	}
	requests := c.Requests
	if c.Duration > 0 {
		arguments = append(arguments, "-t", wholeSeconds(c.Duration))
		if requests == 0 {
			requests = max(c.Clients, int(c.Duration.Seconds()*abPerSecond))
		}
	}
	// After -t, which sets it to 50000.
	return append(arguments, "-n", strconv.Itoa(requests), c.URL)
}

// AB runs the real ab. Percentiles and the longest latency have the resolution of its clock, a microsecond; it prints
// the mean in whole milliseconds. If ctx ends or ab gives up, the error comes with a report of the requests so far.
func AB(ctx context.Context, c ABConfig) (Report, error) {
	folder, err := os.MkdirTemp("", "demo-server-ab-")
	if err != nil {
		return Report{}, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "percentiles.csv")
	output, cpu, err := abProgram.run(ctx, c.arguments(file)...)
	if err != nil {
		return Report{}, err
	}
	percentiles, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // ab writes none if no request was completed
		return Report{}, err
	}
	report, err := parseAB(output, string(percentiles))
	report.CPU = cpu
	return report, abProgram.ended(ctx, err)
}

// parseAB parses ab's output and its file of percentiles. If ab gave up, the error says why, and the report holds the
// number of completed requests.
func parseAB(output, percentiles string) (Report, error) {
	r := Report{Output: output}
	var n numbers
	finished := false
	for line := range strings.Lines(output) {
		label, text, _ := strings.Cut(strings.TrimSpace(line), ":")
		values := strings.Fields(text)
		switch {
		case len(values) == 0:
		case label == "Complete requests":
			r.Completed = n.count(values[0])
			finished = true
		case label == "Time taken for tests":
			r.Took = n.in(time.Second, values[0])
		case label == "(Connect":
			r.failures(&n, strings.Trim(strings.TrimSpace(line), "()"))
		case label == "Write errors":
			r.Broken += n.count(values[0])
		case label == "Non-2xx responses":
			r.Status = n.count(values[0])
		case label == "Requests per second":
			r.PerSecond = n.float(values[0])
		case label == "Total" && len(values) == 5: // min, mean, deviation, median, max
			r.Mean, r.Longest = n.in(time.Millisecond, values[1]), n.in(time.Millisecond, values[4])
		}
	}
	if !finished {
		return r.gaveUp(&n)
	}
	r.percentiles(&n, percentiles)
	// Broken replies have no status, and most broken replies and other statuses differ in length.
	r.Answered = max(0, r.Completed-max(r.Length, r.Broken+r.Status))
	return r, n.err
}

// failures parses "Connect: 0, Receive: 20, Length: 20, Exceptions: 20". The kinds overlap: a receive error is usually
// an exception too, and always too short.
func (r *Report) failures(n *numbers, text string) {
	kinds := map[string]int{}
	for kind := range strings.SplitSeq(text, ", ") {
		name, count, _ := strings.Cut(kind, ": ")
		kinds[name] = n.count(count)
	}
	r.Connect, r.Length = kinds["Connect"], kinds["Length"]
	r.Broken += max(kinds["Receive"], kinds["Exceptions"])
}

// percentiles parses the lines "percent,milliseconds", from 0 to 100.
//
// If a percent of the completed requests rounds up to all of them, ab prints the value after the last request. With 50
// or fewer requests this affects the highest percentiles below 100, so they are left out.
func (r *Report) percentiles(n *numbers, text string) {
	for line := range strings.Lines(text) {
		percent, millis, _ := strings.Cut(strings.TrimSpace(line), ",")
		if percent == "Percentage served" {
			continue
		}
		p := Percentile{n.percent(percent), n.in(time.Millisecond, millis)}
		if p.Percent == 100 || int(0.5+float64(r.Completed)*p.Percent/100) < r.Completed {
			r.Percentiles = append(r.Percentiles, p)
		}
		if p.Percent == 100 {
			r.Longest = p.Latency
		}
	}
}

var abTotal = regexp.MustCompile(`Total of ([0-9]+) requests completed`)

// gaveUp parses the output that ab prints instead of results.
func (r Report) gaveUp(n *numbers) (Report, error) {
	if total := abTotal.FindStringSubmatch(r.Output); total != nil {
		r.Completed = n.count(total[1])
	}
	return r, fmt.Errorf("gave up after %d requests: %s", r.Completed, lastLine(r.Output))
}

// probeHold is how long ABProbes delays the first reply. Without a probe another request comes at once.
const probeHold = 300 * time.Millisecond

// ABProbes reports whether this machine's ab sends one request alone and the others only after its reply, as many
// builds do. It runs ab against a server of its own, which delays the first reply for up to probeHold.
func ABProbes(ctx context.Context) (bool, error) {
	return probes(func(url string) error {
		report, err := AB(ctx, ABConfig{URL: url, Clients: 2, Requests: 3, Timeout: 10 * time.Second})
		if err == nil && report.Answered != 3 {
			err = fmt.Errorf("ab: %d of 3 requests were answered", report.Answered)
		}
		return err
	})
}

// probes reports whether load, which sends at least two requests, sends the second only after the first reply.
func probes(load func(url string) error) (bool, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return false, err
	}
	var arrived atomic.Int64
	second, alone := make(chan struct{}), make(chan bool, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		switch arrived.Add(1) {
		case 1:
			alone <- !within(probeHold, second)
		case 2:
			close(second)
		}
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		server.Close()
		<-served
	}()
	if err := load("http://" + listener.Addr().String() + "/"); err != nil {
		return false, err
	}
	return <-alone, nil
}

func within(d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

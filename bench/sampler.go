package bench

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"demo-server/bench/result"
)

// sampleEvery is how often a child is looked at, on average. Each look is at a random moment of its interval: replies come
// in rounds, and looks that keep time with them see the same moment of each.
const sampleEvery = 100 * time.Millisecond

// A sampler looks at a server while it is under load.
type sampler struct {
	processes *processes // nil for a server that was not started here
	stats     string     // URL of demo-server's /stats, or empty
	load      loadGauges // nil where the load is not ours
	client    *http.Client
	replies   func(at time.Duration, n float64) // is called with the right replies since the load began; may be nil
	jitter    func(time.Duration) time.Duration // a random duration from 0 to below that one
	start     time.Time
	samples   []result.Sample
	moments   []moment
	span      span
}

// A moment is when a sample counted the requests in the server, and how many there were.
type moment struct {
	from, to time.Duration // between which the server counted
	inServer float64
}

// loadGauges are what the generator knows.
type loadGauges interface {
	Elapsed() time.Duration
	Busy() int
	Answered() int
}

func newSampler(c *child, load loadGauges) *sampler {
	s := &sampler{load: load, jitter: rand.N[time.Duration]}
	if c != nil {
		s.processes = newProcesses(c.pid())
	}
	if c != nil && c.admin != "" {
		s.stats, s.client = "http://"+c.admin+"/stats", newClient(c.admin)
		s.client.Timeout = time.Second
	}
	return s
}

// idleSamples are taken before the load begins.
const idleSamples = 5

// An idle is a server without load.
type idle struct {
	result.Sample

	// What being looked at takes; 0 if the server is not asked anything.
	cores    float64
	switches float64 // per second
}

// idle looks at the server before the load begins, for as long as it takes to tell what looking costs. That is the
// median of a few looks: a server may still be busy with its start.
func (s *sampler) idle() idle {
	s.start = time.Now()
	if s.stats == "" || s.processes == nil {
		time.Sleep(sampleEvery) // whoever asked it whether it is ready may still be connected
		return idle{Sample: s.sample(true)}
	}
	i := idle{Sample: s.sample(true)}
	var cores, switches []float64
	for range idleSamples {
		began, before, last := time.Now(), s.processes.exactCPU(), i.Sample
		time.Sleep(sampleEvery)
		i.Sample = s.sample(true)
		took := time.Since(began).Seconds()
		cores = append(cores, (s.processes.exactCPU()-before)/took)
		if switched := difference(last.Switches, i.Switches); switched != nil {
			switches = append(switches, *switched/took)
		}
	}
	i.cores, i.switches = medianOf(cores), medianOf(switches)
	return i
}

// medianOf returns the median of values, or 0 of none.
func medianOf(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// run samples until ctx is done, and once more then. The load begins now.
func (s *sampler) run(ctx context.Context) {
	s.start, s.moments = time.Now(), nil
	s.samples = append(s.samples, s.sample(true))
	interval := s.start
	for sleepUntil(ctx, interval.Add(s.jitter(sampleEvery))) {
		s.samples = append(s.samples, s.sample(false))
		s.report()
		past := max(0, time.Since(interval)) / sampleEvery // more than one if a look took long
		interval = interval.Add(max(1, past) * sampleEvery)
	}
	s.samples = append(s.samples, s.sample(true))
}

// report passes on the replies so far, if they are known.
func (s *sampler) report() {
	last := s.samples[len(s.samples)-1]
	if replies := difference(s.samples[0].Completed, last.Completed); s.replies != nil && replies != nil {
		s.replies(time.Duration(last.At*float64(time.Second)), *replies)
	}
}

// sleepUntil returns false if ctx is done first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// elapsed returns the time since the load began, by the clock of the generator if it is ours: its requests are compared
// with samples of the same moment.
func (s *sampler) elapsed() time.Duration {
	if s.load != nil {
		return s.load.Elapsed()
	}
	return time.Since(s.start)
}

func (s *sampler) sample(refresh bool) result.Sample {
	at := s.elapsed()
	sample := result.Sample{At: at.Seconds()}
	if s.load != nil {
		sample.Busy, sample.Completed = result.Number(s.load.Busy()), result.Number(s.load.Answered())
	}
	if s.stats != "" {
		s.ask(&sample)
		if n := inServer(sample); n != nil {
			s.moments = append(s.moments, moment{at, s.elapsed(), *n})
		}
	}
	if s.processes != nil {
		s.processes.read(&sample, refresh)
	}
	return sample
}

// stats is what demo-server says of itself on /stats.
type stats struct {
	Goroutines  int            `json:"goroutines"`
	InFlight    int            `json:"in_flight"`
	Queued      int            `json:"queued"`
	Connections int            `json:"connections"`
	Requests    map[string]int `json:"requests"`
	AcceptQueue *struct {
		Depth int `json:"depth"`
	} `json:"accept_queue"`
}

// longestStats is how much of /stats is read, in bytes: a page of demo-server's has a few kB.
const longestStats = 1 << 20

// ask fills in what the server knows; where it does not answer in time, that stays null.
func (s *sampler) ask(sample *result.Sample) {
	response, err := s.client.Get(s.stats)
	if err != nil {
		return
	}
	defer response.Body.Close()
	var body stats
	if response.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(response.Body, longestStats)).Decode(&body) != nil {
		return
	}
	sample.Goroutines, sample.Connections = result.Number(body.Goroutines), result.Number(body.Connections)
	sample.InFlight, sample.Queued = result.Number(body.InFlight), result.Number(body.Queued)
	if body.AcceptQueue != nil {
		sample.AcceptQueue = result.Number(body.AcceptQueue.Depth)
	}
	if sample.Completed == nil {
		sample.Completed = result.Number(body.Requests["ok"])
	}
}

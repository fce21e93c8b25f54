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

// sampleEvery is the mean interval between samples. Each is at a random time in its interval: replies come in rounds,
// and samples in step with them would always see the same part of a round.
const sampleEvery = 100 * time.Millisecond

// A sampler samples a server under load.
type sampler struct {
	processes *processes // nil for an external server
	stats     string     // URL of demo-server's /stats, or empty
	load      loadGauges // nil if a tool does the load
	client    *http.Client
	replies   func(at time.Duration, n float64) // called with the right replies since the load began; may be nil
	jitter    func(time.Duration) time.Duration // returns a random duration from 0 to below its argument
	start     time.Time
	samples   []result.Sample
	moments   []moment
	span      span
}

// A moment is the number of requests in the server, and when a sample counted them.
type moment struct {
	from, to time.Duration // the server counted between them
	inServer float64
}

// A loadGauges provides the counters of the generator.
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

// idleSamples is the number of samples before the load begins.
const idleSamples = 5

// An idle is a sample of a server without load.
type idle struct {
	result.Sample

	// The cost of sampling; 0 if the server is not asked anything.
	cores    float64
	switches float64 // per second
}

// idle samples the server before the load begins, long enough to measure the cost of sampling. It uses the median of
// several samples, because the server may still be busy with its start.
func (s *sampler) idle() idle {
	s.start = time.Now()
	if s.stats == "" || s.processes == nil {
		time.Sleep(sampleEvery) // the connection of the readiness check may still be open
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

// medianOf returns the median of values, or 0 if there are none.
func medianOf(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// run takes samples until ctx is done, and a last one then. The load begins now.
func (s *sampler) run(ctx context.Context) {
	s.start, s.moments = time.Now(), nil
	s.samples = append(s.samples, s.sample(true))
	interval := s.start
	for sleepUntil(ctx, interval.Add(s.jitter(sampleEvery))) {
		s.samples = append(s.samples, s.sample(false))
		s.report()
		past := max(0, time.Since(interval)) / sampleEvery // more than one if a sample took long
		interval = interval.Add(max(1, past) * sampleEvery)
	}
	s.samples = append(s.samples, s.sample(true))
}

// report passes on the number of replies so far if it is known.
func (s *sampler) report() {
	last := s.samples[len(s.samples)-1]
	if replies := difference(s.samples[0].Completed, last.Completed); s.replies != nil && replies != nil {
		s.replies(time.Duration(last.At*float64(time.Second)), *replies)
	}
}

// sleepUntil reports whether t came before ctx was done.
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

// elapsed returns the time since the load began. If the load is the builtin generator's, it uses the generator's clock,
// because the audits compare requests with samples of the same time.
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

// stats holds fields of demo-server's /stats.
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

// longestStats is the max number of bytes read of /stats, which has a few kB on demo-server.
const longestStats = 1 << 20

// ask sets the fields that the server reports. If it does not answer in time, they stay null.
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

package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"demo-server/bench/result"
)

// sampleEvery is how often a child is looked at.
const sampleEvery = 100 * time.Millisecond

// A sampler looks at a server while it is under load.
type sampler struct {
	processes *processes // nil for a server that was not started here
	stats     string     // URL of demo-server's /stats, or empty
	load      loadGauges // nil where the load is not ours
	client    *http.Client
	start     time.Time
	samples   []result.Sample
}

// loadGauges are what the generator knows.
type loadGauges interface {
	Busy() int
	Answered() int
}

func newSampler(c *child, load loadGauges) *sampler {
	s := &sampler{load: load}
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
	cores float64 // that it uses for being looked at; 0 where it is not asked anything
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
	var cores []float64
	for range idleSamples {
		began, before := time.Now(), s.processes.exactCPU()
		time.Sleep(sampleEvery)
		i.Sample = s.sample(true)
		cores = append(cores, (s.processes.exactCPU()-before)/time.Since(began).Seconds())
	}
	slices.Sort(cores)
	i.cores = cores[len(cores)/2]
	return i
}

// run samples until ctx is done, and once more then. The load begins now.
func (s *sampler) run(ctx context.Context) {
	s.start = time.Now()
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	s.samples = append(s.samples, s.sample(true))
	for {
		select {
		case <-ticker.C:
			s.samples = append(s.samples, s.sample(false))
		case <-ctx.Done():
			s.samples = append(s.samples, s.sample(true))
			return
		}
	}
}

func (s *sampler) sample(refresh bool) result.Sample {
	sample := result.Sample{At: time.Since(s.start).Seconds()}
	if s.load != nil {
		sample.Busy, sample.Completed = result.Number(s.load.Busy()), result.Number(s.load.Answered())
	}
	if s.stats != "" {
		s.ask(&sample)
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

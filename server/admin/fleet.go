package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"demo-server/server"
)

// A Fleet is what several worker processes measure, added up. Create it with NewFleet in the process that leads them.
//
// It asks the workers whenever somebody asks it, and once a second: what a worker had counted that was killed since is
// lost, and nothing else. Counts never go down, whichever worker ends.
type Fleet struct {
	config   FleetConfig
	registry *prometheus.Registry // of this process
	start    time.Time

	mu       sync.Mutex
	members  []*member
	kept     tally // what workers counted that have ended
	restarts int
}

// A FleetConfig is what a Fleet needs to know.
type FleetConfig struct {
	Mode   func() string  // the mode that serves
	Source *server.Source // on which all accept
}

// A Worker is a worker process, and how to ask it.
type Worker struct {
	PID     int
	State   string // stateServes for one that serves
	Started time.Time
	Address string // of the Unix socket on which its own Server listens; empty as long as it does not
	Token   string // of that Server
}

const (
	// askEvery bounds what is lost of a worker that is killed, and askTimeout what one that hangs costs everybody else.
	askEvery   = time.Second
	askTimeout = 500 * time.Millisecond

	workerPath  = "/workers/"
	stateServes = "ready"
	maxReason   = 1 << 10 // bytes
)

// A member is a Worker, and what it said last.
type member struct {
	Worker
	client http.Client
	asked  atomic.Int64 // how often

	seen     int64 // the number of the asking that families come from
	families []*dto.MetricFamily
	answers  bool
}

// NewFleet returns a Fleet of no workers.
func NewFleet(config FleetConfig) *Fleet {
	f := &Fleet{config: config, start: time.Now(), kept: tally{}}
	f.registry = newRegistry(fleetCollector{f})
	return f
}

// Watch asks the workers from time to time until ctx is done.
func (f *Fleet) Watch(ctx context.Context) {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.ask()
		case <-ctx.Done():
			return
		}
	}
}

// Put adds a worker, or replaces what is known of the one with that PID.
func (f *Fleet) Put(w Worker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.members, func(m *member) bool { return m.PID == w.PID })
	switch {
	case i < 0:
		f.members = append(f.members, newMember(w))
	case f.members[i].Address != w.Address:
		f.members[i] = newMember(w) // it had nothing to say yet
	default:
		f.members[i].State = w.State
	}
}

// Ask asks a worker for its last figures, before it ends.
func (f *Fleet) Ask(pid int) {
	if m := f.find(pid); m != nil {
		f.refresh(m)
	}
}

// Remove takes out a worker that has ended, and keeps what it counted.
func (f *Fleet) Remove(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		if m.PID != pid {
			continue
		}
		m.client.CloseIdleConnections()
		for _, family := range m.families {
			if ours(family) && family.GetType() != dto.MetricType_GAUGE {
				f.kept.add(family)
			}
		}
	}
	f.members = slices.DeleteFunc(f.members, func(m *member) bool { return m.PID == pid })
}

// Restarted counts a worker that died and is replaced.
func (f *Fleet) Restarted() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restarts++
}

func (f *Fleet) find(pid int) *member {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		if m.PID == pid {
			return m
		}
	}
	return nil
}

func newMember(w Worker) *member {
	m := &member{Worker: w}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", w.Address)
	}
	m.client = http.Client{Timeout: askTimeout, Transport: &http.Transport{DialContext: dial}}
	return m
}

// ask asks all workers at the same time, those excepted that have nothing to tell yet.
func (f *Fleet) ask() {
	f.mu.Lock()
	members := slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool { return m.Address == "" })
	f.mu.Unlock()
	var asked sync.WaitGroup
	for _, m := range members {
		asked.Go(func() { f.refresh(m) })
	}
	asked.Wait()
}

// refresh asks a worker, and keeps its answer, unless one to a later question was faster. Of one that does not answer
// in time, the last figures stay.
func (f *Fleet) refresh(m *member) {
	number := m.asked.Add(1)
	families, err := m.metrics()
	f.mu.Lock()
	defer f.mu.Unlock()
	if number < m.seen {
		return
	}
	m.seen, m.answers = number, err == nil
	if err == nil {
		m.families = families
	}
}

// metrics gets the worker's metrics.
func (m *member) metrics() (families []*dto.MetricFamily, err error) {
	response, err := m.get("/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	for decoder := expfmt.NewDecoder(response.Body, expfmt.ResponseFormat(response.Header)); ; {
		var family dto.MetricFamily
		switch err := decoder.Decode(&family); {
		case errors.Is(err, io.EOF):
			return families, nil
		case err != nil:
			return nil, err
		}
		families = append(families, &family)
	}
}

// Ready asks the workers that serve whether they are ready, and says of one that is not why. One that does not answer
// is left to whoever looks after it: it may just be busy.
func (f *Fleet) Ready() (ready bool, reason string) {
	f.mu.Lock()
	members := slices.DeleteFunc(slices.Clone(f.members), func(m *member) bool { return m.State != stateServes })
	f.mu.Unlock()
	reasons := make([]string, len(members))
	var asked sync.WaitGroup
	for i, m := range members {
		asked.Go(func() { reasons[i] = m.unready() })
	}
	asked.Wait()
	for i, m := range members {
		if reasons[i] != "" {
			return false, fmt.Sprintf("worker process %d: %s", m.PID, reasons[i])
		}
	}
	return true, ""
}

// unready is why the worker is not ready, as far as it says so.
func (m *member) unready() string {
	response, err := m.get(pathReadyz)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	reason, err := io.ReadAll(io.LimitReader(response.Body, maxReason))
	if response.StatusCode != http.StatusServiceUnavailable || err != nil {
		return ""
	}
	return strings.TrimSpace(string(reason))
}

// get asks the worker's own Server.
func (m *member) get(path string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, "http://worker"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+m.Token)
	request.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	return m.client.Do(request)
}

// ours reports whether a worker's metrics of that name add up to those of the whole. The accept queue is one, and each
// worker sees all of it; what is known of the process is its own.
func ours(family *dto.MetricFamily) bool {
	name := family.GetName()
	return strings.HasPrefix(name, namePrefix) && !strings.HasPrefix(name, namePrefix+"accept_queue")
}

// Gather asks all workers, and adds up what they say. What each process has of its own is told apart by labels.
func (f *Fleet) Gather() ([]*dto.MetricFamily, error) {
	f.ask()
	own, err := f.registry.Gather()
	f.mu.Lock()
	defer f.mu.Unlock()
	total := f.total()
	for _, m := range f.members {
		total.addOwn(m.families, "worker", m.PID)
	}
	total.addOwn(own, "supervisor", os.Getpid())
	for _, family := range own {
		if strings.HasPrefix(family.GetName(), namePrefix) {
			total.add(family)
		}
	}
	return total.families(), err
}

// total adds up what workers count, have counted, and hold. The caller holds the lock.
func (f *Fleet) total() tally {
	total := tally{}
	for _, family := range f.kept.families() {
		total.add(family)
	}
	for _, m := range f.members {
		for _, family := range m.families {
			if ours(family) {
				total.add(family)
			}
		}
	}
	return total
}

// addOwn adds what a process says of itself alone.
func (t tally) addOwn(families []*dto.MetricFamily, process string, pid int) {
	labels := []*dto.LabelPair{
		{Name: new("process"), Value: &process}, {Name: new("pid"), Value: new(strconv.Itoa(pid))},
	}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), namePrefix) {
			t.add(family, labels...)
		}
	}
}

// fleetStats is what /stats says more of a Fleet.
type fleetStats struct {
	Restarts int           `json:"restarts"` // workers that died and were replaced
	Workers  []workerStats `json:"workers"`
}

type workerStats struct {
	PID        int       `json:"pid"`
	State      string    `json:"state"`
	Started    time.Time `json:"started"`
	Answers    bool      `json:"answers"` // whether it did now: if not, its figures are older
	Goroutines int       `json:"goroutines"`
	figures
}

func (f *Fleet) stats() stats {
	f.ask()
	now := f.snapshot()
	f.mu.Lock()
	defer f.mu.Unlock()
	now.modes = figuresOf(f.total().families())
	body := now.stats()
	body.UptimeSeconds = time.Since(f.start).Seconds()
	body.fleetStats = &fleetStats{Restarts: f.restarts, Workers: []workerStats{}}
	for _, m := range f.members {
		w := m.stats()
		body.Goroutines += w.Goroutines
		body.Workers = append(body.Workers, w)
	}
	return body
}

func (m *member) stats() workerStats {
	stats := workerStats{
		PID: m.PID, State: m.State, Started: m.Started, Answers: m.answers, figures: newSeries("").read(),
	}
	if all := figuresOf(m.families); len(all) > 0 {
		stats.figures = all[0] // it has one mode
	}
	for _, family := range m.families {
		if family.GetName() == "go_goroutines" {
			stats.Goroutines = int(family.Metric[0].GetGauge().GetValue())
		}
	}
	return stats
}

// snapshot is what this process knows itself. Its caller does not hold the lock, which whoever tells the mode may wait
// for.
func (f *Fleet) snapshot() (now snapshot) {
	now.current = f.config.Mode()
	if queue, ok := f.config.Source.AcceptQueue(); ok {
		now.acceptQueue = &queue
	}
	return now
}

var (
	descWorkers = prometheus.NewDesc(namePrefix+"worker_processes", "Worker processes by state.", []string{"state"}, nil)
	descUp      = prometheus.NewDesc(namePrefix+"worker_process_up",
		"1 for a worker process that answered just now. One that did not is counted as it was when it last did.",
		[]string{"pid"}, nil)
	descRestarts = prometheus.NewDesc(namePrefix+"worker_process_restarts_total",
		"Worker processes that died and were replaced.", nil, nil)
)

// A fleetCollector shows what only a Fleet has.
type fleetCollector struct{ fleet *Fleet }

func (c fleetCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descWorkers, descUp, descRestarts, descAcceptQueue, descAcceptQueueLimit} {
		descs <- desc
	}
}

func (c fleetCollector) Collect(metrics chan<- prometheus.Metric) {
	c.fleet.snapshot().collectAcceptQueue(metrics)
	c.fleet.mu.Lock()
	defer c.fleet.mu.Unlock()
	states := map[string]int{}
	for _, m := range c.fleet.members {
		states[m.State]++
		up := 0.0
		if m.answers {
			up = 1
		}
		metrics <- prometheus.MustNewConstMetric(descUp, prometheus.GaugeValue, up, strconv.Itoa(m.PID))
	}
	for state, n := range states {
		metrics <- prometheus.MustNewConstMetric(descWorkers, prometheus.GaugeValue, float64(n), state)
	}
	metrics <- prometheus.MustNewConstMetric(descRestarts, prometheus.CounterValue, float64(c.fleet.restarts))
}

// list names the workers, a line each.
func (f *Fleet) list(w http.ResponseWriter, _ *http.Request) {
	var text []byte
	f.mu.Lock()
	for _, m := range f.members {
		text = fmt.Appendf(text, "%s%d/ %s\n", workerPath, m.PID, m.State)
	}
	f.mu.Unlock() // a slow client holds up nobody else
	writeText(w, text)
}

// forward hands a request to the worker that its path names.
func (f *Fleet) forward(w http.ResponseWriter, r *http.Request) {
	pid, _ := strconv.Atoi(chi.URLParam(r, "pid"))
	m := f.find(pid)
	if m == nil {
		http.Error(w, "not found: "+workerPath+" lists the worker processes", http.StatusNotFound)
		return
	}
	proxy := httputil.ReverseProxy{
		Transport: m.client.Transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", "worker"
			p.Out.URL.Path, p.Out.URL.RawPath = "/"+chi.URLParam(r, "*"), ""
			p.Out.Header.Set("Authorization", "Bearer "+m.Token)
		},
		ErrorLog: log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the worker process does not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
	proxy.ServeHTTP(w, r)
}

package fleet

import (
	"os"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"demo-server/server/metrics"
)

var (
	descWorkers = prometheus.NewDesc(metrics.NamePrefix+"worker_processes", "Worker processes by state.", []string{"state"}, nil)
	descUp      = prometheus.NewDesc(metrics.NamePrefix+"worker_process_up",
		"1 for a worker process that answered just now. One that did not is counted as it was when it last did.",
		[]string{"pid"}, nil)
	descRestarts = prometheus.NewDesc(metrics.NamePrefix+"worker_process_restarts_total",
		"Worker processes that died and were replaced.", nil, nil)
)

// A collector sends the sums and the metrics about worker processes to Prometheus.
type collector struct{ fleet *Fleet }

func (c collector) Describe(descs chan<- *prometheus.Desc) {
	metrics.Describe(descs)
	for _, desc := range []*prometheus.Desc{descWorkers, descUp, descRestarts} {
		descs <- desc
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.fleet.total().Collect(ch)
	c.fleet.mu.Lock()
	defer c.fleet.mu.Unlock()
	states := map[string]int{}
	for _, w := range c.fleet.workers {
		states[w.State]++
		up := 0.0
		if w.answers {
			up = 1
		}
		ch <- prometheus.MustNewConstMetric(descUp, prometheus.GaugeValue, up, strconv.Itoa(w.PID))
	}
	for state, n := range states {
		ch <- prometheus.MustNewConstMetric(descWorkers, prometheus.GaugeValue, float64(n), state)
	}
	ch <- prometheus.MustNewConstMetric(descRestarts, prometheus.CounterValue, float64(c.fleet.restarts))
}

// A processCollector sends the metrics that each process has of its own. It describes none, because they depend on the
// operating system.
type processCollector struct{ fleet *Fleet }

func (c processCollector) Describe(chan<- *prometheus.Desc) {}

func (c processCollector) Collect(ch chan<- prometheus.Metric) {
	metrics.ReadProcess().Collect(ch, "supervisor", strconv.Itoa(os.Getpid()))
	c.fleet.mu.Lock()
	defer c.fleet.mu.Unlock()
	for _, w := range c.fleet.workers {
		w.snapshot.Process.Collect(ch, "worker", strconv.Itoa(w.PID))
	}
}

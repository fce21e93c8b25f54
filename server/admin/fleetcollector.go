package admin

import (
	"os"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	descWorkers = prometheus.NewDesc(namePrefix+"worker_processes", "Worker processes by state.", []string{"state"}, nil)
	descUp      = prometheus.NewDesc(namePrefix+"worker_process_up",
		"1 for a worker process that answered just now. One that did not is counted as it was when it last did.",
		[]string{"pid"}, nil)
	descRestarts = prometheus.NewDesc(namePrefix+"worker_process_restarts_total",
		"Worker processes that died and were replaced.", nil, nil)
)

// A fleetCollector shows the sums, and what only a Fleet has.
type fleetCollector struct{ fleet *Fleet }

func (c fleetCollector) Describe(descs chan<- *prometheus.Desc) {
	Describe(descs)
	for _, desc := range []*prometheus.Desc{descWorkers, descUp, descRestarts} {
		descs <- desc
	}
}

func (c fleetCollector) Collect(metrics chan<- prometheus.Metric) {
	c.fleet.total().Collect(metrics)
	c.fleet.mu.Lock()
	defer c.fleet.mu.Unlock()
	states := map[string]int{}
	for _, w := range c.fleet.workers {
		states[w.State]++
		up := 0.0
		if w.answers {
			up = 1
		}
		metrics <- prometheus.MustNewConstMetric(descUp, prometheus.GaugeValue, up, strconv.Itoa(w.PID))
	}
	for state, n := range states {
		metrics <- prometheus.MustNewConstMetric(descWorkers, prometheus.GaugeValue, float64(n), state)
	}
	metrics <- prometheus.MustNewConstMetric(descRestarts, prometheus.CounterValue, float64(c.fleet.restarts))
}

// A processCollector shows what each process has of its own. It describes nothing, because that depends on the system.
type processCollector struct{ fleet *Fleet }

func (c processCollector) Describe(chan<- *prometheus.Desc) {}

func (c processCollector) Collect(metrics chan<- prometheus.Metric) {
	ReadProcess().Collect(metrics, "supervisor", strconv.Itoa(os.Getpid()))
	c.fleet.mu.Lock()
	defer c.fleet.mu.Unlock()
	for _, w := range c.fleet.workers {
		w.snapshot.Process.Collect(metrics, "worker", strconv.Itoa(w.PID))
	}
}

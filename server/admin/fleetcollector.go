package admin

import (
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

// A fleetCollector shows what only a Fleet has.
type fleetCollector struct{ fleet *Fleet }

func (c fleetCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descWorkers, descUp, descRestarts, descAcceptQueue, descAcceptQueueLimit, descLogDropped} {
		descs <- desc
	}
}

func (c fleetCollector) Collect(metrics chan<- prometheus.Metric) {
	now := c.fleet.snapshot()
	now.collectAcceptQueue(metrics)
	now.collectLog(metrics)
	c.fleet.mu.Lock()
	defer c.fleet.mu.Unlock()
	states := map[string]int{}
	for _, m := range c.fleet.workers {
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

package metrics

import "github.com/prometheus/client_golang/prometheus"

// The metrics. Their HELP texts define the terms, for /stats too.
var (
	descRequests = describe("requests_total", "Finished requests by outcome: what became of each.", "outcome")
	descInFlight = describe("requests_in_flight",
		"Requests that have started and are not finished: working, or their replies being written.")
	descQueued      = describe("requests_queued", "Admitted requests that wait for a place: the queue depth.")
	descConnections = describe("connections_open", "Open connections: accepted and not closed.")
	descClosed      = describe("connections_closed_total", "Connections that ended, by cause: why each did.", "cause")
	descQueueWait   = describe("queue_wait_seconds",
		"Time from admission to the start of work, or to the end of waiting for it, of each request that reached admission.")
	descWork = describe("work_duration_seconds",
		"Time from the start to the end of work, of each request whose work started.")
	descFailures = describe("work_failures_total",
		"Requests whose work failed because of what it depends on, by cause.", "cause")
	descPoolSize  = describe("work_pool_size", "What a kind of work has only so much of: connections, slots or threads.", "kind")
	descPoolInUse = describe("work_pool_in_use", "How much of work_pool_size is in use.", "kind")
	descPoolWaits = describe("work_pool_waiting", "Requests at work that wait for some of work_pool_size.", "kind")

	descAcceptQueue      = describe("accept_queue_length", "Connections that wait in the kernel for the server to accept them.")
	descAcceptQueueLimit = describe("accept_queue_limit", "How many connections may wait in the kernel.")

	descLogDropped = prometheus.NewDesc(NamePrefix+"log_lines_dropped_total",
		"Lines that are missing in the log, because its reader did not keep up or has gone.", nil, nil)
)

// NamePrefix begins the names of all metrics except those of the Go runtime and the process.
const NamePrefix = "demo_server_"

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(NamePrefix+name, help, append([]string{"mode"}, labels...), nil)
}

// A collector sends Metrics to Prometheus.
type collector struct{ metrics *Metrics }

func (c collector) Describe(descs chan<- *prometheus.Desc) { Describe(descs) }

func (c collector) Collect(metrics chan<- prometheus.Metric) { c.metrics.snapshot().Collect(metrics) }

// Describe sends the descriptions of all metrics that Snapshot.Collect sends.
func Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		descRequests, descInFlight, descQueued, descConnections, descClosed,
		descQueueWait, descWork, descFailures, descPoolSize, descPoolInUse, descPoolWaits,
		descAcceptQueue, descAcceptQueueLimit, descLogDropped,
	} {
		descs <- desc
	}
}

// Collect sends the metrics of s to Prometheus, without those of the process.
func (s *Snapshot) Collect(metrics chan<- prometheus.Metric) {
	for i := range s.Modes {
		s.Modes[i].collect(metrics)
	}
	if queue := s.AcceptQueue; queue != nil {
		metrics <- gauge(descAcceptQueue, queue.Depth, s.Mode)
		metrics <- gauge(descAcceptQueueLimit, queue.Limit, s.Mode)
	}
	metrics <- counter(descLogDropped, s.LogDropped)
}

func (m *ModeSnapshot) collect(metrics chan<- prometheus.Metric) {
	for i, count := range m.Requests {
		metrics <- counter(descRequests, count, m.Mode, requestLabels[i])
	}
	metrics <- gauge(descInFlight, m.InFlight, m.Mode)
	metrics <- gauge(descQueued, m.Queued, m.Mode)
	metrics <- gauge(descConnections, m.Connections, m.Mode)
	for i, count := range m.Closed {
		metrics <- counter(descClosed, count, m.Mode, closedLabels[i])
	}
	metrics <- m.QueueWait.metric(descQueueWait, m.QueueWaitBuckets, m.Mode)
	metrics <- m.Work.metric(descWork, m.WorkBuckets, m.Mode)
	for i, count := range m.Failures {
		metrics <- counter(descFailures, count, m.Mode, failureLabels[i])
	}
	for _, p := range m.Pools {
		metrics <- gauge(descPoolSize, p.Size, m.Mode, p.Kind)
		metrics <- gauge(descPoolInUse, p.InUse, m.Mode, p.Kind)
		metrics <- gauge(descPoolWaits, p.Waiting, m.Mode, p.Kind)
	}
}

func counter(desc *prometheus.Desc, value uint64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
}

func gauge(desc *prometheus.Desc, value int, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
}

func (d *Distribution) metric(desc *prometheus.Desc, buckets []uint64, mode string) prometheus.Metric {
	atMost, below := make(map[float64]uint64, len(bounds)), uint64(0)
	for i, bound := range bounds {
		below += buckets[i]
		atMost[bound.Seconds()] = below
	}
	return prometheus.MustNewConstHistogram(desc, d.Count, d.Sum, atMost, mode)
}

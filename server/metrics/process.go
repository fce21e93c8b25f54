package metrics

import (
	"maps"
	"math"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
)

// A Process holds the values of the metrics that each process has of its own, by name: of the Go runtime, the process and
// the build. A counter or a gauge has one value. A summary has its count, its sum and its quantiles.
type Process map[string][]float64

// maxProcessValue limits the values. If memory is not limited, the system reports a limit of 2^64-1 bytes.
const maxProcessValue = 1 << 64

// registerProcess registers the collectors of metrics that each process has of its own.
func registerProcess(registry *prometheus.Registry) {
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
}

var processRegistry = sync.OnceValue(func() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registerProcess(registry)
	return registry
})

// ReadProcess returns the values of this process, without metrics that cannot be read.
func ReadProcess() Process {
	families, _ := processRegistry().Gather()
	p := make(Process, len(families))
	for _, family := range families {
		if values := valuesOf(family.Metric[0]); values != nil && !containsInvalid(values) {
			p[family.GetName()] = values
		}
	}
	return p
}

// valuesOf returns the values of a metric, or nil if it is not a counter, a gauge or a summary.
func valuesOf(metric *dto.Metric) []float64 {
	switch {
	case metric.Counter != nil:
		return []float64{metric.Counter.GetValue()}
	case metric.Gauge != nil:
		return []float64{metric.Gauge.GetValue()}
	case metric.Summary != nil:
		values := []float64{float64(metric.Summary.GetSampleCount()), metric.Summary.GetSampleSum()}
		for _, q := range metric.Summary.Quantile {
			values = append(values, q.GetValue())
		}
		return values
	}
	return nil
}

// A processMetric describes one metric of a Process.
type processMetric struct {
	desc      *prometheus.Desc // with the labels process and pid
	kind      dto.MetricType
	quantiles []float64 // of a summary
}

// processMetrics returns the metrics of this process by name. Worker processes run the same binary, so theirs have the same
// names, labels and types.
var processMetrics = sync.OnceValue(func() map[string]processMetric {
	families, _ := processRegistry().Gather()
	all := make(map[string]processMetric, len(families))
	for _, family := range families {
		labels := prometheus.Labels{}
		for _, label := range family.Metric[0].Label {
			labels[label.GetName()] = label.GetValue()
		}
		m := processMetric{
			desc: prometheus.NewDesc(family.GetName(), family.GetHelp(), []string{"process", "pid"}, labels), kind: family.GetType(),
		}
		for _, q := range family.Metric[0].GetSummary().GetQuantile() {
			m.quantiles = append(m.quantiles, q.GetQuantile())
		}
		all[family.GetName()] = m
	}
	return all
})

// check removes unknown metrics, and returns an error if the values of a known one are impossible.
func (p Process) check() error {
	maps.DeleteFunc(p, func(name string, _ []float64) bool { _, known := processMetrics()[name]; return !known })
	for name, values := range p {
		m := processMetrics()[name]
		want := 1
		if m.kind == dto.MetricType_SUMMARY {
			want = 2 + len(m.quantiles)
		}
		if len(values) != want || containsInvalid(values) || m.kind != dto.MetricType_GAUGE && values[0] < 0 {
			return errValue
		}
	}
	return nil
}

func containsInvalid(values []float64) bool {
	for _, v := range values {
		if !(math.Abs(v) <= maxProcessValue) { // NaN compares false
			return true
		}
	}
	return false
}

// Collect sends the metrics to Prometheus. The role and the ID of the process become the labels process and pid.
func (p Process) Collect(metrics chan<- prometheus.Metric, role, pid string) {
	for name, values := range p {
		switch m := processMetrics()[name]; m.kind {
		case dto.MetricType_COUNTER:
			metrics <- prometheus.MustNewConstMetric(m.desc, prometheus.CounterValue, values[0], role, pid)
		case dto.MetricType_GAUGE:
			metrics <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, values[0], role, pid)
		case dto.MetricType_SUMMARY:
			quantiles := make(map[float64]float64, len(m.quantiles))
			for i, q := range m.quantiles {
				quantiles[q] = values[2+i]
			}
			metrics <- prometheus.MustNewConstSummary(m.desc, uint64(values[0]), values[1], quantiles, role, pid)
		}
	}
}

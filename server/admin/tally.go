package admin

import (
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"demo-server/server"
	"demo-server/work"
)

// A tally adds up what several processes measured. What has the same name and labels becomes one.
type tally map[string]*sum

// maxSeries bounds the memory that workers can make a tally take, by labels that are always new.
const maxSeries = 10_000

// A sum is one name's part of a tally.
type sum struct {
	help    string
	kind    dto.MetricType
	metrics map[string]*dto.Metric // by labels
}

// add adds a family, each metric with more labels. It changes nothing of the family itself, which may be added again.
func (t tally) add(family *dto.MetricFamily, more ...*dto.LabelPair) {
	s := t[family.GetName()]
	if s == nil {
		s = &sum{family.GetHelp(), family.GetType(), map[string]*dto.Metric{}}
		t[family.GetName()] = s
	}
	for _, metric := range family.Metric {
		s.add(metric, more)
	}
}

func (s *sum) add(metric *dto.Metric, more []*dto.LabelPair) {
	labels := slices.Concat(metric.Label, more)
	slices.SortFunc(labels, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	key := labelKey(labels)
	before := s.metrics[key]
	if before == nil {
		if len(s.metrics) >= maxSeries {
			return
		}
		before = &dto.Metric{}
	}
	s.metrics[key] = &dto.Metric{
		Label: labels, Counter: addCounters(before.Counter, metric.Counter), Gauge: addGauges(before.Gauge, metric.Gauge),
		Histogram: addHistograms(before.Histogram, metric.Histogram), Summary: metric.Summary, Untyped: metric.Untyped,
	}
}

func labelKey(labels []*dto.LabelPair) string {
	var key strings.Builder
	for _, label := range labels {
		key.WriteString(label.GetName() + "\xff" + label.GetValue() + "\xff") // no byte of UTF-8
	}
	return key.String()
}

func addCounters(a, b *dto.Counter) *dto.Counter {
	if b == nil {
		return a
	}
	return &dto.Counter{Value: new(a.GetValue() + b.GetValue())}
}

func addGauges(a, b *dto.Gauge) *dto.Gauge {
	if b == nil {
		return a
	}
	return &dto.Gauge{Value: new(a.GetValue() + b.GetValue())}
}

// addHistograms adds bucket by bucket: those of one name have the same bounds, as they come from the same binary.
func addHistograms(a, b *dto.Histogram) *dto.Histogram {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	added := &dto.Histogram{
		SampleCount: new(a.GetSampleCount() + b.GetSampleCount()), SampleSum: new(a.GetSampleSum() + b.GetSampleSum()),
	}
	for i, bucket := range b.Bucket {
		added.Bucket = append(added.Bucket, &dto.Bucket{
			UpperBound: bucket.UpperBound, CumulativeCount: new(a.Bucket[i].GetCumulativeCount() + bucket.GetCumulativeCount()),
		})
	}
	return added
}

// families are the sums, sorted as Prometheus's own registry sorts them.
func (t tally) families() (families []*dto.MetricFamily) {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		s := t[name]
		family := &dto.MetricFamily{Name: &name, Help: &s.help, Type: &s.kind}
		for _, key := range slices.Sorted(maps.Keys(s.metrics)) {
			family.Metric = append(family.Metric, s.metrics[key])
		}
		families = append(families, family)
	}
	return families
}

// figuresOf reads from families what collect wrote into them, by mode.
func figuresOf(families []*dto.MetricFamily) (all []ModeStats) {
	byMode := map[string]*ModeStats{}
	for _, family := range families {
		for _, metric := range family.Metric {
			mode, ok := labelOf(metric, "mode")
			if !ok {
				continue
			}
			if byMode[mode] == nil {
				empty := newSeries(mode).read()
				byMode[mode] = &empty
			}
			byMode[mode].take(family.GetName(), metric)
		}
	}
	for _, mode := range slices.Sorted(maps.Keys(byMode)) {
		all = append(all, *byMode[mode])
	}
	return all
}

// take keeps the figure that a metric of that name holds.
func (m *ModeStats) take(name string, metric *dto.Metric) {
	switch strings.TrimPrefix(name, namePrefix) {
	case "requests_total":
		outcome, _ := labelOf(metric, "outcome")
		for _, o := range server.Outcomes() {
			if o.String() == outcome {
				m.Requests[o] = uint64(metric.GetCounter().GetValue())
			}
		}
	case "in_flight":
		m.InFlight = int(metric.GetGauge().GetValue())
	case "queued":
		m.Queued = int(metric.GetGauge().GetValue())
	case "connections":
		m.Connections = int(metric.GetGauge().GetValue())
	case "connections_closed_total":
		cause, _ := labelOf(metric, "cause")
		m.Closed[cause] = uint64(metric.GetCounter().GetValue())
	case "queue_wait_seconds":
		m.QueueWait = distributionOf(metric.GetHistogram())
	case "work_seconds":
		m.Work = distributionOf(metric.GetHistogram())
	case "work_failures_total":
		cause, _ := labelOf(metric, "cause")
		m.Failures[work.Cause(cause)] = uint64(metric.GetCounter().GetValue())
	case "work_pool_size":
		m.pool(metric).Size = int(metric.GetGauge().GetValue())
	case "work_pool_in_use":
		m.pool(metric).InUse = int(metric.GetGauge().GetValue())
	case "work_pool_waiting":
		m.pool(metric).Waiting = int(metric.GetGauge().GetValue())
	}
}

// pool is the one of the metric's kind. Metrics come sorted by it.
func (m *ModeStats) pool(metric *dto.Metric) *Pool {
	kind, _ := labelOf(metric, "kind")
	i := slices.IndexFunc(m.Pools, func(p Pool) bool { return p.Kind == kind })
	if i < 0 {
		i, m.Pools = len(m.Pools), append(m.Pools, Pool{Kind: kind})
	}
	return &m.Pools[i]
}

func labelOf(metric *dto.Metric, name string) (value string, ok bool) {
	for _, label := range metric.Label {
		if label.GetName() == name {
			return label.GetValue(), true
		}
	}
	return "", false
}

func distributionOf(h *dto.Histogram) Distribution {
	d := Distribution{Count: h.GetSampleCount(), Sum: h.GetSampleSum()}
	if d.Count > 0 {
		d.Mean = d.Sum / float64(d.Count)
	}
	return d
}

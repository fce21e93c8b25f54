package admin

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"

	"demo-server/server"
)

// A worker's answer is checked here, once, before the Fleet keeps it or adds it up: a worker that somebody took over
// must not crash the supervisor, fill its memory, or make /metrics and /stats unreadable. It can still lie about its
// own figures.

const (
	maxAnswer  = 1 << 20 // bytes of a worker's metrics; about 20 KiB are usual
	maxMetrics = 100     // of one name
	maxLabel   = 256     // bytes of a label's value

	maxCount = 1 << 53 // the largest whole number that a float64 can hold: sums of a few of them stay exact enough
	maxGauge = 1 << 64 // of the runtime and the process: no limit on memory is 2^64-1 bytes
)

// A shape is what a worker's metrics of one name must look like.
type shape struct {
	like   *dto.MetricFamily // has the name, the help and the type
	labels []string          // sorted
	bounds []float64         // of a histogram
}

// shapes returns the shape of every metric that a worker can have, by name. A worker runs the same binary as this
// process, so this process knows them.
var shapes = sync.OnceValue(func() map[string]shape {
	families, err := newRegistry(oneOfEach{}).Gather()
	if err != nil {
		panic(err) // the collectors contradict each other
	}
	byName := make(map[string]shape, len(families))
	for _, family := range families {
		byName[family.GetName()] = shapeOf(family)
	}
	return byName
})

func shapeOf(family *dto.MetricFamily) shape {
	s := shape{like: family}
	for _, label := range family.Metric[0].Label {
		s.labels = append(s.labels, label.GetName())
	}
	slices.Sort(s.labels)
	for _, bucket := range family.Metric[0].GetHistogram().GetBucket() {
		s.bounds = append(s.bounds, bucket.GetUpperBound())
	}
	return s
}

// oneOfEach collects at least one of each metric that a collector can.
type oneOfEach struct{}

func (oneOfEach) Describe(descs chan<- *prometheus.Desc) { collector{}.Describe(descs) }

func (oneOfEach) Collect(metrics chan<- prometheus.Metric) {
	all := newSeries("").read()
	all.Pools = []Pool{{}}
	all.collect(metrics)
	now := Snapshot{acceptQueue: &server.AcceptQueue{}}
	now.collectAcceptQueue(metrics)
	now.collectLog(metrics)
}

// readAnswer reads a worker's metrics. It returns copies with the fields that are known, and leaves out names that are
// not. Anything else that is not as it should be is an error.
func readAnswer(body io.Reader) (families []*dto.MetricFamily, err error) {
	limited := &io.LimitedReader{R: body, N: maxAnswer + 1}
	reader, seen := bufio.NewReader(limited), map[string]bool{}
	for {
		var family dto.MetricFamily
		err := protodelim.UnmarshalOptions{MaxSize: maxAnswer}.UnmarshalFrom(reader, &family)
		switch {
		case limited.N == 0:
			return nil, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
		case errors.Is(err, io.EOF):
			return families, nil
		case err != nil:
			return nil, err
		}
		name := family.GetName()
		expected, known := shapes()[name]
		if !known {
			continue
		}
		if seen[name] {
			return nil, fmt.Errorf("metric %s %w", name, errTwice)
		}
		seen[name] = true
		checked, err := expected.family(&family)
		if err != nil {
			return nil, fmt.Errorf("metric %s %w", name, err)
		}
		families = append(families, checked)
	}
}

var (
	errTwice  = errors.New("appears twice")
	errType   = errors.New("has the wrong type")
	errNumber = errors.New("has no values, or too many")
	errLabels = errors.New("has the wrong labels")
	errValue  = errors.New("has an impossible value")
	errBounds = errors.New("has the wrong buckets")
)

// family returns a copy of what is known of a family of this shape.
func (s shape) family(family *dto.MetricFamily) (*dto.MetricFamily, error) {
	if family.Type == nil || family.GetType() != s.like.GetType() {
		return nil, errType
	}
	if n := len(family.Metric); n == 0 || n > maxMetrics {
		return nil, errNumber
	}
	checked, seen := &dto.MetricFamily{Name: s.like.Name, Help: s.like.Help, Type: s.like.Type}, map[string]bool{}
	for _, metric := range family.Metric {
		copied, err := s.metric(metric)
		if err != nil {
			return nil, err
		}
		key := labelKey(copied.Label)
		if seen[key] {
			return nil, errTwice
		}
		seen[key] = true
		checked.Metric = append(checked.Metric, copied)
	}
	return checked, nil
}

func (s shape) metric(metric *dto.Metric) (copied *dto.Metric, err error) {
	copied = &dto.Metric{}
	if copied.Label, err = s.labelPairs(metric.GetLabel()); err != nil {
		return nil, err
	}
	switch s.like.GetType() {
	case dto.MetricType_COUNTER:
		copied.Counter, err = checkCounter(metric.GetCounter())
	case dto.MetricType_GAUGE:
		copied.Gauge, err = s.gauge(metric.GetGauge())
	case dto.MetricType_HISTOGRAM:
		copied.Histogram, err = s.histogram(metric.GetHistogram())
	case dto.MetricType_SUMMARY:
		copied.Summary, err = checkSummary(metric.GetSummary())
	default:
		err = errType // none of ours
	}
	return copied, err
}

func (s shape) labelPairs(labels []*dto.LabelPair) (copied []*dto.LabelPair, err error) {
	if len(labels) != len(s.labels) {
		return nil, errLabels
	}
	for _, label := range labels {
		if value := label.GetValue(); len(value) > maxLabel || !utf8.ValidString(value) {
			return nil, errLabels
		}
		copied = append(copied, &dto.LabelPair{Name: new(label.GetName()), Value: new(label.GetValue())})
	}
	slices.SortFunc(copied, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
	for i, label := range copied {
		if label.GetName() != s.labels[i] {
			return nil, errLabels
		}
	}
	return copied, nil
}

func checkCounter(c *dto.Counter) (*dto.Counter, error) {
	if c == nil || c.GetValue() < 0 || !within(c.Value, maxCount) {
		return nil, errValue
	}
	return &dto.Counter{Value: new(c.GetValue())}, nil
}

func (s shape) gauge(g *dto.Gauge) (*dto.Gauge, error) {
	limit := float64(maxGauge)
	if ours(s.like) {
		limit = maxCount
	}
	if g == nil || !within(g.Value, limit) {
		return nil, errValue
	}
	return &dto.Gauge{Value: new(g.GetValue())}, nil
}

// within reports whether there is a value, and it lies between -limit and limit. NaN does not.
func within(value *float64, limit float64) bool { return value != nil && math.Abs(*value) <= limit }

func (s shape) histogram(h *dto.Histogram) (*dto.Histogram, error) {
	if h == nil || h.GetSampleCount() > maxCount || !within(h.SampleSum, maxCount) {
		return nil, errValue
	}
	if len(h.Bucket) != len(s.bounds) {
		return nil, errBounds
	}
	copied := &dto.Histogram{SampleCount: new(h.GetSampleCount()), SampleSum: new(h.GetSampleSum())}
	below := uint64(0)
	for i, bucket := range h.Bucket {
		if bucket.GetUpperBound() != s.bounds[i] {
			return nil, errBounds
		}
		if bucket.GetCumulativeCount() < below || bucket.GetCumulativeCount() > h.GetSampleCount() {
			return nil, errValue
		}
		below = bucket.GetCumulativeCount()
		copied.Bucket = append(copied.Bucket, &dto.Bucket{UpperBound: new(s.bounds[i]), CumulativeCount: new(below)})
	}
	return copied, nil
}

func checkSummary(s *dto.Summary) (*dto.Summary, error) {
	if s == nil || s.GetSampleCount() > maxCount || !within(s.SampleSum, maxCount) || len(s.Quantile) > maxMetrics {
		return nil, errValue
	}
	copied := &dto.Summary{SampleCount: new(s.GetSampleCount()), SampleSum: new(s.GetSampleSum())}
	last := -1.0
	for _, q := range s.Quantile {
		if !(q.GetQuantile() > last && q.GetQuantile() <= 1) || !within(q.Value, maxCount) {
			return nil, errValue
		}
		last = q.GetQuantile()
		copied.Quantile = append(copied.Quantile, &dto.Quantile{Quantile: new(q.GetQuantile()), Value: new(q.GetValue())})
	}
	return copied, nil
}

package admin

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// encoded is how a worker sends its metrics.
func encoded(t testing.TB, families ...*dto.MetricFamily) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, family := range families {
		if _, err := protodelim.MarshalTo(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	return text.Bytes()
}

// honest are the metrics of a worker that has counted something.
func honest(t testing.TB) []*dto.MetricFamily {
	t.Helper()
	families, err := observed(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// TestAnswer: an honest worker's metrics are kept in full, the runtime's and the process's too.
func TestAnswer(t *testing.T) {
	families := honest(t)
	got, err := readAnswer(bytes.NewReader(encoded(t, families...)))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(families) {
		t.Fatalf("kept %d names of %d", len(got), len(families))
	}
	for i, family := range got {
		families[i].Unit = nil // which a tally leaves out too
		if !proto.Equal(family, families[i]) {
			t.Errorf("got %s\nwant %s", family, families[i])
		}
	}
}

// TestAnswerRejected changes one thing of an honest answer, which must make it an error.
func TestAnswerRejected(t *testing.T) {
	first := func(name string, change func(*dto.Metric)) func(map[string]*dto.MetricFamily) {
		return func(byName map[string]*dto.MetricFamily) { change(byName[name].Metric[0]) }
	}
	const (
		counter, gauge, histogram = namePrefix + "requests_total", namePrefix + "in_flight", namePrefix + "work_seconds"
		summary                   = "go_gc_duration_seconds"
	)
	for name, row := range map[string]struct {
		change func(map[string]*dto.MetricFamily)
		want   error
	}{
		"another type": {func(f map[string]*dto.MetricFamily) { f[gauge].Type = dto.MetricType_COUNTER.Enum() }, errType},
		"no type":      {func(f map[string]*dto.MetricFamily) { f[counter].Type = nil }, errType},
		"no metrics":   {func(f map[string]*dto.MetricFamily) { f["go_goroutines"].Metric = nil }, errNumber},
		"too many metrics": {func(f map[string]*dto.MetricFamily) {
			for len(f[counter].Metric) <= maxMetrics {
				f[counter].Metric = append(f[counter].Metric, f[counter].Metric[0])
			}
		}, errNumber},
		"the same metric twice": {func(f map[string]*dto.MetricFamily) {
			f[counter].Metric = append(f[counter].Metric, f[counter].Metric[0])
		}, errTwice},

		"a label less":           {first(counter, func(m *dto.Metric) { m.Label = m.Label[1:] }), errLabels},
		"a label twice":          {first(counter, func(m *dto.Metric) { m.Label[1] = m.Label[0] }), errLabels},
		"another label":          {first(counter, func(m *dto.Metric) { m.Label[0].Name = new("pid") }), errLabels},
		"a label that is a word": {first(counter, func(m *dto.Metric) { m.Label[0].Value = new(strings.Repeat("x", maxLabel+1)) }), errLabels},
		"a label of no text":     {first(counter, func(m *dto.Metric) { m.Label[0].Value = new("\xff") }), errLabels},

		"no counter":        {first(counter, func(m *dto.Metric) { m.Counter = nil }), errValue},
		"no count":          {first(counter, func(m *dto.Metric) { m.Counter.Value = nil }), errValue},
		"a negative count":  {first(counter, func(m *dto.Metric) { m.Counter.Value = new(-1.0) }), errValue},
		"a count of NaN":    {first(counter, func(m *dto.Metric) { m.Counter.Value = new(math.NaN()) }), errValue},
		"an endless count":  {first(counter, func(m *dto.Metric) { m.Counter.Value = new(math.Inf(1)) }), errValue},
		"a gauge as count":  {first(counter, func(m *dto.Metric) { m.Counter, m.Gauge = nil, &dto.Gauge{Value: new(1.0)} }), errValue},
		"no gauge":          {first(gauge, func(m *dto.Metric) { m.Gauge = nil }), errValue},
		"a gauge of NaN":    {first(gauge, func(m *dto.Metric) { m.Gauge.Value = new(math.NaN()) }), errValue},
		"a gauge too large": {first(gauge, func(m *dto.Metric) { m.Gauge.Value = new(1e300) }), errValue},

		"no histogram":           {first(histogram, func(m *dto.Metric) { m.Histogram = nil }), errValue},
		"a bucket less":          {first(histogram, func(m *dto.Metric) { m.Histogram.Bucket = m.Histogram.Bucket[1:] }), errBounds},
		"a bucket more":          {first(histogram, func(m *dto.Metric) { m.Histogram.Bucket = append(m.Histogram.Bucket, &dto.Bucket{}) }), errBounds},
		"another bound":          {first(histogram, func(m *dto.Metric) { m.Histogram.Bucket[3].UpperBound = new(7.7) }), errBounds},
		"a bucket above the sum": {first(histogram, func(m *dto.Metric) { m.Histogram.Bucket[3].CumulativeCount = new(uint64(99)) }), errValue},
		"buckets that fall":      {first(histogram, func(m *dto.Metric) { m.Histogram.Bucket[19].CumulativeCount = new(uint64(0)) }), errValue},
		"too many observations":  {first(histogram, func(m *dto.Metric) { m.Histogram.SampleCount = new(uint64(math.MaxUint64)) }), errValue},
		"a sum of NaN":           {first(histogram, func(m *dto.Metric) { m.Histogram.SampleSum = new(math.NaN()) }), errValue},

		"no summary":         {first(summary, func(m *dto.Metric) { m.Summary = nil }), errValue},
		"a quantile of 2":    {first(summary, func(m *dto.Metric) { m.Summary.Quantile[0].Quantile = new(2.0) }), errValue},
		"quantiles unsorted": {first(summary, func(m *dto.Metric) { m.Summary.Quantile[1] = m.Summary.Quantile[0] }), errValue},
	} {
		t.Run(name, func(t *testing.T) {
			families, byName := honest(t), map[string]*dto.MetricFamily{}
			for _, family := range families {
				byName[family.GetName()] = family
			}
			row.change(byName)
			if _, err := readAnswer(bytes.NewReader(encoded(t, families...))); err == nil || !strings.HasSuffix(err.Error(), row.want.Error()) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

// TestAnswerBounds: neither a long answer nor one that announces to be long is read to its end.
func TestAnswerBounds(t *testing.T) {
	family := encoded(t, &dto.MetricFamily{Name: new("unknown"), Help: new(strings.Repeat("x", 1<<10))})
	for name, body := range map[string]io.Reader{
		"endless":          endless{bytes.NewReader(family)},
		"announced":        bytes.NewReader(protowire.AppendVarint(nil, math.MaxInt64)),
		"announced, 1 GiB": bytes.NewReader(protowire.AppendVarint(nil, 1<<30)),
		"cut short":        bytes.NewReader(family[:100]),
		"the same twice":   bytes.NewReader(encoded(t, honest(t)[0], honest(t)[0])),
	} {
		if families, err := readAnswer(body); err == nil {
			t.Errorf("%s: got %d names, want an error", name, len(families))
		}
	}
	if families, err := readAnswer(bytes.NewReader(family)); err != nil || len(families) != 0 {
		t.Errorf("a name that is not known: %d, %v, want to leave it out", len(families), err)
	}
}

// endless reads the same again and again.
type endless struct {
	again interface {
		io.ReadSeeker
		Len() int
	}
}

func (e endless) Read(p []byte) (int, error) {
	if e.again.Len() == 0 {
		e.again.Seek(0, io.SeekStart)
	}
	return e.again.Read(p)
}

// FuzzAnswer: whatever a worker answers, it can be added up, and /metrics and /stats can be written.
func FuzzAnswer(f *testing.F) {
	families := honest(f)
	f.Add(encoded(f, families...))
	for _, family := range families {
		if ours(family) {
			f.Add(encoded(f, family))
		}
	}
	f.Add(encoded(f, &dto.MetricFamily{Name: new("go_goroutines"), Type: dto.MetricType_GAUGE.Enum()}))
	f.Add(encoded(f, &dto.MetricFamily{
		Name: new(namePrefix + "work_seconds"), Type: dto.MetricType_HISTOGRAM.Enum(), Metric: []*dto.Metric{{}},
	}))
	f.Fuzz(func(t *testing.T, answer []byte) {
		got, err := readAnswer(bytes.NewReader(answer))
		if err != nil {
			return
		}
		total := tally{}
		for _, all := range [][]*dto.MetricFamily{families, got, got} {
			for _, family := range all {
				total.add(family)
			}
			total.addOwn(all, "worker", 1)
		}
		for _, family := range total.families() {
			if _, err := expfmt.MetricFamilyToText(io.Discard, family); err != nil {
				t.Errorf("/metrics: %v", err)
			}
		}
		body := Stats{fleetStats: &fleetStats{Workers: []workerStats{(&worker{families: got}).stats()}}}
		body.OtherModes = append(body.OtherModes, figuresOf(total.families())...)
		if _, err := json.Marshal(body); err != nil {
			t.Errorf("/stats: %v", err)
		}
	})
}

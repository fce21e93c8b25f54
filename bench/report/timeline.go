package report

import (
	"math"

	"github.com/go-analyze/charts"

	"demo-server/bench/result"
)

// A timeline is an axis of time, divided into bins for samples.
type timeline struct {
	bin  float64 // seconds
	bins int     // 0 if there are no samples
	per  int     // bins per tick
}

// mostBins is the maximum number of distinguishable bins.
const mostBins = 120

// newTimeline returns a timeline that covers the samples of all rows, with bins no shorter than the time between
// samples.
func newTimeline(rows ...result.Row) timeline {
	total, apart := 0.0, math.Inf(1)
	for i := range rows {
		samples := rows[i].Series
		if len(samples) < 2 {
			continue
		}
		last := samples[len(samples)-1].At
		total = max(total, last)
		apart = min(apart, last/float64(len(samples)-1))
	}
	if total == 0 {
		return timeline{}
	}
	tick := roundStep(total / 8)
	ticks := int(math.Ceil(total * 0.99 / tick)) // late last samples fall into the last bin
	per := int(min(mostBins/float64(ticks), math.Round(tick/apart)))
	per = max(1, per)
	return timeline{bin: tick / float64(per), bins: ticks * per, per: per}
}

// chart returns a chart without lines. All its labels are in seconds, but only the first has the unit, to save space.
func (t timeline) chart() lineChart {
	c := lineChart{width: panelWide, height: panelHigh, ticks: t.bins/t.per + 1}
	for i := range t.bins + 1 {
		c.labels = append(c.labels, plainly(decimal(float64(i)*t.bin, 4)))
	}
	c.labels[0] += " s"
	return c
}

// values returns the maximum of each bin, to keep the peaks, and the overall maximum. It returns nil if all samples
// lack the figure. An empty bin between others repeats the previous one. Bins after the last sample are NaN.
func (t timeline) values(samples []result.Sample, of func(*result.Sample) *float64) (values []float64, peak float64) {
	binned := make([]float64, t.bins+1)
	for i := range binned {
		binned[i] = math.NaN()
	}
	last := -1
	for i := range samples {
		value := of(&samples[i])
		if value == nil {
			continue
		}
		at := min(int(math.Round(samples[i].At/t.bin)), t.bins)
		if !(binned[at] >= *value) { // also if it is still NaN
			binned[at] = *value
		}
		peak, last = max(peak, *value), max(last, at)
	}
	if last < 0 {
		return nil, 0
	}
	for i := 1; i < last; i++ {
		if math.IsNaN(binned[i]) {
			binned[i] = binned[i-1]
		}
	}
	return binned, peak
}

// add adds the nth line with few marks. Each line has its marks at other places than the next, to keep overlapping
// lines visible.
func (c *lineChart) add(l line, n int) {
	apart := max(4, len(l.values)/5)
	marked := l
	marked.values = make([]float64, len(l.values))
	for i, v := range l.values {
		marked.values[i] = math.NaN()
		if i%apart == (5+7*n)%apart {
			marked.values[i] = v
		}
	}
	l.marks = charts.SymbolNone
	c.lines = append(c.lines, l)
	if marked.marks != charts.SymbolNone {
		c.lines = append(c.lines, marked)
	}
}

package report

import (
	"math"

	"github.com/go-analyze/charts"

	"demo-server/bench/result"
)

// A timeline is an axis of time, cut into bins that samples fall into.
type timeline struct {
	bin  float64 // seconds
	bins int     // 0: there is nothing to show
	per  int     // bins from one tick to the next
}

// mostBins is as many as can be told apart.
const mostBins = 120

// newTimeline is long enough for the samples of all rows, and no finer than they are.
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
	ticks := int(math.Ceil(total * 0.99 / tick)) // the last sample comes a little late, and falls into the last bin
	per := int(min(mostBins/float64(ticks), math.Round(tick/apart)))
	per = max(1, per)
	return timeline{bin: tick / float64(per), bins: ticks * per, per: per}
}

// chart returns one without lines. Its labels are all in seconds, and only the first one says so: there is little room.
func (t timeline) chart() lineChart {
	c := lineChart{width: panelWide, height: panelHigh, ticks: t.bins/t.per + 1}
	for i := range t.bins + 1 {
		c.labels = append(c.labels, plainly(decimal(float64(i)*t.bin, 4)))
	}
	c.labels[0] += " s"
	return c
}

// values are the largest of each bin, so that no peak is lost, and the largest of all; nil where none is known. A bin
// without a sample between two that have one is as the one before; after the last there are none.
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
		if !(binned[at] >= *value) { // it is not a number as yet
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

// add draws a line, with few of its marks: of the nth line at other places than of the next, so that of lines that lie
// on one another each can be seen.
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

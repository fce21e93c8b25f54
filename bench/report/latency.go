package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/go-analyze/charts"

	"demo-server/bench/result"
)

// percents lists the drawn percentiles. They are evenly spaced on the axis, because the slow ones would be invisible
// otherwise.
var percents = []float64{0, 10, 25, 50, 75, 90, 99, 99.9, 100}

// latencies draws latency by percentile. All kinds of work share an axis.
func latencies(r *result.Result) (Picture, error) {
	p := Picture{Name: "latency", Title: "Latency by percentile"}
	ticks := latencyTicks(r.Rows)
	for _, g := range groupsOf(r.Rows) {
		chart := newLatencyChart(g.entries, r.Load, ticks)
		if len(chart.curves) == 0 {
			continue
		}
		drawing, err := chart.draw()
		if err != nil {
			return p, err
		}
		drawing.Title, drawing.Keys = g.title, chart.keys()
		drawing.Caption = latencyCaption(g.entries, len(chart.curves))
		if slices.ContainsFunc(g.entries, func(e entry) bool { return mixesLatencies(r.Load, e.Row) }) {
			drawing.Caption += " " + mark + " " + mixedNote(r.Load) + "."
		}
		p.Drawings = append(p.Drawings, drawing)
	}
	if len(p.Drawings) == 1 {
		p.Keys, p.Drawings[0].Keys = p.Drawings[0].Keys, nil
	}
	p.captionOf("How long requests took with each kind of work, all on the same scale.")
	return p, nil
}

// latencyTicks returns the axis labels for all rows with known latencies, in seconds, or nil without any.
func latencyTicks(rows []result.Row) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, row := range rows {
		values := logarithms(row.Curve)
		if values == nil {
			continue
		}
		for _, value := range append(values, bound(row.Curve)) {
			if !math.IsNaN(value) {
				low, high = min(low, value), max(high, value)
			}
		}
	}
	if low > high {
		return nil
	}
	return logTicks(math.Pow(10, low), math.Pow(10, high))
}

// A curve is the line of a row, or of several rows whose lines would be too close.
type curve struct {
	names     []string
	look      int
	low, high []float64 // log10 of the latency range over the rows at percents; NaN if unknown
	bound     float64   // log10 of the lower bound of the first inexact latency; NaN if all are exact
}

// curveOf returns the curve of a row, or false if none of its latencies are known.
func curveOf(e entry, l result.Load) (curve, bool) {
	values := logarithms(e.Curve)
	c := curve{names: []string{e.name}, look: e.look, low: values, high: slices.Clone(values), bound: bound(e.Curve)}
	if mixesLatencies(l, e.Row) {
		c.names[0] += mark
	}
	return c, values != nil
}

// bound returns log10 of the first latency that is only a lower bound, or NaN without any.
func bound(points []result.Point) float64 {
	for _, point := range points {
		if point.Beyond && point.Seconds > 0 {
			return math.Log10(point.Seconds)
		}
	}
	return math.NaN()
}

// logarithms returns log10 of the latencies at percents, NaN for unknown ones. It returns nil if all are unknown.
func logarithms(points []result.Point) []float64 {
	values := make([]float64, len(percents))
	known := false
	for i, percent := range percents {
		values[i] = math.NaN()
		for _, point := range points {
			if point.Percent == percent && !point.Beyond && point.Seconds > 0 {
				values[i], known = math.Log10(point.Seconds), true
			}
		}
	}
	if !known {
		return nil
	}
	return values
}

// points returns the number of known latencies.
func (c *curve) points() (n int) {
	for _, value := range c.low {
		if !math.IsNaN(value) {
			n++
		}
	}
	return n
}

// near reports whether two curves are within a distance of each other everywhere and end at the same percentile.
func (c *curve) near(other curve, distance float64) bool {
	for i := range c.low {
		apart := max(c.high[i], other.high[i]) - min(c.low[i], other.low[i]) // NaN if either is
		if math.IsNaN(c.low[i]) != math.IsNaN(other.low[i]) || apart > distance {
			return false
		}
	}
	return math.IsNaN(c.bound) == math.IsNaN(other.bound)
}

// join adds the rows of another curve.
func (c *curve) join(other curve) {
	for i := range c.low {
		c.low[i], c.high[i] = min(c.low[i], other.low[i]), max(c.high[i], other.high[i])
	}
	c.names = append(c.names, other.names...)
}

// A latencyChart draws latencies on a logarithmic axis, by percentile.
type latencyChart struct {
	curves []curve
	ticks  []float64 // seconds
}

// The parts of a latency chart, in pixels.
const (
	latencyLeft, latencyRight  = 64, chartWide - 18
	latencyTop, latencyBottom  = 12, chartHigh - 48
	latencyInset               = 14 // from the edges to the first and last percentile
	latencyMark                = 7  // width of a mark
	latencyApart               = 3  // lines closer than this are joined
	latencyAxis                = "% of the requests took at most this long (log scale)"
	axisTitleBelow, labelBelow = 40, 20 // baselines of texts, from the axis down
)

// newLatencyChart returns a chart with the curves of entries whose latencies are known.
func newLatencyChart(entries []entry, l result.Load, ticks []float64) latencyChart {
	chart := latencyChart{ticks: ticks}
	for _, e := range entries {
		c, known := curveOf(e, l)
		if !known {
			continue
		}
		near := func(other curve) bool { return other.near(c, chart.apart()) }
		if i := slices.IndexFunc(chart.curves, near); i >= 0 {
			chart.curves[i].join(c)
		} else {
			chart.curves = append(chart.curves, c)
		}
	}
	return chart
}

// from and to return log10 of the latencies at the ends of the axis.
func (c *latencyChart) from() float64 { return math.Log10(c.ticks[0]) }
func (c *latencyChart) to() float64   { return math.Log10(c.ticks[len(c.ticks)-1]) }

// apart returns the distance of logarithms below which two lines are joined.
func (c *latencyChart) apart() float64 {
	return latencyApart * (c.to() - c.from()) / (latencyBottom - latencyTop)
}

// x returns the position of the nth percentile, in pixels.
func (*latencyChart) x(n int) int {
	const width = latencyRight - latencyLeft - 2*latencyInset
	return latencyLeft + latencyInset + int(math.Round(float64(n*width)/float64(len(percents)-1)))
}

// y returns the position of a logarithm, in pixels.
func (c *latencyChart) y(logarithm float64) int {
	part := (logarithm - c.from()) / (c.to() - c.from())
	return latencyBottom - int(math.Round(part*(latencyBottom-latencyTop)))
}

func (c *latencyChart) draw() (Drawing, error) {
	canvas := newCanvas(chartWide, chartHigh)
	for _, tick := range c.ticks {
		y := c.y(math.Log10(tick))
		canvas.stroke(grid, 1, latencyLeft, y, latencyRight, y)
		canvas.Text(short(tick), latencyLeft-8, y+5, 0, words(ending))
	}
	canvas.stroke(faint, 1, latencyLeft, latencyBottom, latencyRight, latencyBottom)
	for i, percent := range percents {
		canvas.centered(plainly(decimal(percent, 3)), c.x(i), latencyBottom+labelBelow)
	}
	canvas.Text(latencyAxis, latencyRight, latencyBottom+axisTitleBelow, 0, words(ending))
	onTop := slices.SortedStableFunc(slices.Values(c.curves), func(a, b curve) int { return cmp.Compare(b.points(), a.points()) })
	for _, curve := range onTop { // shortest last, or longer lines would hide it
		c.line(canvas, curve)
	}
	return canvas.finish()
}

// line draws a curve in the middle of its rows' range. If the last latencies are unknown, a dashed line leads to
// their lower bound.
func (c *latencyChart) line(canvas canvas, curve curve) {
	shade, marks := look(curve.look)
	var points []charts.Point
	for i := range percents {
		if middle := (curve.low[i] + curve.high[i]) / 2; !math.IsNaN(middle) {
			points = append(points, charts.Point{X: c.x(i), Y: c.y(middle)})
		}
	}
	canvas.LineStroke(points, shade.light, lineWidth)
	last := points[len(points)-1]
	if next := slices.IndexFunc(curve.low, math.IsNaN); !math.IsNaN(curve.bound) && next > 0 && c.x(next) > last.X {
		end := charts.Point{X: c.x(next), Y: c.y(curve.bound)}
		canvas.DashedLineStroke([]charts.Point{last, end}, shade.light, lineWidth, []float64{4, 4})
		canvas.ArrowUp(end.X, end.Y, 10, 10, shade.light, shade.light, 1)
	}
	for _, point := range points {
		canvas.mark(marks, point, shade)
	}
}

// mark draws one of the shapes that distinguish lines.
func (c canvas) mark(shape charts.SymbolShape, at charts.Point, s shade) {
	const half = latencyMark / 2
	switch shape {
	case charts.SymbolSquare:
		c.FilledRect(at.X-half, at.Y-half, at.X+half, at.Y+half, s.light, s.light, 0)
	case charts.SymbolDiamond:
		c.FilledDiamond(at.X, at.Y, latencyMark+2, latencyMark+2, s.light, s.light, 0)
	case charts.SymbolCircle:
		c.Circle(latencyMark/2.0, at.X, at.Y, paper.light, s.light, 1.5)
	default:
		c.Circle(latencyMark/2.0, at.X, at.Y, s.light, s.light, 0)
	}
}

// keys returns a key for each line with the names of its rows, and one for lower bounds if there are any.
func (c *latencyChart) keys() (keys []Key) {
	open := false
	for _, curve := range c.curves {
		shade, marks := look(curve.look)
		keys = append(keys, Key{strings.Join(curve.names, ", "), shade, string(marks)})
		open = open || !math.IsNaN(curve.bound)
	}
	if open {
		keys = append(keys, Key{"longer than that: no reply before the measurement ended", faint, keyArrow})
	}
	return keys
}

// maxTicks is the maximum number of labels on a logarithmic axis.
const maxTicks = 10

// logTicks returns 1, 2 and 5 times powers of ten, from one below low to one above high. If these are more than
// maxTicks, it returns only powers of ten. The axis spans at least a factor of three, because a smaller one would
// show noise as large differences.
func logTicks(low, high float64) []float64 {
	low, high = 0.97*min(low, high/3), 1.03*high
	ticks := ticksBetween(low, high, 1, 1, 2, 5)
	for every := 1; len(ticks) > maxTicks; every++ {
		ticks = ticksBetween(low, high, every, 1)
	}
	return ticks
}

// ticksBetween returns the factors times every nth power of ten, from the last value up to low to the first from high
// on.
func ticksBetween(low, high float64, every int, factors ...float64) (ticks []float64) {
	for power := int(math.Floor(math.Log10(low))); ; power += every {
		for _, factor := range factors {
			tick := factor * math.Pow10(power)
			if tick <= low {
				ticks = ticks[:0]
			}
			ticks = append(ticks, tick)
			if tick >= high {
				return ticks
			}
		}
	}
}

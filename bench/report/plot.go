package report

import (
	"bytes"
	"fmt"
	"math"

	"github.com/go-analyze/charts"
)

// A Drawing is one SVG of a picture.
type Drawing struct {
	Group   string // kind of work, if there are several; else empty
	Title   string // empty for the only drawing
	Caption string // a sentence that describes the content
	Keys    []Key  // for this drawing alone
	Width   int
	Height  int
	body    string // content of the svg element
}

// A canvas is an unfinished drawing.
type canvas struct {
	*charts.Painter
	width, height int
}

func newCanvas(width, height int) canvas {
	return canvas{
		charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: height}),
		width, height,
	}
}

// finish returns the drawing, with the page's shades.
func (c canvas) finish() (Drawing, error) {
	svg, err := c.Bytes()
	if err != nil {
		return Drawing{}, err
	}
	_, body, found := bytes.Cut(svg, []byte(">"))
	body, ended := bytes.CutSuffix(body, []byte("</svg>"))
	if !found || !ended {
		return Drawing{}, fmt.Errorf("the chart library wrote no SVG but %.60q", svg)
	}
	return Drawing{Width: c.width, Height: c.height, body: tint(string(body))}, nil
}

const (
	textSize  = 10 // points; the library makes them 13 pixels
	lineWidth = 1.8

	chartWide, chartHigh = 480, 320
	panelWide, panelHigh = 360, 200
)

func words(color charts.Color) charts.FontStyle {
	return charts.FontStyle{FontSize: textSize, FontColor: color}
}

// A line is one line of a chart. NaN leaves a gap.
type line struct {
	shade  shade
	values []float64
	marks  charts.SymbolShape // SymbolNone for no marks
	right  bool               // uses the axis on the right
}

// A lineChart has lines over an axis of labels. Each line has one value per label.
type lineChart struct {
	width, height int
	labels        []string
	ticks         int  // number of labels to write
	between       bool // labels stand between ticks, as for categories, not at ticks, as for times
	left, right   axis
	lines         []line
}

// An axis is an axis of values.
type axis struct {
	from, to float64
	ticks    int
	text     func(float64) string
}

func (c lineChart) draw() (Drawing, error) {
	var shades []shade
	var list charts.LineSeriesList
	hasRight := false
	for _, line := range c.lines {
		one := charts.LineSeries{Values: gaps(line.values), Symbol: charts.Symbol{Shape: line.marks, Size: 3}}
		if line.right {
			one.YAxisIndex, hasRight = 1, true
		}
		list = append(list, one)
		shades = append(shades, line.shade)
	}
	option := charts.NewLineChartOptionWithSeries(list)
	option.Theme = theme(shades)
	option.Padding = charts.NewBox(4, 10, 14, 0)
	option.Legend.Show = charts.Ptr(false)
	option.LineStrokeWidth = lineWidth
	option.XAxis = charts.XAxisOption{
		Labels: c.labels, LabelCount: c.ticks, BoundaryGap: &c.between, LabelFontStyle: words(faint.light),
	}
	option.YAxis = []charts.YAxisOption{c.left.option(option.Theme)}
	if hasRight {
		right := c.right.option(option.Theme)
		right.SplitLineShow = charts.Ptr(false)
		option.YAxis = append(option.YAxis, right)
	}
	canvas := newCanvas(c.width, c.height)
	if err := canvas.LineChart(option); err != nil {
		return Drawing{}, err
	}
	return canvas.finish()
}

func (a axis) option(theme charts.ColorPalette) charts.YAxisOption {
	return charts.YAxisOption{
		Theme: theme, Min: &a.from, Max: &a.to, LabelCount: a.ticks, PreferNiceIntervals: charts.Ptr(false),
		ValueFormatter: a.text, LabelFontStyle: words(faint.light),
	}
}

func gaps(values []float64) (drawn []float64) {
	for _, v := range values {
		if math.IsNaN(v) {
			v = charts.GetNullValue()
		}
		drawn = append(drawn, v)
	}
	return drawn
}

// upTo returns an axis from 0 to a round number of at least most, in about five steps.
func upTo(most float64, text func(float64) string) axis {
	step := roundStep(most / 4)
	steps := max(1, int(math.Ceil(most/step-1e-9)))
	return axis{from: 0, to: step * float64(steps), ticks: steps + 1, text: text}
}

// roundStep returns the smallest number of at least least that is 1, 2 or 5 times a power of ten.
func roundStep(least float64) float64 {
	if least <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, by := range []float64{1, 2, 5} {
		if by*power >= least*(1-1e-9) {
			return by * power
		}
	}
	return 10 * power
}

// A bar is one bar of a bar chart, with marks to compare it with.
type bar struct {
	name, value string
	length      float64
	low, high   float64 // confidence interval; equal for none
	theory      float64 // 0 for none
	ceiling     float64 // 0 for none
	shade       shade
}

// The parts of a bar chart, in pixels. Names stand above their bars, because a line of a narrow screen is too short
// for both.
const (
	barWidth  = 480
	barStep   = 50
	barHeight = 14
	barTop    = 22 // height of the name
	barMargin = 8
)

// longest returns the largest value of the bar and its marks.
func (b bar) longest() float64 { return max(b.length, b.high, b.theory, b.ceiling) }

// bars draws bars on a scale with room for the longest.
func bars(all []bar, longest float64) (Drawing, error) {
	if longest == 0 {
		longest = 1
	}
	c := newCanvas(barWidth, barStep*len(all)+6)
	for i, b := range all {
		c.bar(b, i*barStep, (barWidth-2*barMargin)/longest)
	}
	return c.finish()
}

// bar draws one bar with its name. scale is in pixels per unit.
func (c canvas) bar(b bar, top int, scale float64) {
	at := func(value float64) int { return barMargin + int(math.Round(value*scale)) }
	upper, lower := top+barTop, top+barTop+barHeight
	middle := (upper + lower) / 2
	c.Text(b.name, barMargin, top+16, 0, words(ink.light))
	c.Text(b.value, barWidth-barMargin, top+16, 0, words(ending))
	if b.length > 0 {
		c.FilledRect(at(0), upper, max(at(b.length), at(0)+1), lower, b.shade.light, b.shade.light, 0)
	}
	if b.ceiling > 0 {
		c.stroke(ink, 2, at(b.ceiling), upper-3, at(b.ceiling), lower+3)
	}
	if b.theory > 0 {
		c.FilledDiamond(at(b.theory), lower+7, 10, 10, paper.light, ink.light, 1.5) // below the bar, to hide nothing
	}
	if b.high > b.low {
		c.stroke(ink, 1.5, at(b.low), middle, at(b.high), middle)
		c.stroke(ink, 1.5, at(b.low), middle-4, at(b.low), middle+4)
		c.stroke(ink, 1.5, at(b.high), middle-4, at(b.high), middle+4)
	}
}

// centered writes a text centred at x.
func (c canvas) centered(text string, x, y int) {
	style := words(faint.light)
	c.Text(text, x-c.MeasureText(text, 0, style).Width()/2, y, 0, style)
}

func (c canvas) stroke(s shade, width float64, x1, y1, x2, y2 int) {
	c.LineStroke([]charts.Point{{X: x1, Y: y1}, {X: x2, Y: y2}}, s.light, width)
}

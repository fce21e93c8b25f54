package report

import (
	"math"

	"github.com/go-analyze/charts"

	"demo-server/bench/result"
)

// A Picture shows one thing of the result, in one drawing or in several that are alike.
type Picture struct {
	Name     string // for a file or an address, such as "latency"
	Title    string
	Caption  string // sentences that say what it shows
	Keys     []Key
	Drawings []Drawing
}

// A Key says what a line or a shape of a picture stands for.
type Key struct {
	Text  string
	shade shade
	marks string // a shape of the library's, or one of those below
}

// The shapes of keys that are not those of a line's marks.
const (
	keyBar     = "bar"
	keyTick    = "tick"
	keyDiamond = "outline"
	keyWhisker = "whisker"
	keyLine    = "line"
)

// Pictures draws what there is to see of a result. One without anything to show is not there.
func Pictures(r *result.Result) ([]Picture, error) {
	var all []Picture
	for _, draw := range []func(*result.Result) (Picture, error){throughput, latencies, inside, resources, blocked} {
		picture, err := draw(r)
		if err != nil {
			return nil, err
		}
		if len(picture.Drawings) > 0 {
			all = append(all, picture)
		}
	}
	return all, nil
}

// throughput shows what each row serves, its ceiling and its prediction.
func throughput(r *result.Result) (Picture, error) {
	p := Picture{Name: "throughput", Title: "Throughput beside its ceiling", Caption: throughputCaption(r)}
	var all []bar
	for i := range r.Rows {
		total := &r.Rows[i].Total
		if total.PerSecond == nil {
			continue
		}
		b := bar{
			name: clean(r.Rows[i].Name), value: rate(total.PerSecond) + " requests/s", length: *total.PerSecond,
			shade: series[0],
		}
		if half := confidence(total); half != unknown {
			b.value += " " + half
			b.low, b.high = max(0, *total.LowSecond), *total.HighSecond // few rounds may leave nothing out
		}
		if total.Ceiling != nil {
			b.ceiling = *total.Ceiling
		}
		if theory := r.Rows[i].Prediction; theory != nil && theory.PerSecond != nil {
			b.theory = *theory.PerSecond
		}
		if !r.Rows[i].Trusted {
			b.name += " (not trustworthy)"
			b.shade = bad
		}
		all = append(all, b)
	}
	if all == nil {
		return p, nil
	}
	p.Keys = []Key{
		{"measured, right replies per second", series[0], keyBar}, {"prediction", ink, keyDiamond},
		{"ceiling: the most that the load allows", ink, keyTick}, {"95% confidence", ink, keyWhisker},
	}
	drawing, err := bars(all)
	drawing.Caption = p.Caption
	p.Drawings = []Drawing{drawing}
	return p, err
}

// shapes tell lines apart for those who cannot by their colours.
var shapes = []charts.SymbolShape{charts.SymbolDot, charts.SymbolSquare, charts.SymbolDiamond, charts.SymbolCircle}

// look is how the nth row is drawn: no two of the first 32 alike.
func look(n int) (shade, charts.SymbolShape) {
	return series[n%len(series)], shapes[(n+n/len(series))%len(shapes)]
}

// percents are those that are drawn, each as far from the next: evenly spaced, the slow ones would not be seen.
var percents = []float64{0, 10, 25, 50, 75, 90, 99, 99.9, 100}

// latencies shows how long requests took. Where it is only known that they took longer than the measuring, a line ends.
func latencies(r *result.Result) (Picture, error) {
	p := Picture{Name: "latency", Title: "Latency by percentile", Caption: latencyCaption(r)}
	chart := lineChart{width: chartWide, height: chartHigh, between: true, ticks: len(percents)}
	for _, percent := range percents {
		chart.labels = append(chart.labels, plainly(decimal(percent, 3)))
	}
	chart.labels[len(percents)-1] += " %"
	least, most := math.Inf(1), 0.0
	for i := range r.Rows {
		values := logarithms(r.Rows[i].Curve)
		if values == nil {
			continue
		}
		shade, marks := look(i)
		chart.lines = append(chart.lines, line{shade: shade, marks: marks, values: values})
		p.Keys = append(p.Keys, Key{clean(r.Rows[i].Name), shade, string(marks)})
		for _, value := range values {
			if !math.IsNaN(value) {
				least, most = min(least, value), max(most, value)
			}
		}
	}
	if len(chart.lines) == 0 {
		return p, nil
	}
	chart.left = decades(least, most, short)
	drawing, err := chart.draw()
	drawing.Caption = p.Caption
	p.Drawings = []Drawing{drawing}
	return p, err
}

// logarithms are those of the latencies at percents, NaN where one is not known; nil where none is.
func logarithms(curve []result.Point) []float64 {
	values := make([]float64, len(percents))
	some := false
	for i, percent := range percents {
		values[i] = math.NaN()
		for _, point := range curve {
			if point.Percent == percent && !point.Beyond && point.Seconds > 0 {
				values[i], some = math.Log10(point.Seconds), true
			}
		}
	}
	if !some {
		return nil
	}
	return values
}

// The lines of what goes on inside a server.
var insideLines = []struct {
	text  string
	shade shade
	marks charts.SymbolShape
	right bool
	of    func(*result.Sample) *float64
}{
	{"completed (axis on the right)", series[7], charts.SymbolNone, true, func(s *result.Sample) *float64 {
		return s.Completed
	}},
	{"in flight", series[0], charts.SymbolDot, false, func(s *result.Sample) *float64 { return s.InFlight }},
	{"queued", series[1], charts.SymbolSquare, false, func(s *result.Sample) *float64 { return s.Queued }},
	{"accept queue", series[3], charts.SymbolDiamond, false, func(s *result.Sample) *float64 { return s.AcceptQueue }},
	{"waited for, where the server does not tell", series[2], charts.SymbolCircle, false, waitedFor},
}

// waitedFor is what the clients know of a server that does not tell what it does.
func waitedFor(s *result.Sample) *float64 {
	if s.InFlight != nil {
		return nil
	}
	return s.Busy
}

// inside shows for each row where its requests are.
func inside(r *result.Result) (Picture, error) {
	p := Picture{
		Name: "inside", Title: "Where the requests are",
		Caption: "In flight, in the server's queue or in the kernel's accept queue, and how many were completed, over the" +
			" time of the first round.",
	}
	shown := make([]bool, len(insideLines))
	for i := range r.Rows {
		row := &r.Rows[i]
		chart := insideChart(row, shown)
		if len(chart.lines) == 0 {
			continue
		}
		drawing, err := chart.draw()
		if err != nil {
			return p, err
		}
		drawing.Title, drawing.Caption = clean(row.Name), insideCaption(row)
		p.Drawings = append(p.Drawings, drawing)
	}
	for i, l := range insideLines {
		if shown[i] {
			p.Keys = append(p.Keys, Key{l.text, l.shade, string(l.marks)})
		}
	}
	return p, nil
}

// insideChart draws what is known of a row, and notes which lines these are.
func insideChart(row *result.Row, shown []bool) lineChart {
	time := newTimeline(*row)
	if time.bins == 0 {
		return lineChart{}
	}
	chart := time.chart()
	most, completed := 0.0, 0.0
	for i, l := range insideLines {
		values, peak := time.values(row.Series, l.of)
		if values == nil {
			continue
		}
		shown[i] = true
		chart.add(line{shade: l.shade, values: values, marks: l.marks, right: l.right}, i)
		if l.right {
			completed = peak
		} else {
			most = max(most, peak)
		}
	}
	chart.left, chart.right = upTo(most, wholes), upTo(completed, wholes)
	return chart
}

func wholes(f float64) string { return count(int(math.Round(f))) }

// A resource is a thing that servers take.
type resource struct {
	title, thing string // thing is what follows a number of them
	of           func(*result.Sample) *float64
	text         func(*float64) string
}

var resourceKinds = []resource{
	{"Resident memory", "", func(s *result.Sample) *float64 { return s.Resident }, size},
	{"OS threads", " OS threads", func(s *result.Sample) *float64 { return s.Threads }, figure},
	{"Goroutines", " goroutines", func(s *result.Sample) *float64 { return s.Goroutines }, figure},
}

// resources shows what the servers take of the machine, a drawing for each kind.
func resources(r *result.Result) (Picture, error) {
	p := Picture{
		Name: "resources", Title: "Memory, threads and goroutines",
		Caption: "What each server holds over the time of the first round.",
	}
	shown := make([]bool, len(r.Rows))
	for _, kind := range resourceKinds {
		chart, some := kind.chart(r.Rows, shown)
		if !some {
			continue
		}
		drawing, err := chart.draw()
		if err != nil {
			return p, err
		}
		drawing.Title, drawing.Caption = kind.title, kind.caption(r.Rows)
		p.Drawings = append(p.Drawings, drawing)
	}
	for i := range r.Rows {
		if shown[i] {
			shade, marks := look(i)
			p.Keys = append(p.Keys, Key{clean(r.Rows[i].Name), shade, string(marks)})
		}
	}
	return p, nil
}

// chart draws the rows of which the kind is known, and notes which they are.
func (k resource) chart(rows []result.Row, shown []bool) (chart lineChart, some bool) {
	time := newTimeline(rows...)
	if time.bins == 0 {
		return chart, false
	}
	chart = time.chart()
	highest := 0.0
	for i := range rows {
		values, peak := time.values(rows[i].Series, k.of)
		if values == nil {
			continue
		}
		some, shown[i] = true, true
		highest = max(highest, peak)
		shade, marks := look(i)
		chart.add(line{shade: shade, values: values, marks: marks}, i)
	}
	chart.left = upTo(highest, func(f float64) string { return plainly(k.text(&f)) })
	return chart, some
}

// blocked shows what a request takes while it blocks.
func blocked(r *result.Result) (Picture, error) {
	p := Picture{Name: "cost", Title: "Cost of a blocked request"}
	var all []bar
	add := func(name string, each *float64) {
		if each != nil && *each > 0 {
			all = append(all, bar{name: clean(name), value: size(each), length: *each, shade: series[2]})
		}
	}
	for i := range r.Rows {
		add(r.Rows[i].Name, r.Rows[i].Total.BytesPerInFlight)
	}
	for i := range r.Costs {
		add(r.Costs[i].Name, r.Costs[i].BytesPerRequest)
	}
	if all == nil {
		return p, nil
	}
	p.Caption = blockedCaption(all)
	p.Keys = []Key{
		{"resident memory at its peak, less that of the idle server, by the requests in flight", series[2], keyBar},
	}
	drawing, err := bars(all)
	drawing.Caption = p.Caption
	p.Drawings = []Drawing{drawing}
	return p, err
}

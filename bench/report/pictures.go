package report

import (
	"maps"
	"math"
	"slices"

	"github.com/go-analyze/charts"

	"demo-server/bench/result"
)

// A Picture shows one aspect of the result, in one drawing or several similar ones.
type Picture struct {
	Name     string // for file names and element IDs, such as "latency"
	Title    string
	Caption  string // sentences that describe the content
	Keys     []Key  // of all drawings together
	Drawings []Drawing
}

// captionOf sets the caption: that of the only drawing, or several if there are more.
func (p *Picture) captionOf(several string) {
	p.Caption = several
	if len(p.Drawings) == 1 {
		p.Caption = p.Drawings[0].Caption
	}
}

// Alone reports whether the picture is one wide drawing.
func (p Picture) Alone() bool { return len(p.Drawings) == 1 && p.Wide() }

// Wide reports whether the drawings are wider than panels.
func (p Picture) Wide() bool { return p.Drawings[0].Width > panelWide }

// A Key explains a line or a shape of a picture.
type Key struct {
	Text  string
	shade shade
	marks string // a shape of the chart library, or one of the following
}

// The shapes of keys for things that are not lines.
const (
	keyBar     = "bar"
	keyTick    = "tick"
	keyDiamond = "outline"
	keyWhisker = "whisker"
	keyArrow   = "arrow"
)

// Pictures draws a result. It leaves out pictures without data.
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

// throughput draws the rate of each row, its ceiling and its prediction.
func throughput(r *result.Result) (Picture, error) {
	p := Picture{Name: "throughput", Title: "Throughput next to its ceiling"}
	groups := groupsOf(r.Rows)
	var charts [][]bar
	longest, measured := 0.0, false
	for _, g := range groups {
		var chart []bar
		for _, e := range g.entries {
			chart = append(chart, rateBar(e))
			longest = max(longest, chart[len(chart)-1].longest())
			measured = measured || e.Total.PerSecond != nil
		}
		charts = append(charts, chart)
	}
	if !measured {
		return p, nil
	}
	for i, g := range groups {
		drawing, err := bars(charts[i], longest)
		if err != nil {
			return p, err
		}
		drawing.Title, drawing.Caption = g.title, throughputCaption(g.entries)
		p.Drawings = append(p.Drawings, drawing)
	}
	p.Keys = throughputKeys(charts)
	p.captionOf("The rows of each kind of work, all to the same scale.")
	return p, nil
}

// rateBar returns the bar of a row. Its length is 0 if the rate is unknown.
func rateBar(e entry) bar {
	b := bar{name: e.name, shade: series[0], value: "no rate"}
	total := &e.Total
	if total.PerSecond != nil {
		b.value, b.length = rate(total.PerSecond)+" requests/s", *total.PerSecond
	}
	if half := confidence(total); half != unknown {
		b.value += " " + half
		b.low, b.high = max(0, *total.LowSecond), *total.HighSecond // can be below 0 for few rounds
	}
	if total.Ceiling != nil {
		b.ceiling = *total.Ceiling
	}
	if theory := e.Prediction; theory != nil && theory.PerSecond != nil {
		b.theory = *theory.PerSecond
	}
	switch {
	case e.Failure != "":
		b.name += " (failed)"
		b.shade = bad
	case !e.Trusted:
		b.name += " (not trustworthy)"
		b.shade = bad
	}
	return b
}

// throughputKeys returns the keys of the shapes that are drawn.
func throughputKeys(charts [][]bar) (keys []Key) {
	drawn := func(is func(bar) bool) bool {
		return slices.ContainsFunc(charts, func(chart []bar) bool { return slices.ContainsFunc(chart, is) })
	}
	keys = []Key{{"measured: right replies per second", series[0], keyBar}}
	if drawn(func(b bar) bool { return b.length > 0 && b.shade == bad }) {
		keys = append(keys, Key{"failed or not trustworthy", bad, keyBar})
	}
	if drawn(func(b bar) bool { return b.theory > 0 }) {
		keys = append(keys, Key{"prediction", ink, keyDiamond})
	}
	if drawn(func(b bar) bool { return b.ceiling > 0 }) {
		keys = append(keys, Key{"ceiling: the most that the load asks for", ink, keyTick})
	}
	if drawn(func(b bar) bool { return b.high > b.low }) {
		keys = append(keys, Key{"95% confidence", ink, keyWhisker})
	}
	return keys
}

// shapes distinguish lines for readers who cannot distinguish their colours.
var shapes = []charts.SymbolShape{charts.SymbolDot, charts.SymbolSquare, charts.SymbolDiamond, charts.SymbolCircle}

// look returns the colour and marks of the nth row. The first 32 rows all differ.
func look(n int) (shade, charts.SymbolShape) {
	return series[n%len(series)], shapes[(n+n/len(series))%len(shapes)]
}

// insideLines lists the lines on where a server's requests are.
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
	{"waited for, by clients of a server that reports nothing", series[2], charts.SymbolCircle, false, waitedFor},
}

// waitedFor returns the requests that clients wait for, or nil if the server reports its requests in flight.
func waitedFor(s *result.Sample) *float64 {
	if s.InFlight != nil {
		return nil
	}
	return s.Busy
}

// inside draws where the requests of each row are.
func inside(r *result.Result) (Picture, error) {
	p := Picture{
		Name: "inside", Title: "Where the requests are",
		Caption: "In flight, in the server's queue or in the kernel's accept queue, and how many were completed, over the" +
			" time of the first round.",
	}
	shown := make([]bool, len(insideLines))
	for _, g := range groupsOf(r.Rows) {
		for _, e := range g.entries {
			chart := insideChart(e.Row, shown)
			if len(chart.lines) == 0 {
				continue
			}
			drawing, err := chart.draw()
			if err != nil {
				return p, err
			}
			drawing.Group, drawing.Title, drawing.Caption = g.title, e.name, insideCaption(e)
			p.Drawings = append(p.Drawings, drawing)
		}
	}
	for i, l := range insideLines {
		if shown[i] {
			p.Keys = append(p.Keys, Key{l.text, l.shade, string(l.marks)})
		}
	}
	return p, nil
}

// insideChart draws the known figures of a row, and sets shown for their lines.
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

// A resource describes something that servers use.
type resource struct {
	title, thing string // thing follows a number in captions
	of           func(*result.Sample) *float64
	text         func(*float64) string
}

var resourceKinds = []resource{
	{"Resident memory", "", func(s *result.Sample) *float64 { return s.Resident }, size},
	{"OS threads", " OS threads", func(s *result.Sample) *float64 { return s.Threads }, figure},
	{"Goroutines", " goroutines", func(s *result.Sample) *float64 { return s.Goroutines }, figure},
}

// resources draws how much of each resource the servers hold.
func resources(r *result.Result) (Picture, error) {
	p := Picture{
		Name: "resources", Title: "Memory, threads and goroutines",
		Caption: "What each server holds over the time of the first round.",
	}
	shown := map[int]string{} // names by look
	for _, g := range groupsOf(r.Rows) {
		for _, kind := range resourceKinds {
			chart, known := kind.chart(g.entries, shown)
			if !known {
				continue
			}
			drawing, err := chart.draw()
			if err != nil {
				return p, err
			}
			drawing.Group, drawing.Title, drawing.Caption = g.title, kind.title, kind.caption(g.entries)
			p.Drawings = append(p.Drawings, drawing)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(shown)) {
		shade, marks := look(n)
		p.Keys = append(p.Keys, Key{shown[n], shade, string(marks)})
	}
	return p, nil
}

// chart draws the rows whose figure is known, and adds their names to shown by look. known is false if there are
// none.
func (k resource) chart(entries []entry, shown map[int]string) (chart lineChart, known bool) {
	var rows []result.Row
	for _, e := range entries {
		rows = append(rows, *e.Row)
	}
	time := newTimeline(rows...)
	if time.bins == 0 {
		return chart, false
	}
	chart = time.chart()
	highest := 0.0
	for _, e := range entries {
		values, peak := time.values(e.Series, k.of)
		if values == nil {
			continue
		}
		known, shown[e.look] = true, e.name
		highest = max(highest, peak)
		shade, marks := look(e.look)
		chart.add(line{shade: shade, values: values, marks: marks}, e.look)
	}
	chart.left = upTo(highest, func(f float64) string { return plainly(k.text(&f)) })
	return chart, known
}

// blocked draws the memory that a blocked request takes.
func blocked(r *result.Result) (Picture, error) {
	p := Picture{Name: "cost", Title: "Memory of a blocked request"}
	var all []bar
	longest := 0.0
	for _, c := range r.Costs {
		if each := c.BytesPerRequest; each != nil && *each > 0 {
			all = append(all, bar{name: clean(c.Name), value: size(each), length: *each, shade: series[2]})
			longest = max(longest, *each)
		}
	}
	if all == nil {
		return p, nil
	}
	p.Caption = blockedCaption(all)
	p.Keys = []Key{
		{"resident memory at its peak, less that of the idle server, by the requests in flight", series[2], keyBar},
	}
	drawing, err := bars(all, longest)
	drawing.Caption = p.Caption
	p.Drawings = []Drawing{drawing}
	return p, err
}

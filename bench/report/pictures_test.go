package report

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-analyze/charts"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"demo-server/bench/result"
)

func picturesOf(t *testing.T, r *result.Result) map[string]Picture {
	t.Helper()
	pictures, err := Pictures(r)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Picture{}
	for _, picture := range pictures {
		all[picture.Name] = picture
	}
	return all
}

func TestPictures(t *testing.T) {
	all := picturesOf(t, article())
	for name, drawings := range map[string]int{"throughput": 1, "latency": 1, "inside": 9, "resources": 3} {
		if got := len(all[name].Drawings); got != drawings {
			t.Errorf("%s: %d drawings, want %d", name, got, drawings)
		}
		if len(all[name].Keys) == 0 || all[name].Caption == "" {
			t.Errorf("%s: nothing says what it shows", name)
		}
		words := strings.Join(wellFormed(t, name, all[name].SVG()), "|")
		for _, key := range all[name].Keys {
			if !strings.Contains(words, key.Text) {
				t.Errorf("the file of %s has no key for %s", name, key.Text)
			}
		}
	}
}

// TestPicturesOfMatrix checks that the drawings of 24 rows are grouped by kind of work, and that no caption lists all
// rows.
func TestPicturesOfMatrix(t *testing.T) {
	const longest = 300 // bytes
	all := picturesOf(t, cells24())
	for name, want := range map[string][]int{ // number of drawings in each group
		"throughput": {4}, "latency": {4}, "inside": {6, 6, 6, 6}, "resources": {3, 3, 3, 3},
	} {
		picture := all[name]
		var got []int
		for _, g := range picture.Groups() {
			got = append(got, len(g.Drawings))
			if titled := g.Title != ""; titled != (len(want) > 1) {
				t.Errorf("%s: a group is called %q", name, g.Title)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: drawings by kind of work, want -, got +:\n%s", name, diff)
		}
		for _, d := range picture.Drawings {
			if d.Title == "" || d.Caption == "" || len(d.Caption) > longest {
				t.Errorf("%s: %q has a caption of %d bytes: %s", name, d.Title, len(d.Caption), d.Caption)
			}
		}
		wellFormed(t, name, picture.SVG())
	}
	if scale := all["throughput"].Drawings; !strings.Contains(scale[2].Caption, "2 cores / 2s") || scale[2].Title != "cpu" {
		t.Errorf("%s: %s", scale[2].Title, scale[2].Caption)
	}
}

// TestMemoryOnlyOfCosts checks that memory per request of rows is not drawn, because with few requests in flight it
// is mostly memory of the process.
func TestMemoryOnlyOfCosts(t *testing.T) {
	for name, test := range map[string]struct {
		r    *result.Result
		want int
	}{"rows": {article(), 0}, "costs": {cost(), 1}} {
		if got := len(picturesOf(t, test.r)["cost"].Drawings); got != test.want {
			t.Errorf("%s: %d charts of memory per request, want %d", name, got, test.want)
		}
	}
}

// TestFailedRow checks that a row without a rate has a place in the leading picture.
func TestFailedRow(t *testing.T) {
	words := strings.Join(wellFormed(t, "throughput", picturesOf(t, article())["throughput"].SVG()), "|")
	for _, want := range []string{"gunicorn-gthread (failed)|no rate", "mine (not trustworthy)", "failed or not trustworthy"} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in %s", want, words)
		}
	}
}

// TestWideConfidence checks that a wide interval over few rounds starts at 0 and does not leave the picture.
func TestWideConfidence(t *testing.T) {
	r := article()
	r.Rows[0].Total.LowSecond = result.Number(-100)
	if out := regexp.MustCompile(`[ML] -\d+ \d+`).FindString(string(picturesOf(t, r)["throughput"].SVG())); out != "" {
		t.Errorf("a line at %q", out)
	}
}

// TestNothingToShow checks that a result without measurements gives neither pictures nor an error.
func TestNothingToShow(t *testing.T) {
	null := result.Row{Name: "null", Series: []result.Sample{{}, {At: 1}}, Curve: []result.Point{{Percent: 50}}}
	one := result.Row{Name: "one", Series: []result.Sample{{Busy: result.Number(1)}}}
	beyond := result.Row{Name: "beyond", Curve: []result.Point{{Percent: 0, Latency: result.Latency{Seconds: 60, Beyond: true}}}}
	for name, r := range map[string]*result.Result{
		"no rows": {}, "a failed row": {Rows: article().Rows[9:]}, "samples of nothing": {Rows: []result.Row{null, one, beyond}},
	} {
		if all := picturesOf(t, r); len(all) != 0 {
			t.Errorf("%s: %v", name, all)
		}
	}
}

// TestStrangeFigures checks that no measurable figure breaks a drawing.
func TestStrangeFigures(t *testing.T) {
	for _, figure := range []float64{0, 1e-9, 1, 1e15} {
		r := article()
		for i := range r.Rows[0].Series {
			sample := &r.Rows[0].Series[i]
			sample.Resident, sample.Completed, sample.InFlight = &figure, &figure, &figure
		}
		r.Rows[0].Total.PerSecond, r.Rows[0].Total.Ceiling = &figure, &figure
		r.Rows[0].Curve[3].Seconds = figure
		for name, picture := range picturesOf(t, r) {
			svg := string(picture.SVG())
			wellFormed(t, name, []byte(svg))
			if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, "2147483647") {
				t.Errorf("%s of %g has what is no number", name, figure)
			}
		}
	}
}

// TestLatencyAxis checks that a row's line matches its latencies on the logarithmic axis, and that the axis has
// labels between the powers of ten.
func TestLatencyAxis(t *testing.T) {
	row := result.Row{Name: "x"}
	latencies := []float64{0.002, 0.005, 0.01, 0.05, 0.2, 0.2, 0.2, 0.2, 0.2}
	for i, percent := range percents {
		row.Curve = append(row.Curve, result.Point{Percent: percent, Latency: *exactly(latencies[i])})
	}
	drawing := picturesOf(t, &result.Result{Rows: []result.Row{row}})["latency"].Drawings[0]
	for _, label := range []string{">0<", ">99.9<", ">100<"} {
		if !strings.Contains(drawing.body, label) {
			t.Errorf("the axes have no %s", label)
		}
	}
	labels := map[string]float64{}
	for _, label := range regexp.MustCompile(`<text x="\d+" y="(\d+)"[^>]*>([\d]+ m?s)</text>`).FindAllStringSubmatch(drawing.body, -1) {
		labels[label[2]] = number(t, label[1])
	}
	marks := regexp.MustCompile(`<circle cx="\d+" cy="(\d+)"`).FindAllStringSubmatch(drawing.body, -1)
	if len(marks) != len(percents) {
		t.Fatalf("%d marks, want %d", len(marks), len(percents))
	}
	const baseline = 5 // from the middle of a label's letters down, in pixels
	for i, label := range []string{"2 ms", "5 ms", "10 ms", "50 ms", "200 ms"} {
		if y := number(t, marks[i][1]); labels[label] == 0 || math.Abs(labels[label]-baseline-y) > 1 {
			t.Errorf("%s is drawn at %g, and its label is at %g", label, y, labels[label])
		}
	}
}

func TestLogTicks(t *testing.T) {
	tests := []struct {
		name      string
		low, high float64
		want      []float64
	}{
		{"a quiet run of 200 ms", 0.2003, 0.2180, []float64{0.05, 0.1, 0.2, 0.5}},
		{"pools, one of them refuses", 0.2, 0.612, []float64{0.1, 0.2, 0.5, 1}},
		{"the article, up to the budget", 2.0004, 60, []float64{1, 2, 5, 10, 20, 50, 100}},
		{"three decades", 0.002, 1.5, []float64{0.001, 0.01, 0.1, 1, 10}},
		{"from 1 µs to an hour", 1e-6, 3600, []float64{1e-7, 1e-5, 1e-3, 1e-1, 10, 1000, 100000}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := logTicks(test.low, test.high)
			if !cmp.Equal(test.want, got, cmpopts.EquateApprox(1e-9, 0)) {
				t.Errorf("%g, want %g", got, test.want)
			}
			if len(got) < 3 || len(got) > maxTicks || got[0] > test.low || got[len(got)-1] < test.high {
				t.Errorf("%g do not span %g to %g, or are not 3 to %d", got, test.low, test.high, maxTicks)
			}
		})
	}
}

// TestSharedLines checks that rows whose lines are too close share one line that names them all.
func TestSharedLines(t *testing.T) {
	row := func(name string, latency float64, beyond bool) result.Row {
		row := result.Row{Name: name}
		for _, percent := range percents {
			point := result.Point{Percent: percent, Latency: *exactly(latency)}
			point.Beyond = beyond && percent > 50
			row.Curve = append(row.Curve, point)
		}
		return row
	}
	const dashes = "longer than that: no reply before the measurement ended"
	tests := []struct {
		name string
		rows []result.Row
		want []string
	}{
		{"the same", []result.Row{row("a", 2, false), row("b", 2.005, false), row("c", 1.995, false)}, []string{"a, b, c"}},
		{"others between them", []result.Row{row("a", 2, false), row("b", 4, false), row("c", 2, false)}, []string{"a, c", "b"}},
		{"each near the next, the last far from the first", []result.Row{row("a", 2, false), row("b", 2.04, false), row("c", 2.08, false)},
			[]string{"a, b", "c"}},
		{"one ends early", []result.Row{row("a", 2, false), row("b", 2, true)}, []string{"a", "b", dashes}},
		{"both end early", []result.Row{row("a", 2, true), row("b", 2, true)}, []string{"a, b", dashes}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, key := range picturesOf(t, &result.Result{Rows: test.rows})["latency"].Keys {
				got = append(got, key.Text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("keys, want -, got +:\n%s", diff)
			}
		})
	}
}

func number(t *testing.T, text string) (n float64) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestBeyond checks that lower bounds are not drawn as latencies.
func TestBeyond(t *testing.T) {
	r := article()
	single := slices.IndexFunc(r.Rows, func(row result.Row) bool { return row.Cut })
	want := []float64{math.Log10(2.0004), math.Log10(16), math.Log10(32), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	got := logarithms(r.Rows[single].Curve)
	for i := range want {
		if math.IsNaN(want[i]) != math.IsNaN(got[i]) || math.Abs(got[i]-want[i]) > 0.01 {
			t.Errorf("at %g%%: %g, want %g", percents[i], got[i], want[i])
		}
	}
}

func TestTimeline(t *testing.T) {
	some := func(at, value float64) result.Sample { return result.Sample{At: at, Busy: &value} }
	busy := func(s *result.Sample) *float64 { return s.Busy }
	nan := math.NaN()
	tests := []struct {
		name    string
		samples []result.Sample
		want    []float64
	}{
		{"one of each bin", []result.Sample{some(0, 1), some(1.01, 2), some(2, 3), some(3.02, 4)}, []float64{1, 2, 3, 4}},
		{"a bin keeps its largest", []result.Sample{some(0, 1), some(0.9, 5), some(1, 2), some(2, 3), some(3, 4)}, []float64{1, 5, 3, 4}},
		{"an empty bin is as the one before", []result.Sample{some(0, 1), some(1, 7), {At: 2}, some(3, 4)}, []float64{1, 7, 7, 4}},
		{"nothing before the first, nor after the last", []result.Sample{{At: 0}, some(1, 2), {At: 2}, {At: 3}}, []float64{nan, 2, nan, nan}},
		{"nothing is known", []result.Sample{{At: 0}, {At: 1}, {At: 2}, {At: 3}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			time := timeline{bin: 1, bins: 3, per: 1}
			got, _ := time.values(test.samples, busy)
			if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestNewTimeline(t *testing.T) {
	every := func(seconds, until float64) (row result.Row) {
		for i := range int(until/seconds) + 1 {
			row.Series = append(row.Series, result.Sample{At: float64(i) * seconds})
		}
		return row
	}
	tests := []struct {
		name  string
		rows  []result.Row
		total float64
		bins  int
	}{
		{"10 s, ten a second", []result.Row{every(0.1, 10)}, 10, 100},
		{"few samples", []result.Row{every(0.5, 2)}, 2, 4},
		{"the last one late", []result.Row{every(0.1005, 10.05)}, 10, 100},
		{"too many samples", []result.Row{every(0.1, 600)}, 600, 120},
		{"rows of different lengths", []result.Row{every(0.1, 10), every(0.1, 102)}, 120, 120},
		{"a little longer than a step", []result.Row{every(0.1, 11)}, 12, 120},
		{"no samples", []result.Row{{}}, 0, 0},
	}
	for _, test := range tests {
		time := newTimeline(test.rows...)
		if total := time.bin * float64(time.bins); time.bins != test.bins || math.Abs(total-test.total) > 1e-9 {
			t.Errorf("%s: %d bins of %g s in all, want %d of %g s", test.name, time.bins, total, test.bins, test.total)
		}
	}
}

// TestTimeLabels checks that all labels of an axis have the unit of the first.
func TestTimeLabels(t *testing.T) {
	got := timeline{bin: 0.5, bins: 4, per: 1}.chart().labels
	if diff := cmp.Diff([]string{"0 s", "0.5", "1", "1.5", "2"}, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestUpTo(t *testing.T) {
	for most, want := range map[float64]axis{
		0: {to: 1, ticks: 2}, 1: {to: 1, ticks: 3}, 10: {to: 10, ticks: 3}, 50: {to: 60, ticks: 4}, 99: {to: 100, ticks: 3},
		100: {to: 100, ticks: 3}, 101: {to: 150, ticks: 4}, 5000: {to: 6000, ticks: 4}, 65e6: {to: 80e6, ticks: 5},
	} {
		if got := upTo(most, nil); got.to != want.to || got.ticks != want.ticks || got.from != 0 {
			t.Errorf("%g: %+v, want to %g by %d ticks", most, got, want.to, want.ticks)
		}
	}
}

// TestLooks checks that no two rows look the same, and that each look has a key.
func TestLooks(t *testing.T) {
	seen := map[string]bool{}
	for n := range 32 {
		shade, marks := look(n)
		shape := Key{"", shade, string(marks)}.shape()
		if seen[shape] {
			t.Errorf("row %d is drawn like another: %s", n, shape)
		}
		seen[shape] = true
	}
	if got := len(picturesOf(t, many())["resources"].Keys); got != 17 {
		t.Errorf("%d keys for 17 rows", got)
	}
}

// TestContrast checks contrasts with the paper by WCAG 2.2 AA: 4.5 for text (1.4.3) and 3 for graphics (1.4.11).
func TestContrast(t *testing.T) {
	of := func(least float64, shades ...shade) {
		for _, s := range shades {
			for scheme, pair := range map[string][2]charts.Color{"light": {s.light, paper.light}, "dark": {s.dark, paper.dark}} {
				if got := contrast(pair[0], pair[1]); got < least {
					t.Errorf("%s %s: %.2f, want %g", scheme, s.name, got, least)
				}
			}
		}
	}
	of(4.5, ink, faint, bad, warn, good)
	of(3, series...)
}

func contrast(a, b charts.Color) float64 {
	bright, dark := luminance(a), luminance(b)
	return (max(bright, dark) + 0.05) / (min(bright, dark) + 0.05)
}

// luminance returns WCAG's relative luminance.
func luminance(c charts.Color) float64 {
	linear := func(channel uint8) float64 {
		f := float64(channel) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// TestTint checks that tint replaces all colours of the library by the page's.
func TestTint(t *testing.T) {
	light := map[charts.Color]bool{ending: true}
	for _, s := range shades() {
		if light[s.light] {
			t.Errorf("%s has the light colour of another, so that tint cannot tell them apart", s.name)
		}
		light[s.light] = true
	}
	for name, picture := range picturesOf(t, article()) {
		for _, drawing := range picture.Drawings {
			if fixed := regexp.MustCompile(`rgba?\(|Roboto|:white|:black`).FindString(drawing.body); fixed != "" {
				t.Errorf("%s has a fixed %s", name, fixed)
			}
		}
	}
	const words = `<text style="fill:rgb(28,33,40)">fill:rgb(28,33,40)</text>`
	if got, want := tint(words), `<text style="fill:var(--ink)">fill:rgb(28,33,40)</text>`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

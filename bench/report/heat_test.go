package report

import (
	"strings"
	"testing"

	"demo-server/bench/result"
)

// matrix returns two modes with two kinds of work, one cell of which was not measured.
func matrix() *result.Result {
	row := func(server, work string, share, predicted float64) result.Row {
		return result.Row{
			Name: server + result.Times + work, Kind: result.KindMode, Mode: server, Work: work, About: "about " + server, Trusted: true,
			Prediction: &result.Figures{PerSecond: result.Number(200 * predicted), Ceiling: result.Number(200.0)},
			Total:      result.Figures{PerSecond: result.Number(200 * share), Ceiling: result.Number(200.0)},
			Repeats:    []result.Repeat{{Round: 1}},
		}
	}
	r := article()
	r.Rows = []result.Row{
		row("goroutine", "sleep", 0.994, 1), row("single", "sleep", 0.0498, 0.05), row("goroutine", "mutex", 0.8996, 0.95),
	}
	r.Comparisons, r.Left = nil, nil
	return r
}

// TestHeatText checks that the table of shares comes first, that unknown shares are not shown as 0, and that only
// --wide adds tables for each kind of work.
func TestHeatText(t *testing.T) {
	const want = `Measured in 31m32s on 2 cores

Share of the client's ceiling

            sleep   mutex
─────────────────────────
goroutine   99.4%   90.0%
single       5.0%       –
`
	got := written(t, matrix(), Options{})
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant at its beginning\n%s", got, want)
	}
	wide := written(t, matrix(), Options{Wide: true})
	for _, title := range []string{"Work: sleep\n", "Work: mutex\n"} {
		if strings.Contains(got, title) || !strings.Contains(wide, title) {
			t.Errorf("%q is there by default, or not if all is asked for", title)
		}
	}
	if strings.Contains(written(t, article(), Options{}), "Share of the client's ceiling") {
		t.Error("a heat table of one kind of work")
	}
}

// TestHeatColors checks that the shade matches the displayed figure.
func TestHeatColors(t *testing.T) {
	got := written(t, matrix(), Options{Color: true})
	for part, step := range map[string]int{" 99.4%": 4, " 90.0%": 4, "  5.0%": 1} {
		if want := "\x1b[" + steps[step].code + "m" + part + "\x1b[0m"; !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	for part, want := range map[float64]int{0: 0, 0.0494: 0, 0.0495: 1, 0.05: 1, 0.2: 2, 0.4994: 2, 0.5: 3, 0.9: 4, 1: 4, 1.2: 4} {
		if got := stepOf(part); got != want {
			t.Errorf("%g is step %d, want %d", part, got, want)
		}
	}
}

// TestHeatPage checks that the page has the table, its legend, and the prediction below each figure.
func TestHeatPage(t *testing.T) {
	page := pageOf(t, matrix())
	for _, want := range []string{
		`<h2 id="heat">`, `<th scope="col">mutex</th>`, `<td class="h4">99.4%<small>100% predicted</small></td>`,
		`<td class="h1">5.0%<small>5.0% predicted</small></td>`, `<span class="swatch h4"></span>90% and more`, `<td class="absent">–</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// TestHeatMarks checks that a cell names its row's problems.
func TestHeatMarks(t *testing.T) {
	r := matrix()
	r.Rows[0].Trusted, r.Rows[1].Failure = false, "died under load"
	page := seen(pageOf(t, r))
	for _, want := range []string{"99.4% 100% predicted not trustworthy", "5.0% 5.0% predicted failed"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
}

package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"demo-server/bench/result"
	"demo-server/bench/verdict"
)

// FuzzDiffText: whatever two files say, a file is refused or their comparison is a table that fits a terminal.
func FuzzDiffText(f *testing.F) {
	const file = `{"schema": "demo-server/bench/1", "rows": [{"name": "pool", "total": {"requests_per_second": %s},
		"repeats": [{"requests_per_second": %[1]s}, {"requests_per_second": 1}]}]}`
	for _, figure := range []string{"1", "1e308", "1e15", "1e-12", "5e-324", "-1"} {
		f.Add(fmt.Sprintf(file, figure), fmt.Sprintf(file, "2"))
	}
	f.Fuzz(func(t *testing.T, older, newer string) {
		before, errBefore := result.Read(strings.NewReader(older))
		after, errAfter := result.Read(strings.NewReader(newer))
		if errBefore != nil || errAfter != nil {
			return
		}
		checkDiff(t, before, after)
	})
}

// TestDiffTextExtremes: figures that no file may have do not keep the table from ending, nor from fitting.
func TestDiffTextExtremes(t *testing.T) {
	run := func(name string, rate float64) *result.Result {
		row := result.Row{Name: name}
		row.Total.PerSecond = &rate
		row.Repeats = []result.Repeat{{Figures: row.Total}, {Figures: row.Total}}
		return &result.Result{Rows: []result.Row{row}}
	}
	for _, name := range []string{"a", "世界", strings.Repeat("x", 100_000), strings.Repeat("-", 1000)} {
		for _, rates := range [][2]float64{{1e308, 1e308}, {1e308, 5e-324}, {5e-324, 1e308}, {-1e308, 1e308}} {
			checkDiff(t, run(name, rates[0]), run(name, rates[1]))
		}
	}
}

func checkDiff(t *testing.T, before, after *result.Result) {
	t.Helper()
	var out strings.Builder
	if err := DiffText(&out, before, after, verdict.Runs(before.Rows, after.Rows, 0.02), Options{Width: 100}); err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(out.String(), "\n\n")
	for line := range strings.Lines(table) {
		if width := text.StringWidth(strings.TrimSuffix(line, "\n")); width > 100 {
			t.Fatalf("a line of %d characters: %.200s", width, line)
		}
	}
}

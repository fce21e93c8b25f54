package verdict

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench/result"
)

// TestMatrixSentences checks that each limit is named once with all its rows, and that rows at the ceiling are named
// together.
func TestMatrixSentences(t *testing.T) {
	type at struct {
		share, predicted float64
		bound            string
	}
	free := at{share: 0.99, predicted: 1}
	many := at{0.98, 1, "1000 threads / 100ms"} // a limit that is not reached
	slots, helpers := at{0.148, 0.15, "3 slots / 100ms"}, at{0.4, 0.4, "8 helpers / 100ms"}
	one := at{0.05, 0.05, "1 at a time / 100ms"}
	for _, c := range []struct {
		name           string
		servers, kinds []string
		cells          map[string][]at // keyed by server
		want           []string
	}{
		{
			name: "a work that bounds all, a mode that is bounded by itself, and one cell", servers: []string{"goroutine", "single", "eventloop"},
			kinds: []string{"sleep", "block", "mutex"},
			cells: map[string][]at{"goroutine": {free, many, slots}, "single": {one, one, one}, "eventloop": {free, helpers, slots}},
			want: []string{
				"sleep and block: what nothing bounds reaches 98% to 99% of the ceiling, whatever the mode.",
				"single: 1 at a time / 100ms bounds it, whatever the work is.",
				"eventloop × block: 8 helpers / 100ms bound it, at 40% of the ceiling.",
				"mutex: 3 slots / 100ms bound every mode but single, at 15% of the ceiling.",
			},
		},
		{
			name: "a work that bounds every mode", servers: []string{"goroutine", "pool"}, kinds: []string{"sleep", "mutex"},
			cells: map[string][]at{"goroutine": {free, slots}, "pool": {free, slots}},
			want: []string{
				"sleep: what nothing bounds reaches 99% of the ceiling, whatever the mode.",
				"mutex: 3 slots / 100ms bound every mode, at 15% of the ceiling.",
			},
		},
		{
			name: "several cells, and one that is not as predicted", servers: []string{"goroutine", "eventloop", "other"}, kinds: []string{"block", "file"},
			cells: map[string][]at{"goroutine": {free, free}, "eventloop": {helpers, helpers}, "other": {{0.5, 1, ""}, free}},
			want: []string{
				"file: what nothing bounds reaches 99% of the ceiling, whatever the mode.",
				"eventloop: 8 helpers / 100ms bound it, whatever the work is.",
				"other × block reaches 50% of the ceiling, where theory predicts 100%: see the notes.",
			},
		},
		{
			name: "noise around what counts as the ceiling", servers: []string{"goroutine", "pool"}, kinds: []string{"sleep", "mutex"},
			cells: map[string][]at{
				"goroutine": {{0.93, 1, ""}, {0.953, 0.94, "94 slots / 100ms"}},
				"pool":      {free, {0.939, 0.94, "94 slots / 100ms"}},
			},
			want: []string{
				"sleep: what nothing bounds reaches 93% to 99% of the ceiling, whatever the mode.",
				"mutex: 94 slots / 100ms bound every mode, at 94% to 95% of the ceiling.",
			},
		},
	} {
		var r result.Result
		for i, kind := range c.kinds {
			for _, server := range c.servers {
				cell := c.cells[server][i]
				row := result.Row{
					Name: server + result.Times + kind, Work: kind, Bound: cell.bound, Trusted: true,
					Prediction: &result.Figures{PerSecond: result.Number(200 * cell.predicted), Ceiling: result.Number(200.0)},
					Total:      result.Figures{PerSecond: result.Number(200 * cell.share), Ceiling: result.Number(200.0)},
				}
				if cell.share < 0.9*cell.predicted {
					row.Notes = []string{"requests/s -50% off the prediction: a warm-up"}
				}
				r.Rows = append(r.Rows, row)
			}
		}
		if diff := cmp.Diff(c.want, Sentences(&r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench"
	"demo-server/bench/report"
	"demo-server/bench/result"
	"demo-server/internal/benchspec"
)

// TestShortfalls checks that each shortfall is a line on standard error, and that the exit code is 1.
func TestShortfalls(t *testing.T) {
	row := func(counts result.Counts) result.Row {
		return result.Row{Name: "pool", Repeats: []result.Repeat{{Round: 1}}, Total: result.Figures{Counts: counts}}
	}
	failed := row(result.Counts{Answered: 7})
	failed.Failure = "died under load: it ended with signal: killed\nthe last line of its log"
	left := []result.Left{{Name: "pool", Why: "it would take 2h46m40s"}}
	for _, test := range []struct {
		name   string
		result result.Result
		want   string // on standard error
	}{
		{"replies", result.Result{Rows: []result.Row{row(result.Counts{Answered: 1, Failed: 9, Status: 9})}}, ""},
		{"refusals", result.Result{Rows: []result.Row{row(result.Counts{Refused: 1200})}},
			"pool: no request got a right reply: 1200 refused (503 or 429)"},
		{"all that can happen", result.Result{Rows: []result.Row{row(result.Counts{
			Refused: 1, Failed: 20, Connect: 2, Timeout: 3, Broken: 4, Status: 5, Body: 6, Unfinished: 7,
		})}}, "pool: no request got a right reply: 1 refused (503 or 429), 2 could not connect, 3 timed out," +
			" 4 ended before the reply did, 5 got another status, 6 got another body, 7 unfinished"},
		{"nothing is known", result.Result{Rows: []result.Row{row(result.Counts{})}}, "pool: no request got a right reply"},
		{"a failure", result.Result{Rows: []result.Row{failed}}, "pool: died under load: it ended with signal: killed"},
		{"interrupted", result.Result{Interrupted: true, Rows: []result.Row{{Name: "pool"}}}, "pool: was not measured"},
		{"left out", result.Result{Rows: []result.Row{row(result.Counts{Answered: 1})}, Left: left}, ""},
		{"all left out", result.Result{Left: left}, "nothing was measured: every row was left out"},
		{"costs", result.Result{Costs: []result.Cost{{Name: "pool"}}}, ""},
		{"a cost that failed", result.Result{Costs: []result.Cost{{Name: "pool", Failure: "did not start: it ended\nlog"}}},
			"pool: did not start: it ended"},
		{"a cost that is missing", result.Result{Interrupted: true}, "pool: was not measured"},
		{"expectations", result.Result{Rows: []result.Row{row(result.Counts{Answered: 1})}, Expectations: []result.Expectation{
			{Text: "pool.failed==0", Met: true, Why: "failed is 0"},
			{Text: "pool.p99<2.1s", Why: "p99 is 2.4s"},
			{Text: "pool.p50<1s", Why: "p50 is 2s"},
		}}, "expected pool.p99<2.1s: p99 is 2.4s\nexpected pool.p50<1s: p50 is 2s"},
		{"a name that a terminal would obey", result.Result{Rows: []result.Row{{Name: "pool", Failure: "\x1b[2J"}}}, "pool: \ufffd[2J"},
	} {
		t.Run(test.name, func(t *testing.T) {
			nothing := func(io.Writer, *result.Result, report.Options) error { return nil }
			var errOut strings.Builder
			code := exitOK
			if err := reportResult(&test.result, []bench.Row{{Name: "pool"}}, nothing, benchspec.Output{}, &streams{io.Discard, &errOut}); err != nil {
				code = int(err.(exitError))
			}
			want, wantCode := "", exitOK
			if test.want != "" {
				want = "demo-server: " + strings.ReplaceAll(test.want, "\n", "\ndemo-server: ") + "\n"
				wantCode = exitFailure
			}
			if diff := cmp.Diff(want, errOut.String()); diff != "" || code != wantCode {
				t.Errorf("exit code %d, want %d\n%s", code, wantCode, diff)
			}
		})
	}
}

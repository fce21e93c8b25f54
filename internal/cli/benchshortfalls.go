package cli

import (
	"fmt"
	"strings"

	"demo-server/bench"
	"demo-server/bench/result"
)

// shortfalls returns a line for each row that failed, was not measured or did not get a right reply, and for each
// expectation that is not met. A row that was skipped before the run is not a shortfall, unless all rows were skipped.
func shortfalls(r *result.Result, wanted []bench.Row) (lines []string) {
	reasons := map[string]string{} // by name of the row; empty for a row with a result
	for i := range r.Rows {
		reasons[r.Rows[i].Name] = shortfall(&r.Rows[i])
	}
	for _, cost := range r.Costs {
		reasons[cost.Name] = firstLine(cost.Failure)
	}
	for _, left := range r.Left {
		reasons[left.Name] = ""
	}
	for _, row := range wanted {
		if why, known := reasons[row.Name]; !known {
			lines = append(lines, row.Name+": was not measured")
		} else if why != "" {
			lines = append(lines, row.Name+": "+why)
		}
	}
	if len(r.Rows)+len(r.Costs) == 0 && lines == nil {
		lines = append(lines, "nothing was measured: every row was left out")
	}
	for _, e := range r.Expectations {
		if !e.Met {
			lines = append(lines, fmt.Sprintf("expected %s: %s", e.Text, e.Why))
		}
	}
	return lines
}

// shortfall returns why a row does not have a result, or "" if it has one.
func shortfall(row *result.Row) string {
	switch {
	case row.Failure != "":
		return firstLine(row.Failure)
	case len(row.Repeats) == 0:
		return "was not measured"
	case row.Total.Answered > 0:
		return ""
	}
	return strings.TrimSuffix("no request got a right reply: "+outcomes(row.Total.Counts), ": ")
}

// outcomes lists the requests without a right reply, counted by their outcome.
func outcomes(c result.Counts) string {
	var parts []string
	for _, outcome := range []struct {
		n    int
		text string
	}{
		{c.Refused, "refused (503 or 429)"}, {c.Connect, "could not connect"}, {c.Timeout, "timed out"},
		{c.Broken, "ended before the reply did"}, {c.Status, "got another status"}, {c.Body, "got another body"},
		{c.Unfinished, "unfinished"},
	} {
		if outcome.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", outcome.n, outcome.text))
		}
	}
	return strings.Join(parts, ", ")
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

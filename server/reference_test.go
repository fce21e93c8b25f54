package server

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"demo-server/internal/testkit/golden"
	"demo-server/work"
)

// TestRequestsReference writes the tables of routes, statuses, outcomes and causes of closing.
func TestRequestsReference(t *testing.T) {
	const page = "../docs/reference/requests.md"
	routes := "| path | methods |\n|---|---|\n"
	for _, route := range Routes {
		routes += fmt.Sprintf("| `%s` | %s |\n", route.Path, strings.Join(route.Methods, ", "))
	}
	golden.Block(t, page, "routes", routes)

	statuses := "| status | body | outcome | connection | `Retry-After` |\n|---|---|---|---|---|\n"
	rows := append(slices.Clone(statusTable), failed)
	for _, cause := range work.Causes {
		rows = append(rows, *failures[cause])
	}
	slices.SortStableFunc(rows, func(a, b statusRow) int { return a.code - b.code })
	for _, row := range rows {
		connection, retry := "", ""
		if row.closes {
			connection = "closes"
		}
		if row.retry {
			retry = "yes"
		}
		statuses += fmt.Sprintf("| %d | %s | `%s` | %s | %s |\n", row.code, strings.TrimSpace(string(row.body)), row.outcome, connection, retry)
	}
	golden.Block(t, page, "statuses", statuses)

	var outcomes, causes []string
	for _, o := range Outcomes() {
		outcomes = append(outcomes, o.String())
	}
	for _, c := range CloseCauses() {
		causes = append(causes, c.String())
	}
	golden.Block(t, page, "outcomes", described(t, "sample.go", "OK", outcomes))
	golden.Block(t, page, "causes", described(t, "close.go", "CloseReplied", causes))
}

// described returns a table of constants: their labels, and the comments that they have in the source. first is the name
// of the first constant, which the others follow.
func described(t *testing.T, file, first string, labels []string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(source), "const (\n\t"+first+" ")
	block, _, _ = strings.Cut(block, "\n)")
	comments := regexp.MustCompile(`// (.*)`).FindAllStringSubmatch(block, -1)
	if len(comments) != len(labels) {
		t.Fatalf("%s: %d comments for %d constants", file, len(comments), len(labels))
	}
	table := "| label | meaning |\n|---|---|\n"
	for i, label := range labels {
		table += fmt.Sprintf("| `%s` | %s |\n", label, comments[i][1])
	}
	return table
}

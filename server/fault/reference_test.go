package fault

import (
	"os"
	"strings"
	"testing"

	"demo-server/internal/testkit/golden"
)

// TestParametersReference writes the grammar, which the package comment has, and checks that it has every parameter.
func TestParametersReference(t *testing.T) {
	source, err := os.ReadFile("fault.go")
	if err != nil {
		t.Fatal(err)
	}
	comment, _, _ := strings.Cut(string(source), "\npackage fault\n")
	page := "```\n"
	for line := range strings.Lines(comment) {
		if grammar, ok := strings.CutPrefix(line, "//\t"); ok {
			page += grammar
		}
	}
	for _, name := range names {
		if !strings.Contains(page, name+"=") {
			t.Errorf("the package comment does not mention %s", name)
		}
	}
	golden.Block(t, "../../docs/reference/requests.md", "parameters", page+"```\n")
}

package admin

import (
	"fmt"
	"testing"

	"demo-server/internal/testkit/golden"
)

// TestAdminReference writes the table of endpoints.
func TestAdminReference(t *testing.T) {
	s := &Server{}
	table := "| path | reply |\n|---|---|\n"
	for _, e := range s.endpoints() {
		table += fmt.Sprintf("| `%s` | %s |\n", e.Path, e.About)
	}
	golden.Block(t, "../../docs/reference/admin-api.md", "endpoints", table)
}

//go:build e2e

package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"demo-server/internal/testkit"
)

// TestTrace: go tool trace finds each request as a task, with regions for what it went through.
func TestTrace(t *testing.T) {
	const requests = 20
	eachMode(t, func(t *testing.T, m mode) {
		p := start(t, "--mode="+m.Name, "--delay=5ms", "--flight-recorder", "--workers=2")
		receiveAll(t, p.dialAll(t, requests))
		// That a request has ended is traced before it is counted, but after it is no longer in flight.
		testkit.Eventually(t, "all have ended", func() bool { return p.stats(t).Requests["ok"] == requests })
		status, recorded := p.ask(t, "debug/trace")
		if status != http.StatusOK {
			t.Fatalf("/debug/trace: %d %s", status, recorded)
		}
		file := filepath.Join(t.TempDir(), "demo-server.trace")
		if err := os.WriteFile(file, []byte(recorded), 0o644); err != nil {
			t.Fatal(err)
		}
		events := mustTool(t, "go", "tool", "trace", "-d=parsed", file)
		for _, want := range []struct{ kind, typ string }{
			{"TaskBegin", "request"}, {"RegionBegin", "queue"}, {"RegionEnd", "queue"}, {"RegionBegin", "work"},
			{"RegionEnd", "work"}, {"RegionBegin", "write"}, {"RegionEnd", "write"}, {"TaskEnd", "request"},
		} {
			if n := countEvents(events, want.kind, want.typ); n != requests {
				t.Errorf("%d events %s %q, want one for each of %d requests", n, want.kind, want.typ, requests)
			}
		}
	})
}

// countEvents counts the lines of a parsed trace that tell of a kind of event of that type.
func countEvents(events, kind, typ string) (n int) {
	for text := range strings.Lines(events) {
		if strings.Contains(text, " "+kind+" ") && strings.HasSuffix(strings.TrimSpace(text), `Type="`+typ+`"`) {
			n++
		}
	}
	return n
}

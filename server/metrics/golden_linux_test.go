package metrics

import (
	"regexp"
	"testing"

	"demo-server/internal/testkit/golden"
)

// TestGolden compares /metrics and /stats of one process with golden files, without metrics of the Go runtime and the process.
// It needs Linux for the accept queue.
func TestGolden(t *testing.T) {
	m := observed(t)
	own := regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?(go|process)_.*\n`).ReplaceAllString(text(t, m), "")
	golden.File(t, "testdata/metrics.txt", own)
	body := regexp.MustCompile(`"(uptime_seconds|goroutines)": [0-9.e-]+`).ReplaceAllString(string(statsOf(t, m, true, "")), `"$1": …`)
	golden.File(t, "testdata/stats.json", body)
}

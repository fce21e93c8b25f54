package metrics

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata")

// TestGolden compares /metrics and /stats of one process with golden files, without metrics of the Go runtime and the process.
// It needs Linux for the accept queue.
func TestGolden(t *testing.T) {
	m := observed(t)
	own := regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?(go|process)_.*\n`).ReplaceAllString(text(t, m), "")
	wantGolden(t, "metrics.txt", own)
	body := regexp.MustCompile(`"(uptime_seconds|goroutines)": [0-9.e-]+`).ReplaceAllString(string(statsOf(t, m, true, "")), `"$1": …`)
	wantGolden(t, "stats.json", body)
}

func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

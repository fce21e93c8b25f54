//go:build e2e

package e2e_test

import (
	"testing"
	"time"
)

// TestUnpatched: with --patched=false a loop does one thing at a time, a wait included, and the rest of its connections
// stand still meanwhile; with it, nothing does.
func TestUnpatched(t *testing.T) {
	const n, delay = 6, 200 * time.Millisecond
	for _, row := range []struct {
		loops, patched string
		rounds         int
	}{
		{"1", "true", 1},
		{"1", "false", n},
		{"2", "false", n / 2},
	} {
		p := start(t, "--mode=eventloop", "--delay="+delay.String(), "--loops="+row.loops, "--patched="+row.patched)
		// Connections are spread over loops as they come, not dealt out: a loop may get some more than its share.
		least, most := time.Duration(row.rounds)*delay, time.Duration(row.rounds+3)*delay
		if row.patched == "true" {
			most = least + delay/2
		}
		quickest := time.Hour
		for try := 0; quickest > most && try < attempts; try++ { // the machine may be busy
			before := time.Now()
			ok, _ := receiveAll(t, p.dialAll(t, n))
			if took := time.Since(before); ok != n || took < least {
				t.Errorf("%s loops, patched %s: %d of %d answered in %v, want all in %v at least", row.loops, row.patched, ok, n, took, least)
			}
			quickest = min(quickest, time.Since(before))
		}
		if quickest > most {
			t.Errorf("%s loops, patched %s: all answered in %v at best, want %v at most", row.loops, row.patched, quickest, most)
		}
	}
}

package prefork

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestBackoff: the first death costs no pause, those that follow cost longer and longer ones, until a worker lived.
func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	var b backoff
	var got []time.Duration
	for _, lived := range []time.Duration{
		time.Hour, 0, 0, 0, 0, 0, 0, 0, 9 * time.Second, 10 * time.Second, ms, ms,
	} {
		got = append(got, b.died(lived))
	}
	want := []time.Duration{
		0, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5000 * ms, 5000 * ms, 0, 100 * ms, 200 * ms,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

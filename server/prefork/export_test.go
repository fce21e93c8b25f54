package prefork

import (
	"testing"
	"time"
)

// ReportsFile is the descriptor on which a worker reports.
const ReportsFile = reportsFile

// SetEndGrace changes how long a worker may take to end, for all tests.
func SetEndGrace(d time.Duration) { endGrace = d }

// SetSteady changes how long a worker has to be ready to have served, for one test.
func SetSteady(t *testing.T, d time.Duration) {
	before := minServing
	t.Cleanup(func() { minServing = before })
	minServing = d
}

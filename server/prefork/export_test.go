package prefork

import (
	"testing"
	"time"
)

// ReportsFile is the descriptor on which a worker reports.
const ReportsFile = reportsFile

// SetEndGrace sets how long a worker may take to exit, for all tests.
func SetEndGrace(d time.Duration) { endGrace = d }

// SetSteady sets how long a worker has to be ready to count as having served, for one test.
func SetSteady(t *testing.T, d time.Duration) {
	before := minServing
	t.Cleanup(func() { minServing = before })
	minServing = d
}

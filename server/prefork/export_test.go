package prefork

import "time"

// ReportsFile is the descriptor on which a worker reports.
const ReportsFile = reportsFile

// SetEndGrace changes how long a worker may take to end, for all tests.
func SetEndGrace(d time.Duration) { endGrace = d }

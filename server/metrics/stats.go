package metrics

import "time"

// Stats is the body of /stats. The current mode's numbers are at the top, where a script finds in_flight or requests.wasted
// without knowing the mode. Earlier modes are in OtherModes.
type Stats struct {
	Ready         bool    `json:"ready"`
	Reason        string  `json:"reason"` // why it is not ready; empty if it is
	UptimeSeconds float64 `json:"uptime_seconds"`
	Goroutines    int     `json:"goroutines"`
	ModeStats
	AcceptQueue *AcceptQueue `json:"accept_queue"` // null if it cannot be read
	LogDropped  uint64       `json:"log_lines_dropped"`
	OtherModes  []ModeStats  `json:"other_modes"`
}

// Stats returns the body of /stats.
func (m *Metrics) Stats(ready bool, reason string) any {
	return m.snapshot().Stats(ready, reason, time.Since(m.start))
}

// Stats returns the body of /stats for s.
func (s *Snapshot) Stats(ready bool, reason string, uptime time.Duration) Stats {
	body := Stats{
		Ready: ready, Reason: reason, UptimeSeconds: uptime.Seconds(), Goroutines: s.Goroutines,
		ModeStats: s.CurrentMode(), AcceptQueue: s.AcceptQueue, LogDropped: s.LogDropped, OtherModes: []ModeStats{},
	}
	for _, m := range s.Modes {
		if m.Mode != s.Mode {
			body.OtherModes = append(body.OtherModes, m.ModeStats)
		}
	}
	return body
}

// CurrentMode returns the numbers of the current mode, all 0 before the first mode serves.
func (s *Snapshot) CurrentMode() ModeStats {
	for _, m := range s.Modes {
		if m.Mode == s.Mode {
			return m.ModeStats
		}
	}
	return newModeSnapshot("").ModeStats
}

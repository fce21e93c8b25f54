package admin

import (
	"encoding/json"
	"net/http"
	"runtime"
	"time"
)

// Stats is the body of /stats: the current mode's figures at the top, so that a script finds in_flight or
// requests.wasted without knowing the mode, and those of the modes before it apart.
type Stats struct {
	Ready         bool    `json:"ready"`
	Reason        string  `json:"reason"` // why it is not ready, else empty
	UptimeSeconds float64 `json:"uptime_seconds"`
	Goroutines    int     `json:"goroutines"`
	ModeStats
	AcceptQueue *AcceptQueue `json:"accept_queue"` // null where the system does not tell
	LogDropped  uint64       `json:"log_lines_dropped"`
	OtherModes  []ModeStats  `json:"other_modes"`
	*fleetStats              // nil, and no keys, for a process that serves alone
}

type AcceptQueue struct {
	Depth int `json:"depth"`
	Limit int `json:"limit"`
}

func (s *Server) stats(w http.ResponseWriter, _ *http.Request) {
	body := s.config.meter().stats()
	body.Ready, body.Reason = s.config.Ready(true)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.Encode(body) // an error is the client's: it left
}

func (m *Metrics) stats() Stats {
	body := m.snapshot().stats()
	body.UptimeSeconds = time.Since(m.start).Seconds()
	body.Goroutines = runtime.NumGoroutine()
	return body
}

// stats is what /stats says of a snapshot.
func (s Snapshot) stats() Stats {
	// Before the first mode serves, every key is there all the same.
	body := Stats{ModeStats: newSeries("").read(), OtherModes: []ModeStats{}, LogDropped: s.logDropped}
	for _, f := range s.modes {
		if f.Mode == s.current {
			body.ModeStats = f
		} else {
			body.OtherModes = append(body.OtherModes, f)
		}
	}
	if s.acceptQueue != nil {
		body.AcceptQueue = (*AcceptQueue)(s.acceptQueue)
	}
	return body
}

package fleet

import (
	"encoding/json"
	"fmt"
	"io"

	"demo-server/server/metrics"
)

// maxAnswer is a limit on the bytes of a worker's Snapshot, which usually has 3 KiB.
const maxAnswer = 128 << 10

// readAnswer reads a worker's Snapshot and checks it. Even if an attacker took the worker over, its answer must not crash
// the supervisor, fill its memory, or make /metrics and /stats unreadable.
func (f *Fleet) readAnswer(body io.Reader) (*metrics.Snapshot, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxAnswer {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	s := new(metrics.Snapshot)
	if err := json.Unmarshal(text, s); err != nil {
		return nil, err
	}
	return s, s.Check(f.config.Modes, f.config.Kinds)
}

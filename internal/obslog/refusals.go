package obslog

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"demo-server/server"
)

// refusalInterval is the minimum time between two lines about the same burst of refusals. A burst ends after an
// interval without a refusal.
const refusalInterval = 10 * time.Second

// A refusalLog logs bursts of refusals: the first refusal immediately, then at most one line with their count per
// refusalInterval. A timer writes these lines, because the last count of a burst must not wait for the next burst.
type refusalLog struct {
	logger *zap.Logger

	mu     sync.Mutex
	burst  *time.Timer            // runs while a burst lasts
	counts map[server.Outcome]int // refused since the burst's last line
}

func newRefusalLog(logger *zap.Logger) *refusalLog {
	return &refusalLog{logger: logger, counts: make(map[server.Outcome]int)}
}

// Observe counts s if it was refused, and logs it if it begins a burst.
func (l *refusalLog) Observe(s *server.Sample) {
	if !s.Outcome.Refused() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.burst != nil {
		l.counts[s.Outcome]++
		return
	}
	l.burst = time.AfterFunc(refusalInterval, l.summarize)
	l.logger.Warn("refusing requests",
		zap.String("mode", s.Mode), zap.String("outcome", s.Outcome.String()), zap.Int("status", s.Status))
}

// summarize ends an interval of a burst, and the burst itself if the interval had no refusals.
func (l *refusalLog) summarize() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.burst == nil: // flush came first
	case len(l.counts) == 0:
		l.burst = nil
		l.logger.Info("no longer refusing requests")
	default:
		l.report()
		l.burst.Reset(refusalInterval)
	}
}

// flush ends the burst and logs its last count.
func (l *refusalLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.burst == nil {
		return
	}
	l.burst.Stop()
	l.burst = nil
	if len(l.counts) > 0 {
		l.report()
	}
}

// report logs the counts and resets them. The caller holds the lock.
func (l *refusalLog) report() {
	var fields []zapcore.Field
	for _, outcome := range server.Outcomes() {
		if n := l.counts[outcome]; n > 0 {
			fields = append(fields, zap.Int(outcome.String(), n))
		}
	}
	clear(l.counts)
	l.logger.Warn("refused requests", fields...)
}

package obslog

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logInterval is the least time between two lines of most limited logs: ten a second.
const logInterval = 100 * time.Millisecond

// A limiter lets one line through each interval and counts the others, so that none is lost without a word. Create it
// with newLimiter.
type limiter struct {
	every   time.Duration
	start   time.Time
	next    atomic.Int64 // when the next line may go, in nanoseconds since start
	skipped atomic.Int64
}

func newLimiter(every time.Duration) *limiter { return &limiter{every: every, start: time.Now()} }

// allow reports whether a line may be logged now; skipped is how many were not since the last one that was.
func (l *limiter) allow() (skipped int64, ok bool) {
	now, next := int64(time.Since(l.start)), l.next.Load()
	if now < next || !l.next.CompareAndSwap(next, now+int64(l.every)) {
		l.skipped.Add(1)
		return 0, false
	}
	return l.takeSkipped(), true
}

func (l *limiter) takeSkipped() int64 { return l.skipped.Swap(0) }

// flush logs how many lines were skipped since the last one, if any were.
func (l *limiter) flush(logger *zap.Logger, level zapcore.Level, message string) {
	if skipped := l.takeSkipped(); skipped > 0 {
		logger.Log(level, message, skippedField(skipped))
	}
}

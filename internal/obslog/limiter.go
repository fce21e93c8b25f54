package obslog

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logInterval is the minimum time between two lines of most limited logs: ten per second.
const logInterval = 100 * time.Millisecond

// A limiter allows one line per interval and counts the others, to report them with the next line. Create it with
// newLimiter.
type limiter struct {
	every   time.Duration
	start   time.Time
	next    atomic.Int64 // when the next line may go, in nanoseconds since start
	skipped atomic.Int64
}

func newLimiter(every time.Duration) *limiter { return &limiter{every: every, start: time.Now()} }

// allow reports whether a line may be logged now. skipped is the number of lines skipped since the last one.
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

package obslog

import (
	"time"

	"go.uber.org/zap"

	"demo-server/server"
	"demo-server/work"
)

// failureInterval is the minimum time between two lines about failures with the same cause, because a dependency may be
// down for a long time.
const failureInterval = time.Second

// A failureLog logs why work failed. The client learns only the cause. Each cause has its own limit, so a common one
// does not hide a rare one.
type failureLog struct {
	logger *zap.Logger
	limits map[work.Cause]*limiter
}

func newFailureLog(logger *zap.Logger) *failureLog {
	limits := map[work.Cause]*limiter{noCause: newLimiter(failureInterval)}
	for _, cause := range work.Causes {
		limits[cause] = newLimiter(failureInterval)
	}
	return &failureLog{logger: logger, limits: limits}
}

// noCause is for errors that are not a work.Failure.
const noCause work.Cause = ""

// Observe logs why s's work failed, if it did.
func (f *failureLog) Observe(s *server.Sample) {
	if s.Err == nil {
		return
	}
	cause := noCause
	if s.Failure != nil {
		cause = s.Failure.Cause
	}
	skipped, ok := f.limits[cause].allow()
	if !ok {
		return
	}
	f.logger.Warn("work failed", zap.String("mode", s.Mode), zap.Int("status", s.Status),
		zap.String("error", s.Err.Error()), skippedField(skipped))
}

// flush logs how many failures were skipped since the last line.
func (f *failureLog) flush() {
	for _, limit := range f.limits {
		limit.flush(f.logger, zap.WarnLevel, "failure log entries dropped")
	}
}

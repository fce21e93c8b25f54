package main

import (
	"time"

	"go.uber.org/zap"

	"demo-server/server"
)

// failureInterval is the least time between two lines on work that failed: what it depends on may be down for long.
const failureInterval = time.Second

// A failureLog logs why work failed. The client is told no more than the cause.
type failureLog struct {
	logger *zap.Logger
	limit  *logLimit
}

func newFailureLog(logger *zap.Logger) *failureLog {
	return &failureLog{logger: logger, limit: newLogLimit(failureInterval)}
}

// Observe logs why s's work failed, if it did.
func (f *failureLog) Observe(s *server.Sample) {
	if s.Err == nil {
		return
	}
	skipped, ok := f.limit.allow()
	if !ok {
		return
	}
	f.logger.Warn("work failed", zap.String("mode", s.Mode), zap.Int("status", s.Status),
		zap.String("error", printable(s.Err.Error())), skippedField(skipped))
}

// flush logs how many failures were skipped since the last line.
func (f *failureLog) flush() { f.limit.flush(f.logger, zap.WarnLevel, "failures of work not logged") }

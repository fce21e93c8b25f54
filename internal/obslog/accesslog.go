package obslog

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"demo-server/server"
)

// An accessLog logs requests: all of them, or a limited number and the count of the others.
type accessLog struct {
	logger *zap.Logger
	limit  *limiter // nil to log all
}

// newAccessLog returns the access log of a mode (off, sampled or all), and nil for off. logger should be buffered.
func newAccessLog(mode string, logger *zap.Logger) *accessLog {
	switch mode {
	case "sampled":
		return &accessLog{logger: logger, limit: newLimiter(logInterval)}
	case "all":
		return &accessLog{logger: logger}
	}
	return nil
}

// Observe logs s, or counts it as skipped.
func (a *accessLog) Observe(s *server.Sample) {
	if !a.logger.Core().Enabled(zap.InfoLevel) {
		return
	}
	skipped, ok := a.allow()
	if !ok {
		return
	}
	a.logger.Info("request",
		zap.String("mode", s.Mode),
		unlessEmpty("client", s.Client),
		zap.String("method", s.Method),
		zap.String("path", s.Path),
		unlessEmpty("query", s.Query),
		zap.Int("status", s.Status),
		zap.String("outcome", s.Outcome.String()),
		millis("backlog_ms", s.Backlog, s.Backlog >= 0),
		millis("queue_ms", s.Queued, s.Admitted),
		millis("work_ms", s.Worked, s.Started),
		millis("write_ms", s.Written, s.Started),
		skippedField(skipped),
	)
}

func (a *accessLog) allow() (skipped int64, ok bool) {
	if a.limit == nil {
		return 0, true
	}
	return a.limit.allow()
}

// flush logs how many requests were skipped since the last line.
func (a *accessLog) flush() {
	if a.limit == nil {
		return
	}
	a.limit.flush(a.logger, zap.InfoLevel, "access log entries dropped")
}

// unlessEmpty returns a field with text, or no field if text is empty.
func unlessEmpty(key, text string) zapcore.Field {
	if text == "" {
		return zap.Skip()
	}
	return zap.String(key, text)
}

// millis returns a field with d in milliseconds, to the microsecond, or no field if d was not measured.
func millis(key string, d time.Duration, measured bool) zapcore.Field {
	if !measured {
		return zap.Skip()
	}
	return zap.Float64(key, float64(d.Microseconds())/1000)
}

// skippedField returns a field with the number of lines skipped since the last one, or no field if there are none.
func skippedField(skipped int64) zapcore.Field {
	if skipped == 0 {
		return zap.Skip()
	}
	return zap.Int64("skipped", skipped)
}

package obslog

import (
	"fmt"

	"go.uber.org/zap"

	"demo-server/server"
)

// A panicLog logs panics of work, at most ten per second, because work that always panics must not flood the log.
type panicLog struct {
	logger *zap.Logger
	limit  *limiter
}

func newPanicLog(logger *zap.Logger) *panicLog {
	return &panicLog{logger: logger, limit: newLimiter(logInterval)}
}

// Observe logs s's panic, if there was one.
func (p *panicLog) Observe(s *server.Sample) {
	if s.Panic == nil {
		return
	}
	skipped, ok := p.limit.allow()
	if !ok {
		return
	}
	line := p.logger.Check(zap.ErrorLevel, "panic in work")
	if line == nil {
		return
	}
	line.Stack = string(s.Panic.Stack) // the console encoder prints it unchanged below the line
	line.Write(zap.String("mode", s.Mode), zap.String("value", fmt.Sprint(s.Panic.Value)), skippedField(skipped))
}

// flush logs how many panics were skipped since the last line.
func (p *panicLog) flush() { p.limit.flush(p.logger, zap.ErrorLevel, "panic log entries dropped") }

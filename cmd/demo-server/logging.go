package main

import (
	"io"

	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/obslog"
)

// openLog returns the sink that settings want.
func openLog(settings *configs.Settings, out io.Writer, fields ...zap.Field) *obslog.Sink {
	return obslog.New(settings.LogLevel, settings.LogFormat, out, onTerminal(out), fields...)
}

// logEnd logs how what served has ended, and returns the exit code. started says that requests were answered.
func logEnd(logger *zap.Logger, started bool, err error) int {
	switch {
	case err == nil:
		logger.Info("stopped")
		return exitOK
	case started:
		logger.Error("failed", zap.Error(err))
	default:
		logger.Error("cannot start", zap.Error(err))
	}
	return exitFailure
}

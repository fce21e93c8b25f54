package main

import (
	"io"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"demo-server/configs"
	"demo-server/server"
)

// flushInterval is how late a buffered line may be.
const flushInterval = time.Second

// wholeBytes is how much a process may write to a pipe at once without another one's lines in between (PIPE_BUF).
const wholeBytes = 4096

// logBuffer is the size of the buffer of a process's log: several processes share what they log to.
func logBuffer(settings *configs.Settings) int {
	if settings.Processes > 0 {
		return wholeBytes
	}
	return 0
}

// newLogger returns a logger that writes each line to out at once. format is auto, console or json: auto is console on
// a terminal and JSON elsewhere. level is debug, info, warn or error. Both come from settings, which were checked.
// flush belongs at the end of the process.
func newLogger(level, format string, out io.Writer, terminal bool) (logger *zap.Logger, flush func()) {
	logger = loggerTo(zapcore.Lock(zapcore.AddSync(out)), level, format, terminal)
	// Sync fails on a terminal or a pipe, which have nothing to sync.
	return logger, func() { logger.Sync() }
}

// adopt has logger tell what libraries write to Go's own log, which nobody asks for: net/http writes there of a server that
// talks before it is asked, such as one of gRPC. undo ends that.
func adopt(logger *zap.Logger) (undo func()) {
	undo, err := zap.RedirectStdLogAt(logger, zapcore.DebugLevel)
	if err != nil {
		panic(err) // there is no such level
	}
	return undo
}

// newBufferedLogger is newLogger for lines that are many: they reach out up to a second later, many in one write of at
// most size bytes, or of zap's size where that is 0. flush writes the rest and ends the buffer; what is logged after it
// is lost.
func newBufferedLogger(level, format string, out io.Writer, terminal bool, size int) (logger *zap.Logger, flush func()) {
	// Without its Sync, out is written to and no more: the buffer would call fsync at every flush, and every request
	// that logs would wait for the disk.
	writeOnly := zapcore.AddSync(struct{ io.Writer }{out})
	buffer := &zapcore.BufferedWriteSyncer{WS: writeOnly, FlushInterval: flushInterval, Size: size}
	return loggerTo(buffer, level, format, terminal), func() { buffer.Stop() }
}

// newLogObservers returns the observers that log requests: the access log, which is off, sampled or all, to requests;
// refusals and panics to logger. flush logs what they still hold back, and comes before that of the loggers.
func newLogObservers(accessMode string, logger, requests *zap.Logger) (observers []server.Observer, flush func()) {
	refusals, panics, failures := newRefusalLog(logger), newPanicLog(logger), newFailureLog(logger)
	observers = []server.Observer{refusals, panics, failures}
	access := newAccessLog(accessMode, requests)
	if access != nil {
		observers = append(observers, access)
	}
	return observers, func() {
		refusals.flush()
		panics.flush()
		failures.flush()
		if access != nil {
			access.flush()
		}
	}
}

func loggerTo(out zapcore.WriteSyncer, level, format string, terminal bool) *zap.Logger {
	enabled, _ := zapcore.ParseLevel(level)
	return zap.New(zapcore.NewCore(newEncoder(format, terminal), out, enabled))
}

func newEncoder(format string, terminal bool) zapcore.Encoder {
	config := zapcore.EncoderConfig{
		TimeKey: "ts", LevelKey: "level", MessageKey: "msg", StacktraceKey: "stack",
		EncodeTime:     zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z07:00"),
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
	}
	if format == "json" || format == "auto" && !terminal {
		return zapcore.NewJSONEncoder(config)
	}
	config.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	config.EncodeLevel = zapcore.CapitalLevelEncoder
	config.ConsoleSeparator = " "
	if terminal {
		config.EncodeLevel = zapcore.CapitalColorLevelEncoder
	}
	return zapcore.NewConsoleEncoder(config)
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

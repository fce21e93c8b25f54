// Package obslog makes loggers that never wait for the reader of the log, and observers that log requests, refusals, failures
// and panics.
//
// It must not know settings or modes.
package obslog

import (
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"demo-server/server"
)

// flushInterval is the longest delay of a buffered line.
const flushInterval = time.Second

// requestsBuffer is the size of the buffer for lines about requests, in bytes.
const requestsBuffer = 32 << 10

// A Sink is the destination of all loggers of a process, in one format. Its loggers never wait for the reader: see
// Writer.
type Sink struct {
	level, format string
	terminal      bool
	out           io.Writer
	writer        *Writer
}

// New returns a sink that writes to out. format is auto, console or json: auto is console on a terminal and JSON
// elsewhere. level is debug, info, warn or error. Both come from settings, which were checked. fields are added to the
// sink's own lines. The caller calls Close at the end of the process.
func New(level, format string, out io.Writer, terminal bool, fields ...zap.Field) *Sink {
	s := &Sink{level: level, format: format, terminal: terminal, out: out}
	own := s.core(zapcore.AddSync(out)).With(fields)
	s.writer = NewWriter(out, func(lines uint64) error { return logDropped(own, lines) })
	return s
}

// logDropped writes the number of dropped lines immediately, unless the level excludes warnings.
func logDropped(core zapcore.Core, lines uint64) error {
	if !core.Enabled(zap.WarnLevel) {
		return nil
	}
	entry := zapcore.Entry{Level: zap.WarnLevel, Time: time.Now(), Message: "log lines dropped"}
	return core.Write(entry, []zap.Field{zap.Uint64("lines", lines)})
}

// Logger returns a logger whose lines are written immediately.
func (s *Sink) Logger() *zap.Logger { return zap.New(s.core(zapcore.AddSync(s.writer))) }

// Buffered returns a logger for many lines, which are written up to a second later. flush writes the rest and ends the
// buffer; lines that are logged after it are lost.
func (s *Sink) Buffered() (logger *zap.Logger, flush func()) {
	buffer := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(s.writer), FlushInterval: flushInterval, Size: requestsBuffer}
	return zap.New(s.core(buffer)), func() { buffer.Stop() }
}

func (s *Sink) core(out zapcore.WriteSyncer) zapcore.Core {
	enabled, _ := zapcore.ParseLevel(s.level)
	return zapcore.NewCore(newEncoder(s.format, s.terminal), out, enabled)
}

// Dropped returns the number of lines dropped so far.
func (s *Sink) Dropped() uint64 { return s.writer.dropped.Load() }

// Close writes the remaining lines, as far as the reader takes them.
func (s *Sink) Close() { s.writer.Close() }

// RedirectStdLog makes Go's own log write to logger, because libraries use it without asking: net/http reports there a
// server that sends before it is asked, as a gRPC server does. undo ends the redirection.
func RedirectStdLog(logger *zap.Logger) (undo func()) {
	undo, err := zap.RedirectStdLogAt(logger, zapcore.DebugLevel)
	if err != nil {
		panic(err) // cannot happen: only the level can be wrong
	}
	return undo
}

// Observers returns the observers that log requests: the access log (off, sampled or all) logs to requests; refusals,
// failures and panics go to logger. flush logs the counts that the observers still hold; call it before the flush of
// the loggers.
func Observers(accessMode string, logger, requests *zap.Logger) (observers []server.Observer, flush func()) {
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

// Colored reports whether a terminal may get colors (https://no-color.org).
func Colored() bool { return os.Getenv("NO_COLOR") == "" }

// Greets reports whether people read the log on a terminal. They get a banner instead of a line of fields.
func (s *Sink) Greets() bool {
	return s.terminal && s.format != "json" && s.core(zapcore.AddSync(io.Discard)).Enabled(zap.InfoLevel)
}

func newEncoder(format string, terminal bool) zapcore.Encoder {
	config := zapcore.EncoderConfig{
		TimeKey: "ts", LevelKey: "level", MessageKey: "msg", StacktraceKey: "stack",
		EncodeTime:     zapcore.TimeEncoderOfLayout("2006-01-02T15:04:05.000Z07:00"),
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
	}
	if format == "json" || format == "auto" && !terminal {
		return printableEncoder{zapcore.NewJSONEncoder(config), false}
	}
	config.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	config.EncodeLevel = zapcore.CapitalLevelEncoder
	config.ConsoleSeparator = " "
	if terminal && Colored() {
		config.EncodeLevel = zapcore.CapitalColorLevelEncoder
	}
	return printableEncoder{zapcore.NewConsoleEncoder(config), true}
}

// Write writes text unchanged between the lines of the log. Like a logger, it never waits for the reader.
func (s *Sink) Write(text []byte) (int, error) { return s.writer.Write(text) }

// Out returns the writer of the sink, for other processes that log to the same place.
func (s *Sink) Out() io.Writer { return s.out }

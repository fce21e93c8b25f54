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

// flushInterval is how late a buffered line may be.
const flushInterval = time.Second

// requestsBuffer is how many bytes of lines on requests are handed over at once.
const requestsBuffer = 32 << 10

// A Sink is where all loggers of a process write, in one format. Nobody who logs waits for its reader: see Writer.
type Sink struct {
	level, format string
	terminal      bool
	out           io.Writer
	writer        *Writer
}

// New returns a sink that writes to out. format is auto, console or json: auto is console on a terminal and JSON
// elsewhere. level is debug, info, warn or error. Both come from settings, which were checked. fields are added to the
// sink's own lines. close belongs at the end of the process.
func New(level, format string, out io.Writer, terminal bool, fields ...zap.Field) *Sink {
	s := &Sink{level: level, format: format, terminal: terminal, out: out}
	own := s.core(zapcore.AddSync(out)).With(fields)
	s.writer = NewWriter(out, func(lines uint64) error { return logDropped(own, lines) })
	return s
}

// logDropped writes at once how many lines were dropped, unless the level leaves warnings out.
func logDropped(core zapcore.Core, lines uint64) error {
	if !core.Enabled(zap.WarnLevel) {
		return nil
	}
	entry := zapcore.Entry{Level: zap.WarnLevel, Time: time.Now(), Message: "log lines dropped"}
	return core.Write(entry, []zap.Field{zap.Uint64("lines", lines)})
}

// logger returns a logger whose lines are written at once.
func (s *Sink) Logger() *zap.Logger { return zap.New(s.core(zapcore.AddSync(s.writer))) }

// buffered returns a logger for lines that are many: they are written up to a second later. flush hands over the rest
// and ends the buffer; what is logged after it is lost.
func (s *Sink) Buffered() (logger *zap.Logger, flush func()) {
	buffer := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(s.writer), FlushInterval: flushInterval, Size: requestsBuffer}
	return zap.New(s.core(buffer)), func() { buffer.Stop() }
}

func (s *Sink) core(out zapcore.WriteSyncer) zapcore.Core {
	enabled, _ := zapcore.ParseLevel(s.level)
	return zapcore.NewCore(newEncoder(s.format, s.terminal), out, enabled)
}

// dropped is how many lines were dropped so far.
func (s *Sink) Dropped() uint64 { return s.writer.dropped.Load() }

// close writes what was logged, as far as its reader takes it.
func (s *Sink) Close() { s.writer.Close() }

// RedirectStdLog has logger tell what libraries write to Go's own log, which nobody asks for: net/http writes there of a server that
// talks before it is asked, such as one of gRPC. undo ends that.
func RedirectStdLog(logger *zap.Logger) (undo func()) {
	undo, err := zap.RedirectStdLogAt(logger, zapcore.DebugLevel)
	if err != nil {
		panic(err) // there is no such level
	}
	return undo
}

// Observers returns the observers that log requests: the access log, which is off, sampled or all, to requests;
// refusals and panics to logger. flush logs what they still hold back, and comes before that of the loggers.
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

// Colored reports whether a terminal may be sent colors (https://no-color.org).
func Colored() bool { return os.Getenv("NO_COLOR") == "" }

// greets reports whether people read the log as it is written: they get a banner instead of a line of fields.
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

// Write writes text as it is, between the lines of the log. Like a logger it never waits for the reader.
func (s *Sink) Write(text []byte) (int, error) { return s.writer.Write(text) }

// Out returns the writer that the sink was made with, for processes that log to the same place by themselves.
func (s *Sink) Out() io.Writer { return s.out }

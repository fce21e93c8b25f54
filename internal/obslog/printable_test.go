package obslog

import (
	"bytes"
	"errors"
	"log"
	"strings"
	"testing"

	"go.uber.org/zap"

	"demo-server/server"
)

// hostile is a text that would end the line, clear the screen, move the cursor or reverse the text.
const hostile = "/\r\n00:00:00.000 ERROR forged\x1b[2J\x7f\u009b2J\u202e\u2028\xff\"\\"

// TestLogCannotBeForged checks that a hostile text stays within its line, in every part of a log entry.
func TestLogCannotBeForged(t *testing.T) {
	for name, logs := range map[string]func(*zap.Logger){
		"path":    func(l *zap.Logger) { newAccessLog("all", l).Observe(&server.Sample{Method: "G\nT", Path: hostile}) },
		"method":  func(l *zap.Logger) { newAccessLog("all", l).Observe(&server.Sample{Method: hostile}) },
		"failure": func(l *zap.Logger) { newFailureLog(l).Observe(&server.Sample{Err: errors.New(hostile)}) },
		"panic":   func(l *zap.Logger) { newPanicLog(l).Observe(&server.Sample{Panic: &server.Panic{Value: hostile}}) },
		"error":   func(l *zap.Logger) { l.Error("failed", zap.Error(errors.New(hostile))) },
		"field":   func(l *zap.Logger) { l.With(zap.String("text", hostile)).Info("line") },
		"message": func(l *zap.Logger) { l.Info(hostile) },
		"library": func(l *zap.Logger) {
			defer RedirectStdLog(l)()
			log.Print(hostile)
		},
	} {
		for _, format := range []string{"console", "json"} {
			t.Run(name+" "+format, func(t *testing.T) {
				var out bytes.Buffer
				sink := New("debug", format, &out, true)
				logs(sink.Logger())
				sink.Close()
				line := strings.TrimSuffix(out.String(), "\n")
				if _, after, coloured := strings.Cut(line, "\x1b[0m"); coloured {
					line = after // the color of the level is our own
				}
				if line == "" || strings.ContainsAny(line, "\r\n\x1b\x7f\u009b\u202e\u2028") {
					t.Errorf("the line has control characters: %q", line)
				}
				if !strings.Contains(line, `/\r\n00:00:00.000 ERROR forged`) {
					t.Errorf("the text is not escaped: %q", line)
				}
			})
		}
	}
}

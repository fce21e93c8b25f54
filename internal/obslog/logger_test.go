package obslog

import (
	"bytes"
	"log"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"demo-server/internal/testkit"
	"demo-server/server"
)

func TestLoggerFormats(t *testing.T) {
	for _, c := range []struct {
		name     string
		format   string
		terminal bool
		want     string // TIME and DATE stand for the virtual clock's, in this machine's time zone
	}{
		{"auto off a terminal", "auto", false, `{"level":"warn","ts":"DATE","msg":"hi","n":1}` + "\n"},
		{"auto on a terminal", "auto", true, "TIME \x1b[33mWARN\x1b[0m hi {\"n\": 1}\n"},
		{"JSON on a terminal", "json", true, `{"level":"warn","ts":"DATE","msg":"hi","n":1}` + "\n"},
		{"console off a terminal", "console", false, "TIME WARN hi {\"n\": 1}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				log := New("info", c.format, &out, c.terminal)
				log.Logger().Warn("hi", zap.Int("n", 1))
				log.Close()
				now := time.Now()
				date, clock := now.Format("2006-01-02T15:04:05.000Z07:00"), now.Format("15:04:05.000")
				want := strings.NewReplacer("DATE", date, "TIME", clock).Replace(c.want)
				if out.String() != want {
					t.Errorf("got %q, want %q", out.String(), want)
				}
			})
		})
	}
}

func TestLoggerLevels(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		var out bytes.Buffer
		log := New(level, "json", &out, false)
		logger := log.Logger()
		logger.Debug("a")
		logger.Info("b")
		logger.Warn("c")
		logger.Error("d")
		log.Close()
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("%s: got %d lines, want %d", level, got, want)
		}
	}
}

func TestBufferedLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out testkit.Buffer
		log := New("info", "json", &out, false)
		logger, flush := log.Buffered()
		logger.Info("first")
		synctest.Wait()
		if out.String() != "" {
			t.Error("the line was written at once, want it buffered")
		}
		time.Sleep(flushInterval)
		synctest.Wait()
		if !strings.Contains(out.String(), "first") {
			t.Error("the line was not written after the interval")
		}
		logger.Info("last")
		flush()
		log.Close()
		if !strings.Contains(out.String(), "last") {
			t.Error("flush did not write the last line")
		}
	})
}

func TestLogObservers(t *testing.T) {
	logger, lines := testkit.NewLogger(zap.InfoLevel)
	for mode, want := range map[string]int{"off": 3, "sampled": 4, "all": 4} {
		observers, flush := Observers(mode, logger, logger)
		if len(observers) != want {
			t.Errorf("%s: got %d observers, want %d", mode, len(observers), want)
		}
		for _, o := range observers {
			o.Observe(&server.Sample{Outcome: server.OK})
		}
		flush()
	}
	if got := lines.FilterMessage("request").Len(); got != 2 {
		t.Errorf("got %d requests logged, want those of sampled and all", got)
	}
}

// TestAdopt checks that the output of Go's own log becomes a line of ours, and only at level debug.
func TestAdopt(t *testing.T) {
	for level, want := range map[zapcore.Level][]string{zapcore.DebugLevel: {"chatter {}"}, zapcore.InfoLevel: nil} {
		logger, lines := testkit.NewLogger(level)
		undo := RedirectStdLog(logger)
		log.Print("chatter")
		undo()
		testkit.WantEntries(t, lines, want...)
	}
}

// TestGreets checks that programs get a line of fields, and so do people who ask for JSON.
func TestGreets(t *testing.T) {
	for _, row := range []struct {
		level, format string
		terminal      bool
		want          bool
	}{
		{"info", "auto", true, true}, {"info", "console", true, true}, {"info", "json", true, false}, {"warn", "auto", true, false},
		{"info", "auto", false, false}, {"info", "console", false, false},
	} {
		log := New(row.level, row.format, &bytes.Buffer{}, row.terminal)
		if got := log.Greets(); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
		log.Close()
	}
}

// TestNoColor checks that NO_COLOR is honoured.
func TestNoColor(t *testing.T) {
	for value, colors := range map[string]bool{"": true, "1": false} {
		t.Setenv("NO_COLOR", value)
		var out testkit.Buffer
		log := New("info", "auto", &out, true)
		log.Logger().Info("hello")
		log.Close()
		if got := strings.Contains(out.String(), "\x1b["); got != colors {
			t.Errorf("NO_COLOR=%q: %q, want colors: %v", value, out.String(), colors)
		}
	}
}

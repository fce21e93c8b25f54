package main

import (
	"bytes"
	"encoding/json"
	"log"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"demo-server/server"
)

// logged returns a logger, and the lines that it was given.
func logged(level zapcore.Level) (*zap.Logger, *observer.ObservedLogs) {
	core, lines := observer.New(level)
	return zap.New(core), lines
}

// A lockedBuffer can be read while a logger's own goroutine, or another process, writes to it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// wantLines compares lines with what each should say: its message and its fields as JSON.
func wantLines(t *testing.T, lines *observer.ObservedLogs, want ...string) {
	t.Helper()
	var got []string
	for _, line := range lines.TakeAll() {
		fields, err := json.Marshal(line.ContextMap())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line.Message+" "+string(fields))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLoggerFormats(t *testing.T) {
	for _, c := range []struct {
		name     string
		format   string
		terminal bool
		want     string // its TIME and DATE stand for the virtual clock's, in this machine's time zone
	}{
		{"auto off a terminal", "auto", false, `{"level":"warn","ts":"DATE","msg":"hi","n":1}` + "\n"},
		{"auto on a terminal", "auto", true, "TIME \x1b[33mWARN\x1b[0m hi {\"n\": 1}\n"},
		{"JSON on a terminal", "json", true, `{"level":"warn","ts":"DATE","msg":"hi","n":1}` + "\n"},
		{"console off a terminal", "console", false, "TIME WARN hi {\"n\": 1}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				log := newLogSink("info", c.format, &out, c.terminal)
				log.logger().Warn("hi", zap.Int("n", 1))
				log.close()
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
		log := newLogSink(level, "json", &out, false)
		logger := log.logger()
		logger.Debug("a")
		logger.Info("b")
		logger.Warn("c")
		logger.Error("d")
		log.close()
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("%s: got %d lines, want %d", level, got, want)
		}
	}
}

func TestBufferedLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		log := newLogSink("info", "json", &out, false)
		logger, flush := log.buffered()
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
		log.close()
		if !strings.Contains(out.String(), "last") {
			t.Error("flush did not write the last line")
		}
	})
}

func TestLogObservers(t *testing.T) {
	logger, lines := logged(zap.InfoLevel)
	for mode, want := range map[string]int{"off": 3, "sampled": 4, "all": 4} {
		observers, flush := newLogObservers(mode, logger, logger)
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

// TestAdopt: what libraries write to Go's own log is a line of ours, and none unless all is to be logged.
func TestAdopt(t *testing.T) {
	for level, want := range map[zapcore.Level][]string{zapcore.DebugLevel: {"chatter {}"}, zapcore.InfoLevel: nil} {
		logger, lines := logged(level)
		undo := adopt(logger)
		log.Print("chatter")
		undo()
		wantLines(t, lines, want...)
	}
}

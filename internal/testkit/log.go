package testkit

import (
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// NewLogger returns a logger, and the entries at level or above that it logs.
func NewLogger(level zapcore.Level) (*zap.Logger, *observer.ObservedLogs) {
	core, entries := observer.New(level)
	return zap.New(core), entries
}

// WantEntries takes the entries and compares them with want, each a message and its fields as JSON.
func WantEntries(t testing.TB, entries *observer.ObservedLogs, want ...string) {
	t.Helper()
	var got []string
	for _, entry := range entries.TakeAll() {
		fields, err := json.Marshal(entry.ContextMap())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, entry.Message+" "+string(fields))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

package obslog

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"demo-server/internal/testkit"
	"demo-server/server"
)

var panicked = server.Sample{
	Mode: "pool", Outcome: server.Failed,
	Panic: &server.Panic{Value: "boom", Stack: []byte("goroutine 7 [running]:\nwork.Do()\n")},
}

func TestPanicLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, lines := testkit.NewLogger(zap.InfoLevel)
		panics := newPanicLog(logger)
		panics.Observe(&worked)
		testkit.WantEntries(t, lines)
		for range 4 {
			panics.Observe(&panicked)
		}
		testkit.WantEntries(t, lines, `panic in work {"mode":"pool","value":"boom"}`)
		time.Sleep(logInterval)
		panics.Observe(&panicked)
		panics.Observe(&panicked)
		testkit.WantEntries(t, lines, `panic in work {"mode":"pool","skipped":3,"value":"boom"}`)
		panics.flush()
		panics.flush()
		testkit.WantEntries(t, lines, `panic log entries dropped {"skipped":1}`)
	})
}

func TestPanicLogStack(t *testing.T) {
	for format, want := range map[string]string{
		"json":    `"stack":"goroutine 7 [running]:\nwork.Do()\n"`,
		"console": "\ngoroutine 7 [running]:\nwork.Do()\n",
	} {
		var out bytes.Buffer
		log := New("info", format, &out, false)
		newPanicLog(log.Logger()).Observe(&panicked)
		log.Close()
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: got %q, want %q in it", format, out.String(), want)
		}
	}
}

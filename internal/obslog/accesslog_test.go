package obslog

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"demo-server/internal/testkit"
	"demo-server/server"
)

var worked = server.Sample{
	Mode: "pool", Client: "127.0.0.1:54321", Method: "GET", Path: "/", Query: "delay=2s", Status: 200, Outcome: server.OK, Admitted: true, Started: true,
	Backlog: 1500 * time.Microsecond, Queued: 40 * time.Millisecond, Worked: 2 * time.Second, Written: 12345,
}

const workedLine = `request {"backlog_ms":1.5,"client":"127.0.0.1:54321","method":"GET","mode":"pool","outcome":"ok","path":"/","query":"delay=2s","queue_ms":40,"status":200,"work_ms":2000,"write_ms":0.012}`

func TestAccessLog(t *testing.T) {
	logger, lines := testkit.NewLogger(zap.InfoLevel)
	access := newAccessLog("all", logger)
	access.Observe(&worked)
	access.Observe(&server.Sample{Mode: "pool", Method: "GET", Path: "/x", Status: 404, Outcome: server.BadRequest, Backlog: -1})
	access.flush()
	testkit.WantEntries(t, lines, workedLine,
		`request {"method":"GET","mode":"pool","outcome":"bad_request","path":"/x","status":404}`)
}

func TestAccessLogOff(t *testing.T) {
	logger, lines := testkit.NewLogger(zap.WarnLevel)
	if newAccessLog("off", logger) != nil {
		t.Error("off makes a log, want nil")
	}
	access := newAccessLog("sampled", logger)
	access.Observe(&worked)
	access.Observe(&worked)
	access.flush()
	testkit.WantEntries(t, lines)
}

func TestAccessLogSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, lines := testkit.NewLogger(zap.InfoLevel)
		access := newAccessLog("sampled", logger)
		for range 5 {
			access.Observe(&worked)
		}
		testkit.WantEntries(t, lines, workedLine)
		time.Sleep(logInterval)
		access.Observe(&worked)
		access.Observe(&worked)
		testkit.WantEntries(t, lines, strings.Replace(workedLine, `"status"`, `"skipped":4,"status"`, 1))
		access.flush()
		access.flush()
		testkit.WantEntries(t, lines, `access log entries dropped {"skipped":1}`)
	})
}

// TestAccessLogLosesNone checks that concurrent observers count every request once, as logged or as skipped.
func TestAccessLogLosesNone(t *testing.T) {
	logger, lines := testkit.NewLogger(zap.InfoLevel)
	access := newAccessLog("sampled", logger)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 1000 {
				access.Observe(&worked)
			}
		})
	}
	clients.Wait()
	access.flush()
	total := int64(lines.FilterMessage("request").Len())
	for _, line := range lines.All() {
		if skipped, ok := line.ContextMap()["skipped"].(int64); ok {
			total += skipped
		}
	}
	if total != 8000 {
		t.Errorf("logged and skipped are %d, want 8000", total)
	}
}

func BenchmarkAccessLog(b *testing.B) {
	for _, mode := range []string{"sampled", "all"} {
		for _, level := range []string{"info", "warn"} {
			b.Run(fmt.Sprint(mode, "/", level), func(b *testing.B) {
				log := New(level, "json", io.Discard, false)
				defer log.Close()
				logger, flush := log.Buffered()
				defer flush()
				access := newAccessLog(mode, logger)
				b.ReportAllocs()
				for b.Loop() {
					access.Observe(&worked)
				}
			})
		}
	}
}

package obslog

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"demo-server/internal/testkit"
	"demo-server/server"
	"demo-server/work"
)

func TestFailureLog(t *testing.T) {
	failed := server.Sample{Mode: "pool", Status: 502, Outcome: server.Failed, Err: errors.New("refused: nobody there")}
	synctest.Test(t, func(t *testing.T) {
		logger, lines := testkit.NewLogger(zap.InfoLevel)
		failures := newFailureLog(logger)
		failures.Observe(&worked)
		testkit.WantEntries(t, lines)
		for range 3 {
			failures.Observe(&failed)
		}
		const first = `work failed {"error":"refused: nobody there","mode":"pool","status":502}`
		testkit.WantEntries(t, lines, first)
		time.Sleep(failureInterval)
		failures.Observe(&failed)
		failures.Observe(&failed)
		slow := server.Sample{Mode: "pool", Status: 504, Err: errors.New("too late"), Failure: &work.Failure{Cause: work.TimedOut}}
		testkit.WantEntries(t, lines, `work failed {"error":"refused: nobody there","mode":"pool","skipped":2,"status":502}`)
		failures.Observe(&slow) // another cause
		testkit.WantEntries(t, lines, `work failed {"error":"too late","mode":"pool","status":504}`)
		failures.flush()
		failures.flush()
		testkit.WantEntries(t, lines, `failure log entries dropped {"skipped":1}`)
	})
}

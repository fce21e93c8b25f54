package obslog

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"demo-server/internal/testkit"
	"demo-server/server"
)

const refusing = `refusing requests {"mode":"pool","outcome":"queue_full","status":503}`

func refused(outcome server.Outcome) *server.Sample {
	return &server.Sample{Mode: "pool", Status: 503, Outcome: outcome}
}

func TestRefusalLogIgnoresOthers(t *testing.T) {
	logger, lines := testkit.NewLogger(zap.InfoLevel)
	refusals := newRefusalLog(logger)
	refusals.Observe(&server.Sample{Outcome: server.OK})
	refusals.Observe(&server.Sample{Outcome: server.DisconnectedQueued})
	refusals.flush()
	testkit.WantEntries(t, lines)
}

func TestRefusalLogBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, lines := testkit.NewLogger(zap.InfoLevel)
		refusals := newRefusalLog(logger)
		for range 3 {
			refusals.Observe(refused(server.QueueFull))
		}
		refusals.Observe(refused(server.QueueTimeout))
		testkit.WantEntries(t, lines, refusing)
		pass(refusalInterval)
		testkit.WantEntries(t, lines, `refused requests {"queue_full":2,"queue_timeout":1}`)
		refusals.Observe(refused(server.QueueFull))
		testkit.WantEntries(t, lines)
		pass(refusalInterval)
		testkit.WantEntries(t, lines, `refused requests {"queue_full":1}`)
		pass(refusalInterval)
		testkit.WantEntries(t, lines, `no longer refusing requests {}`)
		pass(refusalInterval)
		testkit.WantEntries(t, lines)
		refusals.Observe(refused(server.QueueFull))
		testkit.WantEntries(t, lines, refusing)
		refusals.flush()
	})
}

func TestRefusalLogFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, lines := testkit.NewLogger(zap.InfoLevel)
		refusals := newRefusalLog(logger)
		refusals.Observe(refused(server.QueueFull))
		refusals.Observe(refused(server.Draining))
		refusals.flush()
		refusals.flush()
		testkit.WantEntries(t, lines, refusing, `refused requests {"draining":1}`)
		pass(2 * refusalInterval)
		testkit.WantEntries(t, lines)
	})
}

// pass advances virtual time and waits until the goroutines that wake up are idle again.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

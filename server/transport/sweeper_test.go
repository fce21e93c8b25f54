package transport

import (
	"testing"
	"time"

	"demo-server/server/http1"
)

// interval returns the SweepInterval of testLimits.
func interval() time.Duration { return new(http1.NewTimeouts(new(testLimits()))).SweepInterval() }

// TestCheck checks which deadline the sweeper sets on a connection, by its state and its time.
func TestCheck(t *testing.T) {
	const (
		now   = time.Hour
		never = 10 * time.Hour
		none  = ""
		read  = "read"
		both  = "read and write"
	)
	every := interval()
	for _, row := range []struct {
		name    string
		phase   http1.ConnState
		since   time.Duration // before now
		drained time.Duration // how long ago closing was announced; never if it was not
		want    string
	}{
		{"silent", http1.StateNew, 5 * time.Second, never, none},
		{"silent for too long", http1.StateNew, 5*time.Second + every, never, read},
		{"slow header", http1.StateHead, 5 * time.Second, never, none},
		{"too slow header", http1.StateHead, 5*time.Second + every, never, read},
		{"stalled body", http1.StateBody, 10 * time.Second, never, none},
		{"body stalled for too long", http1.StateBody, 10*time.Second + every, never, read},
		{"works for ever", http1.StateHandling, now, never, none},
		{"stalled reply", http1.StateWriting, 20 * time.Second, never, none},
		{"reply stalled for too long", http1.StateWriting, 20*time.Second + every, never, both},
		{"idle", http1.StateIdle, time.Minute, never, none},
		{"idle for too long", http1.StateIdle, time.Minute + every, never, read},

		{"silent, just announced", http1.StateNew, 3 * time.Second, http1.IdleGrace - 1, none},
		{"silent, announced", http1.StateNew, 3 * time.Second, http1.IdleGrace, read},
		{"idle, just announced", http1.StateIdle, 3 * time.Second, http1.IdleGrace - 1, none},
		{"idle, announced", http1.StateIdle, 3 * time.Second, http1.IdleGrace, read},
		{"idle since after it was announced", http1.StateIdle, http1.IdleGrace - 1, time.Second, none},
		{"accepted after it was announced", http1.StateNew, http1.IdleGrace - 1, time.Second, none},
		{"header, announced", http1.StateHead, 3 * time.Second, time.Minute, none},
		{"body, announced", http1.StateBody, 3 * time.Second, time.Minute, none},
		{"works, announced", http1.StateHandling, 3 * time.Second, time.Minute, none},
		{"reply, announced", http1.StateWriting, 3 * time.Second, time.Minute, none},
	} {
		c := stillConn(now, row.phase, now-row.since)
		if row.drained != never {
			c.tracker.drainFrom = now - row.drained
		}
		c.tracker.check(c, now)
		r, w := expired(c)
		if got := map[[2]bool]string{{true, false}: read, {true, true}: both}[[2]bool{r, w}]; got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// TestCheckRequest checks that a request's total time runs out in spite of progress.
func TestCheckRequest(t *testing.T) {
	const now = time.Hour
	for _, row := range []struct {
		phase http1.ConnState
		began time.Duration // before now
		want  bool
	}{
		{http1.StateHead, 30 * time.Second, false},
		{http1.StateHead, 30*time.Second + interval(), true},
		{http1.StateBody, 30 * time.Second, false},
		{http1.StateBody, 30*time.Second + interval(), true},
		{http1.StateHandling, time.Minute, false},
		{http1.StateIdle, time.Minute, false},
	} {
		c := stillConn(now, row.phase, now) // progress just now
		c.requested.Store(int64(now - row.began))
		c.tracker.check(c, now)
		if read, _ := expired(c); read != row.want {
			t.Errorf("phase %d of a request that began %v ago: timed out is %v, want %v", row.phase, row.began, read, row.want)
		}
	}
}

// TestStoodStill checks that time in which the process stood still does not count. If ticks are on time, the clock
// follows the App's. After a late tick it continues as if that tick had been on time.
func TestStoodStill(t *testing.T) {
	tracker := still(0)
	every := tracker.timeouts.SweepInterval()
	now := time.Duration(0)
	after := func(d time.Duration) time.Duration { now += d; return tracker.tick(now) }
	for _, row := range []struct {
		name string
		late time.Duration
		want time.Duration
	}{
		{"in time", 0, every},
		{"a bit late", every / 2, every * 3 / 2},
		{"stopped for a minute", time.Minute, 2 * every},
		{"in time again", 0, every},
	} {
		before := tracker.coarseNow()
		if got := after(every+row.late) - before; got != row.want || tracker.coarseNow() != before+row.want {
			t.Errorf("%s: the clock went on by %v, want %v", row.name, got, row.want)
		}
	}
}

// TestCheckAfterStop checks that a stop of the process does not use up a connection's time.
func TestCheckAfterStop(t *testing.T) {
	for _, row := range []struct {
		name  string
		phase http1.ConnState
		left  time.Duration
	}{
		{"silent", http1.StateNew, testLimits().ReadHeaderTimeout},
		{"header", http1.StateHead, testLimits().ReadHeaderTimeout},
		{"body", http1.StateBody, testLimits().ReadTimeout},
		{"idle", http1.StateIdle, testLimits().IdleTimeout},
		{"reply", http1.StateWriting, testLimits().WriteTimeout},
	} {
		c := stillConn(0, row.phase, 0)
		tracker := c.tracker
		every := tracker.timeouts.SweepInterval()
		app := time.Hour // how long the process was stopped
		tracker.check(c, tracker.tick(app))
		if read, _ := expired(c); read {
			t.Errorf("%s: timed out by a stop", row.name)
		}
		for range (row.left + 3*every) / every {
			app += every
			tracker.check(c, tracker.tick(app))
		}
		if read, _ := expired(c); !read {
			t.Errorf("%s: not timed out in time after a stop", row.name)
		}
	}
}

package transport

import (
	"time"

	"demo-server/server/http1"
)

// sweep keeps every connection's timeouts: one goroutine looks at their stamps now and then, instead of a deadline
// that is set anew for each request, which costs a tenth of a small request's time.
func (t *connTracker) sweep() {
	ticker := time.NewTicker(t.timeouts.SweepInterval())
	defer ticker.Stop()
	var list []*conn
	for {
		select {
		case <-ticker.C:
		case <-t.stopped:
			return
		}
		now := t.tick(t.app.Now())
		if t.drainFrom == 0 && t.app.Closing() {
			t.drainFrom = now
		}
		list = t.all(list[:0])
		for _, c := range list {
			t.check(c, now)
		}
		clear(list) // do not keep closed connections
	}
}

// tick moves the clock on to the App's stamp of now, and returns its time. A sweeper that is called late has stood still,
// and with it the server (SIGSTOP, a machine without a core for it): that time is not the clients', and does not count.
func (t *connTracker) tick(now time.Duration) time.Duration {
	passed := min(now-t.ticked, 2*t.timeouts.SweepInterval())
	t.ticked = now
	t.round++
	return time.Duration(t.clock.Add(int64(passed)))
}

// coarseNow is the time of the sweeper's last look: a stamp for timeouts, up to one SweepInterval too early.
func (t *connTracker) coarseNow() time.Duration { return time.Duration(t.clock.Load()) }

// check ends a connection's read or write by a deadline in the past, so that whoever reads or writes meets an ordinary
// timeout and can still say 408.
func (t *connTracker) check(c *conn, now time.Duration) {
	phase, since := c.state()
	switch phase {
	case http1.StateHandling, http1.StateHanging:
		if t.checksInput(c) && now-since >= http1.InputCheckInterval {
			t.checkInput(c, phase)
		}
		return
	case http1.StateWriting:
		t.checkWrite(c, now)
		return
	}
	requested := time.Duration(c.requested.Load())
	cause, over := t.timeouts.Expired(phase, since, requested, now, t.drainFrom)
	if over && c.unread() {
		cause, over = t.timeouts.Expired(phase, since, requested, now-http1.UnreadGrace, t.drainFrom)
	}
	if over {
		c.noteCause(cause)
		c.SetReadDeadline(past)
	}
}

// checkWrite times a reply out. It goes by what the client's system has taken: a socket's buffer holds megabytes, in which
// a slow client's write makes no progress for long.
func (t *connTracker) checkWrite(c *conn, now time.Duration) {
	at := c.stamp.Load()
	since := http1.Stamp(at).Since()
	if now-since >= t.timeouts.SweepInterval() && t.timeouts.Progressed(&c.lastAcked, c.acked()) {
		c.stamp.CompareAndSwap(at, int64(http1.NewStamp(http1.StateWriting, now)))
		return
	}
	if cause, over := t.timeouts.Expired(http1.StateWriting, since, 0, now, t.drainFrom); over {
		c.interrupt(cause)
	}
}

// checksInput reports whether it is c's turn to be looked at, which it is once in lookEvery. Turns are spread evenly.
func (t *connTracker) checksInput(c *conn) bool {
	turns := max(1, int32(http1.InputCheckInterval/t.timeouts.SweepInterval()))
	return (c.index+t.round)%turns == 0
}

// checkInput reads what a client has sent ahead of the reply that it waits for. As long as it fills the socket, the client's FIN
// has no way in, and its leaving is not seen. Behind a reply that never comes it is dropped; otherwise it is kept, up to a
// bound, and a client that has sent more still counts as gone.
func (t *connTracker) checkInput(c *conn, phase http1.ConnState) {
	if c.raw == nil || !c.reading.TryLock() {
		return // whoever reads it sees the client leave
	}
	defer c.reading.Unlock()
	switch {
	case c.inputClosed:
	case phase == http1.StateHanging:
		c.ahead = nil
		if t.ahead.drop(c.raw) {
			c.job.Disconnect() // there is no reply to wait for, also where a FIN alone is no leaving
		}
	case len(c.ahead) < http1.MaxReadAhead:
		c.ahead = append(c.ahead, t.ahead.read(c.raw, http1.MaxReadAhead-len(c.ahead))...)
	case c.unread(): // and nothing was taken since the last look
		c.giveUp()
	}
}

// giveUp makes the connection's client one that has left. The caller holds reading.
func (c *conn) giveUp() {
	c.ahead, c.inputClosed = nil, true
	c.job.Disconnect()
	if half, ok := c.Conn.(interface{ CloseRead() error }); ok {
		half.CloseRead() // which wakes whoever waits for a FIN
	}
}

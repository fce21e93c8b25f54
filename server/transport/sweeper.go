package transport

import (
	"time"

	"demo-server/server/http1"
)

// sweep enforces the timeouts of all connections. One goroutine checks their stamps now and then. Setting a deadline
// for each request instead would cost a tenth of a small request's time.
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

// tick advances the clock to the App's stamp of now, and returns its time. If it is called late, the process stood
// still (SIGSTOP, or no free core). That time does not count against clients.
func (t *connTracker) tick(now time.Duration) time.Duration {
	passed := min(now-t.ticked, 2*t.timeouts.SweepInterval())
	t.ticked = now
	t.round++
	return time.Duration(t.clock.Add(int64(passed)))
}

// coarseNow returns the time of the sweeper's last round, up to one SweepInterval ago. It is precise enough for
// timeouts.
func (t *connTracker) coarseNow() time.Duration { return time.Duration(t.clock.Load()) }

// check times a connection out by a deadline in the past. The goroutine that reads or writes gets an ordinary timeout,
// and can still answer 408.
func (t *connTracker) check(c *conn, now time.Duration) {
	state, since := c.state()
	switch state {
	case http1.StateHandling, http1.StateHanging:
		if t.checksInput(c) && now-since >= http1.InputCheckInterval {
			t.checkInput(c, state)
		}
		return
	case http1.StateWriting:
		t.checkWrite(c, now)
		return
	}
	requested := time.Duration(c.requested.Load())
	cause, over := t.timeouts.Expired(state, since, requested, now, t.drainFrom)
	if over && c.unread() {
		cause, over = t.timeouts.Expired(state, since, requested, now-http1.UnreadGrace, t.drainFrom)
	}
	if over {
		c.noteCause(cause)
		c.SetReadDeadline(past)
	}
}

// checkWrite times out a reply. It uses the bytes that the client's system has acknowledged: a socket's buffer holds
// megabytes, and writes of a slow client make no progress for a long time.
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

// checksInput reports whether it is c's turn for checkInput, once in InputCheckInterval. Turns are spread evenly.
func (t *connTracker) checksInput(c *conn) bool {
	turns := max(1, int32(http1.InputCheckInterval/t.timeouts.SweepInterval()))
	return (c.index+t.round)%turns == 0
}

// checkInput reads further input of a client that waits for its reply. If that input filled the socket, the client's
// FIN would not arrive, and its disconnect would go unnoticed. If no reply will follow, the input is dropped. Otherwise
// it is kept up to MaxReadAhead, and a client that has sent more counts as disconnected.
func (t *connTracker) checkInput(c *conn, state http1.ConnState) {
	if c.raw == nil || !c.reading.TryLock() {
		return // its reader notices a disconnect
	}
	defer c.reading.Unlock()
	switch {
	case c.inputClosed:
	case state == http1.StateHanging:
		c.ahead = nil
		if t.ahead.drop(c.raw) {
			c.job.Disconnect() // no reply follows, even if a FIN alone is not a disconnect
		}
	case len(c.ahead) < http1.MaxReadAhead:
		c.ahead = append(c.ahead, t.ahead.read(c.raw, http1.MaxReadAhead-len(c.ahead))...)
	case c.unread(): // nothing was read since the last check
		c.giveUp()
	}
}

// giveUp treats the client as disconnected. The caller holds reading.
func (c *conn) giveUp() {
	c.ahead, c.inputClosed = nil, true
	c.job.Disconnect()
	if half, ok := c.Conn.(interface{ CloseRead() error }); ok {
		half.CloseRead() // wakes a goroutine that waits for a FIN
	}
}

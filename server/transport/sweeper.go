package transport

import (
	"time"

	"demo-server/server/http1"
)

// sweep keeps every connection's timeouts: one goroutine looks at their stamps now and then, instead of a deadline
// that is set anew for each request, which costs a tenth of a small request's time.
func (s *conns) sweep() {
	ticker := time.NewTicker(s.timeouts.SweepInterval())
	defer ticker.Stop()
	var list []*conn
	for {
		select {
		case <-ticker.C:
		case <-s.stopped:
			return
		}
		now := s.tick(s.app.Now())
		if s.drainFrom == 0 && s.app.Announcing() {
			s.drainFrom = now
		}
		list = s.all(list[:0])
		for _, c := range list {
			s.check(c, now)
		}
		clear(list) // do not keep closed connections
	}
}

// tick moves the clock on to the App's stamp of now, and returns its time. A sweeper that is called late has stood still,
// and with it the server (SIGSTOP, a machine without a core for it): that time is not the clients', and does not count.
func (s *conns) tick(now time.Duration) time.Duration {
	passed := min(now-s.ticked, 2*s.timeouts.SweepInterval())
	s.ticked = now
	s.round++
	return time.Duration(s.clock.Add(int64(passed)))
}

// coarse is the time of the sweeper's last look: a stamp for timeouts, up to one SweepInterval too early.
func (s *conns) coarse() time.Duration { return time.Duration(s.clock.Load()) }

// check ends a connection's read or write by a deadline in the past, so that whoever reads or writes meets an ordinary
// timeout and can still say 408.
func (s *conns) check(c *conn, now time.Duration) {
	phase, since := c.where()
	switch phase {
	case http1.StateHandling, http1.StateHanging:
		if s.looks(c) && now-since >= http1.InputCheckInterval {
			s.look(c, phase)
		}
		return
	case http1.StateWriting:
		s.checkWrite(c, now)
		return
	}
	requested := time.Duration(c.requested.Load())
	cause, over := s.timeouts.Expired(phase, since, requested, now, s.drainFrom)
	if over && c.unread() {
		cause, over = s.timeouts.Expired(phase, since, requested, now-http1.UnreadGrace, s.drainFrom)
	}
	if over {
		c.accuse(cause)
		c.SetReadDeadline(past)
	}
}

// checkWrite times a reply out. It goes by what the client's system has taken: a socket's buffer holds megabytes, in which
// a slow client's write makes no progress for long.
func (s *conns) checkWrite(c *conn, now time.Duration) {
	at := c.at.Load()
	since := http1.Stamp(at).Since()
	if now-since >= s.timeouts.SweepInterval() && s.timeouts.Progressed(&c.acked, c.taken()) {
		c.at.CompareAndSwap(at, int64(http1.NewStamp(http1.StateWriting, now)))
		return
	}
	if cause, over := s.timeouts.Expired(http1.StateWriting, since, 0, now, s.drainFrom); over {
		c.cut(cause)
	}
}

// looks reports whether it is c's turn to be looked at, which it is once in lookEvery. Turns are spread evenly.
func (s *conns) looks(c *conn) bool {
	turns := max(1, int32(http1.InputCheckInterval/s.timeouts.SweepInterval()))
	return (c.index+s.round)%turns == 0
}

// look reads what a client has sent ahead of the reply that it waits for. As long as it fills the socket, the client's FIN
// has no way in, and its leaving is not seen. Behind a reply that never comes it is dropped; otherwise it is kept, up to a
// bound, and a client that has sent more still counts as gone.
func (s *conns) look(c *conn, phase http1.ConnState) {
	if c.raw == nil || !c.reading.TryLock() {
		return // whoever reads it sees the client leave
	}
	defer c.reading.Unlock()
	switch {
	case c.deaf:
	case phase == http1.StateHanging:
		c.early = nil
		if s.ahead.drop(c.raw) {
			c.job.Leave() // there is no reply to wait for, also where a FIN alone is no leaving
		}
	case len(c.early) < http1.MaxReadAhead:
		c.early = append(c.early, s.ahead.read(c.raw, http1.MaxReadAhead-len(c.early))...)
	case c.unread(): // and nothing was taken since the last look
		c.giveUp()
	}
}

// giveUp makes the connection's client one that has left. The caller holds reading.
func (c *conn) giveUp() {
	c.early, c.deaf = nil, true
	c.job.Leave()
	if half, ok := c.Conn.(interface{ CloseRead() error }); ok {
		half.CloseRead() // which wakes whoever waits for a FIN
	}
}

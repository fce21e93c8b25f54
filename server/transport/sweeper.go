package transport

import "time"

// sweep keeps every connection's timeouts: one goroutine looks at their stamps now and then, instead of a deadline
// that is set anew for each request, which costs a tenth of a small request's time.
func (s *conns) sweep() {
	ticker := time.NewTicker(s.sweepEvery())
	defer ticker.Stop()
	var list []*conn
	for {
		select {
		case <-ticker.C:
		case <-s.stopped:
			return
		}
		now := s.app.Now()
		s.clock.Store(int64(now))
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

// coarse is the time of the sweeper's last look: a stamp for timeouts, up to one sweepEvery too early.
func (s *conns) coarse() time.Duration { return time.Duration(s.clock.Load()) }

// sweepEvery is an eighth of the shortest timeout, within reason: a timeout is up to two of it late, and never early.
func (s *conns) sweepEvery() time.Duration {
	shortest := min(s.limits.ReadHeaderTimeout, s.limits.ReadTimeout, s.limits.WriteTimeout, s.limits.IdleTimeout)
	return min(max(shortest/8, 5*time.Millisecond), 250*time.Millisecond)
}

// check ends a connection's read or write by a deadline in the past, so that whoever reads or writes meets an ordinary
// timeout and can still say 408.
func (s *conns) check(c *conn, now time.Duration) {
	phase, since := c.where()
	passed := now - since - s.sweepEvery()
	switch phase {
	case phaseFresh, phaseHeader:
		if passed >= s.limits.ReadHeaderTimeout || phase == phaseFresh && s.graceOver(since, now) {
			c.SetReadDeadline(past)
		}
	case phaseBody:
		if passed >= s.limits.ReadTimeout {
			c.SetReadDeadline(past)
		}
	case phaseWriting:
		if passed >= s.limits.WriteTimeout {
			c.SetDeadline(past)
		}
	case phaseIdle:
		if passed >= s.limits.IdleTimeout || s.graceOver(since, now) {
			c.SetReadDeadline(past)
		}
	}
}

// graceOver reports whether a connection without a request, since that stamp, may close because closing is announced.
func (s *conns) graceOver(since, now time.Duration) bool {
	return s.drainFrom > 0 && now-max(since, s.drainFrom) >= idleGrace
}

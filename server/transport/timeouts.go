package transport

import (
	"time"

	"demo-server/server"
	"demo-server/server/fault"
)

const (
	// idleGrace is how long an idle kept connection stays open once closing was announced: a request that its client
	// had sent by then is still answered.
	idleGrace = 500 * time.Millisecond
	// killGrace is how long after the drain deadline the 503s have to be read before their connections are cut.
	killGrace = 2 * time.Second
	// lingerTime bounds the wait for a client that still sends when its connection is to be closed (RFC 9112, 9.6).
	lingerTime = 500 * time.Millisecond
	// lingerBytes bounds what is read of it.
	lingerBytes = 256 << 10
)

const (
	// unreadGrace is how much longer a client has whose bytes lie in the socket: then it is the server that is late. It is
	// bounded, because a client could send blank lines faster than they are skipped.
	unreadGrace = 10 * time.Second
	// lookEvery is how often a connection is looked at whose request works: has its client sent more than fits?
	lookEvery = time.Second
	// slowest is the rate in bytes per second below which a client does not count as reading its reply.
	slowest = 1 << 10
)

// maxAhead is how many bytes of a client's next requests are kept while it waits for a reply, beyond those that the kernel
// keeps.
const maxAhead = 64 << 10

// How long a reset waits for the bytes in front of it, and how often it looks.
const (
	deliverTime  = time.Second
	deliverEvery = 2 * time.Millisecond
)

// Timeouts are the timeouts of a connection, as its App's limits have them.
type Timeouts struct {
	readHeader, read, readRequest, write, idle time.Duration

	interval time.Duration
}

// NewTimeouts returns the timeouts that limits have.
func NewTimeouts(limits *server.Limits) Timeouts {
	t := Timeouts{
		readHeader: limits.ReadHeaderTimeout, read: limits.ReadTimeout, readRequest: limits.ReadRequestTimeout,
		write: limits.WriteTimeout, idle: limits.IdleTimeout,
	}
	shortest := min(t.readHeader, t.read, t.write, t.idle)
	if t.readRequest > 0 {
		shortest = min(shortest, t.readRequest)
	}
	t.interval = min(max(shortest/8, 5*time.Millisecond), 250*time.Millisecond)
	return t
}

// SweepInterval returns an eighth of the shortest timeout, within reason: a timeout is up to two of it late, and never
// early.
func (t *Timeouts) SweepInterval() time.Duration { return t.interval }

// Expired reports whether the time of a connection is over that has been in a phase since that stamp, and why. requested
// is when the request began that is being read. Without a request the time is over, too, when closing has been announced
// for a while: since drainFrom, or 0 for not announced.
func (t *Timeouts) Expired(p phase, since, requested, now, drainFrom time.Duration) (server.CloseCause, bool) {
	passed := now - since - t.interval
	graceOver := drainFrom > 0 && now-max(since, drainFrom) >= idleGrace
	switch reads := p == phaseFresh || p == phaseHeader || p == phaseBody; {
	case reads && t.readRequest > 0 && now-requested-t.interval >= t.readRequest:
		return server.CloseRequestTimeout, true
	case (p == phaseFresh || p == phaseHeader) && passed >= t.readHeader:
		return server.CloseHeaderTimeout, true
	case p == phaseBody:
		return server.CloseReadTimeout, passed >= t.read
	case p == phaseWriting:
		return server.CloseWriteTimeout, passed >= t.write
	case p == phaseIdle && passed >= t.idle:
		return server.CloseIdleTimeout, true
	case p == phaseFresh || p == phaseIdle:
		return server.CloseDrain, graceOver
	case p == phaseLingering:
		return server.CloseReplied, now-since >= lingerTime
	}
	return 0, false
}

// Progressed reports whether taken is far enough beyond seen, the bytes that a client's system had taken when that was
// last so, and updates seen then.
func (t *Timeouts) Progressed(seen *uint64, taken uint64) bool {
	enough := max(1, uint64(t.write/time.Millisecond*slowest/1000))
	if taken < *seen+enough {
		return false
	}
	*seen = taken
	return true
}

// steps are how many parts a wait has that the process is to be awake for: if it stood still (SIGSTOP, a machine without a
// core for it), that has cost one of them.
const steps = 8

// pause waits for d, in steps, or until stopped is closed, which it reports as false.
func pause(d time.Duration, stopped <-chan struct{}) bool {
	for range steps {
		select {
		case <-time.After(d / steps):
		case <-stopped:
			return false
		}
	}
	return true
}

// closeCause is why a connection closes after reply.
func closeCause(reply *server.Reply) server.CloseCause {
	switch {
	case reply.Abort != fault.None:
		return server.CloseAbort
	case reply.Close && reply.Status == server.StatusLeft:
		return server.CloseDisconnect
	}
	return server.CloseReplied
}

package http1

import (
	"time"

	"demo-server/server"
	"demo-server/server/fault"
)

const (
	// IdleGrace is how long an idle kept connection stays open once closing was announced: a request that its client
	// had sent by then is still answered.
	IdleGrace = 500 * time.Millisecond
	// KillGrace is how long after the drain deadline the 503s have to be read before their connections are cut.
	KillGrace = 2 * time.Second
	// LingerTime bounds the wait for a client that still sends when its connection is to be closed (RFC 9112, 9.6).
	LingerTime = 500 * time.Millisecond
	// LingerBytes bounds what is read of it.
	LingerBytes = 256 << 10
)

const (
	// UnreadGrace is how much longer a client has whose bytes lie in the socket: then it is the server that is late. It is
	// bounded, because a client could send blank lines faster than they are skipped.
	UnreadGrace = 10 * time.Second
	// InputCheckInterval is how often a connection is looked at whose request works: has its client sent more than fits?
	InputCheckInterval = time.Second
	// minWriteRate is the rate in bytes per second below which a client does not count as reading its reply.
	minWriteRate = 1 << 10
)

// MaxReadAhead is how many bytes of a client's next requests are kept while it waits for a reply, beyond those that the kernel
// keeps.
const MaxReadAhead = 64 << 10

// How long a reset waits for the bytes in front of it, and how often it looks.
const (
	DeliverTime     = time.Second
	DeliverInterval = 2 * time.Millisecond
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
func (t *Timeouts) Expired(p ConnState, since, requested, now, drainFrom time.Duration) (server.CloseCause, bool) {
	passed := now - since - t.interval
	graceOver := drainFrom > 0 && now-max(since, drainFrom) >= IdleGrace
	switch reads := p == StateNew || p == StateHead || p == StateBody; {
	case reads && t.readRequest > 0 && now-requested-t.interval >= t.readRequest:
		return server.CloseRequestTimeout, true
	case (p == StateNew || p == StateHead) && passed >= t.readHeader:
		return server.CloseHeaderTimeout, true
	case p == StateBody:
		return server.CloseReadTimeout, passed >= t.read
	case p == StateWriting:
		return server.CloseWriteTimeout, passed >= t.write
	case p == StateIdle && passed >= t.idle:
		return server.CloseIdleTimeout, true
	case p == StateNew || p == StateIdle:
		return server.CloseDrain, graceOver
	case p == StateLingering:
		return server.CloseReplied, now-since >= LingerTime
	}
	return 0, false
}

// Progressed reports whether taken is far enough beyond seen, the bytes that a client's system had taken when that was
// last so, and updates seen then.
func (t *Timeouts) Progressed(seen *uint64, taken uint64) bool {
	enough := max(1, uint64(t.write/time.Millisecond*minWriteRate/1000))
	if taken < *seen+enough {
		return false
	}
	*seen = taken
	return true
}

// WaitSteps are how many parts a wait has that the process is to be awake for: if it stood still (SIGSTOP, a machine without a
// core for it), that has cost one of them.
const WaitSteps = 8

// Wait waits for d, in steps, or until stopped is closed, which it reports as false.
func Wait(d time.Duration, stopped <-chan struct{}) bool {
	for range WaitSteps {
		select {
		case <-time.After(d / WaitSteps):
		case <-stopped:
			return false
		}
	}
	return true
}

// CloseCause is why a connection closes after reply.
func CloseCause(reply *server.Reply) server.CloseCause {
	switch {
	case reply.Abort != fault.None:
		return server.CloseAbort
	case reply.Close && reply.Status == server.StatusDisconnected:
		return server.CloseDisconnect
	}
	return server.CloseReplied
}

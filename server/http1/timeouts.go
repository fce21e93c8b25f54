package http1

import (
	"time"

	"demo-server/server"
)

const (
	// IdleGrace is how long an idle connection stays open after closing was announced, to answer a request that was
	// already on its way.
	IdleGrace = 500 * time.Millisecond
	// KillGrace is how long after the drain deadline connections are cut. Until then, clients can read their 503.
	KillGrace = 2 * time.Second
	// LingerTime limits the wait for a client that is still sending when its connection closes (RFC 9112, section 9.6).
	LingerTime = 500 * time.Millisecond
	// LingerBytes limits how many of its bytes are read.
	LingerBytes = 256 << 10
)

const (
	// UnreadGrace is the extra time of a client with unread bytes in the socket, because then the server is late. It is
	// limited, because a client could send blank lines faster than they are skipped.
	UnreadGrace = 10 * time.Second
	// InputCheckInterval is how often the input of a connection is checked while its request is handled: the client may
	// have sent more than the socket can hold.
	InputCheckInterval = time.Second
	// minWriteRate is the rate in bytes per second below which a client does not count as reading its reply.
	minWriteRate = 1 << 10
)

// MaxReadAhead is how many bytes of further requests are kept for a client that waits for a reply, in addition to those
// in the kernel.
const MaxReadAhead = 64 << 10

// A reset waits until the client's system has the bytes before it: for how long, and how often it checks.
const (
	DeliverTime     = time.Second
	DeliverInterval = 2 * time.Millisecond
)

// Timeouts hold the timeouts of a connection.
type Timeouts struct {
	readHeader, read, readRequest, write, idle time.Duration

	interval time.Duration
}

// NewTimeouts returns the timeouts among an App's limits.
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

// SweepInterval returns how often to check timeouts: an eighth of the shortest one, between 5 ms and 250 ms. A timeout
// is never early, and up to two intervals late.
func (t *Timeouts) SweepInterval() time.Duration { return t.interval }

// Expired reports whether a connection that is in a state since a stamp has timed out, and the cause to close it.
// requested is the stamp of the beginning of the request that is being read. A connection without a request also
// expires if closing was announced at drainFrom, IdleGrace ago; drainFrom is 0 if it was not announced.
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

// Progressed reports whether a client takes its reply fast enough. taken is the number of bytes that its system has
// acknowledged, seen the number at the last progress. Progressed updates seen.
func (t *Timeouts) Progressed(seen *uint64, taken uint64) bool {
	enough := max(1, uint64(t.write/time.Millisecond*minWriteRate/1000))
	if taken < *seen+enough {
		return false
	}
	*seen = taken
	return true
}

// WaitSteps is the number of parts that a long wait consists of. If the process stands still (SIGSTOP, or no free
// core), this costs only one of them.
const WaitSteps = 8

// Wait waits for d, in steps. It returns false if stopped is closed first.
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

package transport

import (
	"syscall"

	"golang.org/x/sys/unix"

	"demo-server/server/http1"
)

// maxDrop is how many bytes are dropped at a look: a client must not have the sweeper to itself.
const maxDrop = 4 << 20

// An readAhead reads sockets whose own reader does not read. It belongs to the sweeper.
type readAhead struct {
	buffer []byte
	n      int
	look   func(uintptr)
}

func newReadAhead() *readAhead {
	a := &readAhead{buffer: make([]byte, http1.MaxReadAhead)}
	a.look = func(fd uintptr) { a.n, _ = unix.Read(int(fd), a.buffer[:a.n]) } // it does not block: Go's sockets never do
	return a
}

// read returns up to room bytes that have come, valid until the next call. The end of what the client sends is no bytes.
func (a *readAhead) read(raw syscall.RawConn, room int) []byte {
	a.n = room
	if raw.Control(a.look) != nil {
		return nil
	}
	return a.buffer[:max(a.n, 0)]
}

// drop reads what has come and forgets it. It reports whether that was the end of what the client sends.
func (a *readAhead) drop(raw syscall.RawConn) (ended bool) {
	for dropped := 0; dropped < maxDrop; dropped += a.n {
		if len(a.read(raw, len(a.buffer))) == 0 {
			return a.n == 0
		}
	}
	return false
}

// acked is how many bytes the client's system has acknowledged so far, or 0 where that cannot be known.
func (c *conn) acked() (n uint64) {
	if c.raw != nil {
		c.raw.Control(func(fd uintptr) { n = http1.Acked(int(fd)) })
	}
	return n
}

// undelivered reports whether the client's system has not taken everything that was written.
func (c *conn) undelivered() (waits bool) {
	if c.raw != nil {
		c.raw.Control(func(fd uintptr) { waits = http1.Undelivered(int(fd)) })
	}
	return waits
}

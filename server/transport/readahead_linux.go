package transport

import (
	"syscall"

	"golang.org/x/sys/unix"

	"demo-server/server/http1"
)

// maxDrop is how many bytes are dropped per check, to leave the sweeper time for other connections.
const maxDrop = 4 << 20

// A readAhead reads from sockets that their own goroutine does not read. The sweeper owns it.
type readAhead struct {
	buffer []byte
	n      int
	look   func(uintptr)
}

func newReadAhead() *readAhead {
	a := &readAhead{buffer: make([]byte, http1.MaxReadAhead)}
	a.look = func(fd uintptr) { a.n, _ = unix.Read(int(fd), a.buffer[:a.n]) } // never blocks
	return a
}

// read returns up to room bytes of input, valid until the next call. At the end of the input it returns none.
func (a *readAhead) read(raw syscall.RawConn, room int) []byte {
	a.n = room
	if raw.Control(a.look) != nil {
		return nil
	}
	return a.buffer[:max(a.n, 0)]
}

// drop reads and drops input. It reports whether the input has ended.
func (a *readAhead) drop(raw syscall.RawConn) (ended bool) {
	for dropped := 0; dropped < maxDrop; dropped += a.n {
		if len(a.read(raw, len(a.buffer))) == 0 {
			return a.n == 0
		}
	}
	return false
}

// acked returns how many bytes the client's system has acknowledged so far, or 0 if unknown.
func (c *conn) acked() (n uint64) {
	if c.raw != nil {
		c.raw.Control(func(fd uintptr) { n = http1.Acked(int(fd)) })
	}
	return n
}

// undelivered reports whether the client's system has not yet acknowledged all bytes.
func (c *conn) undelivered() (waits bool) {
	if c.raw != nil {
		c.raw.Control(func(fd uintptr) { waits = http1.Undelivered(int(fd)) })
	}
	return waits
}

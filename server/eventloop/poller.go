package eventloop

import (
	"errors"
	"time"
)

// A Poller is where an event loop waits, and how it reaches its sockets: epoll's (epoll_linux.go), or that of a Pollable.
// All but Wake is for the loop's goroutine alone. No call blocks, except for Wait.
type Poller interface {
	// wait appends what has happened to ready. Where nothing has, it waits until that stamp of the App, or for ever for
	// never, or until wake is called. yield says that others have work for the core that it leaves.
	Wait(ready []Event, until time.Duration, yield bool) []Event
	// wake ends a wait that is under way, or the next one. It may be called from any goroutine, also after free.
	Wake()

	// listen says whether connections that can be accepted are an event.
	Listen(on bool) error
	// accept returns a connection, which is no session's yet: any loop may watch it. backlog is how long it sat in the
	// accept queue, negative where that cannot be known.
	Accept() (socket int32, backlog time.Duration, err error)
	// watch makes what happens to the socket an event, with tag.
	Watch(socket int32, t Tag) error

	// read and write are those of the socket, and return errAgain where they would have to wait. To read 0 bytes without
	// an error is the end of what the client sends. They panic if p is empty: a read of no bytes would look like that end.
	Read(socket int32, p []byte) (int, error)
	Write(socket int32, p []byte) (int, error)
	// unread reports whether there are bytes to read, whatever was told of it.
	Unread(socket int32) bool
	// acked is how many bytes the client's system has acknowledged so far, or 0 where that cannot be known.
	Acked(socket int32) uint64
	// undelivered reports whether the client's system has not taken everything that was written, where that can be known.
	Undelivered(socket int32) bool
	// clientAddr is the address of the socket's client, or empty if it is not known any more.
	ClientAddr(socket int32) string
	// closeWrite sends the FIN and leaves the reading side open.
	CloseWrite(socket int32) error
	// reset makes close send a RST.
	Reset(socket int32)
	Close(socket int32)

	// free ends the poller, and what it has started. Its sockets are closed.
	Free()
}

// A Pollable listener brings the poller for its own connections. A TCP listener does not: it gets epoll's.
type Pollable interface {
	// NewPoller returns a poller for one loop. now is the clock of the stamps that Wait is called with.
	NewPoller(now func() time.Duration) (Poller, error)
}

// ErrAgain says that a call would have had to wait.
var ErrAgain = errors.New("not ready")

// Never is a stamp that does not come.
const Never = time.Duration(1<<63 - 1)

// A Tag tells a session's events from those of the session that had its place before.
type Tag struct {
	Index      int32
	Generation uint32
}

// Listening is the index of a tag that says that a connection can be accepted.
const Listening int32 = -1

// An Event is what has happened to a socket. It is told once for each change, not for as long as it holds.
type Event struct {
	Tag
	Readable     bool // there are bytes, or the end of them
	Writable     bool // there is room again
	Disconnected bool // the client has sent a FIN, or reset the connection
	Broken       bool // it was a reset: the client reads no reply either
}

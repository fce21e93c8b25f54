package eventloop

import (
	"errors"
	"time"
)

// A Poller waits for events of an event loop's sockets, and operates on them. There is one for epoll (epoll_linux.go),
// and each Pollable listener has its own. Only the loop's goroutine may call it, except for Wake. No method blocks,
// except for Wait.
type Poller interface {
	// Wait appends new events to ready. If there are none, it waits until a stamp of the App, which may be Never, or
	// until Wake is called. yield reports whether other goroutines have work for its core.
	Wait(ready []Event, until time.Duration, yield bool) []Event
	// Wake ends the present call of Wait, or the next one. It may be called from any goroutine, even after Free.
	Wake()

	// Listen sets whether connections that can be accepted are events.
	Listen(on bool) error
	// Accept returns a new connection, which any loop may watch. backlog is its time in the accept queue; negative if
	// unknown.
	Accept() (socket int32, backlog time.Duration, err error)
	// Watch starts events of the socket, with a tag.
	Watch(socket int32, t Tag) error

	// Read and Write read from and write to the socket. They return ErrAgain if they would have to wait. Reading 0
	// bytes without an error means that the client sends nothing more. They panic if p is empty, because reading no
	// bytes would look like that.
	Read(socket int32, p []byte) (int, error)
	Write(socket int32, p []byte) (int, error)
	// Unread reports whether there are bytes to read, even if there was no event for them.
	Unread(socket int32) bool
	// Acked returns how many bytes the client's system has acknowledged so far, or 0 if unknown.
	Acked(socket int32) uint64
	// Undelivered reports whether the client's system has not yet acknowledged all bytes; false if unknown.
	Undelivered(socket int32) bool
	// ClientAddr returns the address of the socket's client, or "" if it is no longer known.
	ClientAddr(socket int32) string
	// CloseWrite sends a FIN and keeps the reading side open.
	CloseWrite(socket int32) error
	// Reset makes Close send a RST.
	Reset(socket int32)
	Close(socket int32)

	// Free frees the poller's resources. Its sockets are closed by then.
	Free()
}

// A Pollable listener brings the poller for its own connections. A TCP listener is not Pollable: it gets epoll's.
type Pollable interface {
	// NewPoller returns a poller for one loop. now returns the App's stamps.
	NewPoller(now func() time.Duration) (Poller, error)
}

// ErrAgain means that a call would have to wait.
var ErrAgain = errors.New("not ready")

// Never is a stamp that is never reached.
const Never = time.Duration(1<<63 - 1)

// A Tag identifies a connection in events. The generation distinguishes it from earlier ones with the same index.
type Tag struct {
	Index      int32
	Generation uint32
}

// Listening is the index in events of the listening socket.
const Listening int32 = -1

// An Event reports a change of a socket. There is one event for each change, not for as long as the state lasts.
type Event struct {
	Tag
	Readable     bool // there are bytes to read, or the client sends nothing more
	Writable     bool // there is room for more bytes
	Disconnected bool // the client has sent a FIN, or reset the connection
	Broken       bool // it was a reset: the client does not read a reply either
}

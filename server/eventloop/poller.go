package eventloop

import (
	"errors"
	"time"
)

// A poller is where an event loop waits, and how it reaches its sockets: epoll's (epoll_linux.go), or, for a source
// without descriptors, one of goroutines (memory.go). All but wake is for the loop's goroutine alone. No call blocks,
// except for wait.
type poller interface {
	// wait appends what has happened to ready. Where nothing has, it waits until that stamp of the App, or for ever for
	// never, or until wake is called. yield says that others have work for the core that it leaves.
	wait(ready []event, until time.Duration, yield bool) []event
	// wake ends a wait that is under way, or the next one. It may be called from any goroutine, also after free.
	wake()

	// listen says whether connections that can be accepted are an event.
	listen(on bool) error
	// accept returns a connection, which is no session's yet: any loop may watch it. backlog is how long it sat in the
	// accept queue, negative where that cannot be known.
	accept() (socket int32, backlog time.Duration, err error)
	// watch makes what happens to the socket an event, with tag.
	watch(socket int32, tag tag) error

	// read and write are those of the socket, and return errAgain where they would have to wait. To read 0 bytes without
	// an error is the end of what the client sends. They panic if p is empty: a read of no bytes would look like that end.
	read(socket int32, p []byte) (int, error)
	write(socket int32, p []byte) (int, error)
	// unread reports whether there are bytes to read, whatever was told of it.
	unread(socket int32) bool
	// acked is how many bytes the client's system has acknowledged so far, or 0 where that cannot be known.
	acked(socket int32) uint64
	// undelivered reports whether the client's system has not taken everything that was written, where that can be known.
	undelivered(socket int32) bool
	// clientAddr is the address of the socket's client, or empty if it is not known any more.
	clientAddr(socket int32) string
	// closeWrite sends the FIN and leaves the reading side open.
	closeWrite(socket int32) error
	// reset makes close send a RST.
	reset(socket int32)
	close(socket int32)

	// free ends the poller, and what it has started. Its sockets are closed.
	free()
}

// errAgain says that a call would have had to wait.
var errAgain = errors.New("not ready")

// never is a stamp that does not come.
const never = time.Duration(1<<63 - 1)

// A tag tells a session's events from those of the session that had its place before.
type tag struct {
	index      int32
	generation uint32
}

// listening is the index of a tag that says that a connection can be accepted.
const listening int32 = -1

// An event is what has happened to a socket. It is told once for each change, not for as long as it holds.
type event struct {
	tag
	readable bool // there are bytes, or the end of them
	writable bool // there is room again
	left     bool // the client has sent a FIN, or reset the connection
	broken   bool // it was a reset: the client reads no reply either
}

package transport

import (
	"encoding/binary"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"demo-server/server"
	"demo-server/server/listener"
)

// A watcher notices disconnects. It has an epoll set of its own, next to the Go runtime's, in which each connection
// waits for its peer's FIN or reset, whether or not it is being read. fasthttp never checks for them while a handler
// runs, and net/http does not after a pipelined byte. A connection is registered once, edge-triggered, and leaves the
// set when it is closed.
type watcher struct {
	epoll  int
	wake   int    // an eventfd that ends run
	events uint32 // that mean a disconnect; a reset always does
}

// newWatcher returns nil for a listener without a descriptor: its connections (in memory) have none either.
func newWatcher(socket net.Listener, app *server.App) (*watcher, error) {
	if _, ok := socket.(syscall.Conn); !ok {
		return nil, nil
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	w := &watcher{epoll: epoll, wake: wake, events: unix.EPOLLRDHUP | unix.EPOLLET}
	if app.AnswersHalfClosed() {
		w.events = unix.EPOLLET
	}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, epollEvent(unix.EPOLLIN, -1, 0)); err != nil {
		w.free()
		return nil, err
	}
	return w, nil
}

// epollEvent stores the connection's index and its generation in epoll's 64 bits of user data.
func epollEvent(events uint32, index int32, generation uint32) *unix.EpollEvent {
	return &unix.EpollEvent{Events: events, Fd: index, Pad: int32(generation)}
}

// add watches c's client, reads the connection's time in the accept queue, and reports whether it could watch.
func (w *watcher) add(c *conn) bool {
	if w == nil {
		return false
	}
	if c.raw == nil {
		return false
	}
	watched := false
	c.raw.Control(func(fd uintptr) {
		c.backlog = listener.Age(int(fd))
		err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, int(fd), epollEvent(w.events, c.index, c.generation))
		watched = err == nil
	})
	return watched
}

// run reports disconnects to jobs, until close.
func (w *watcher) run(t *connTracker) {
	defer w.free()
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := unix.EpollWait(w.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			return // only a bad descriptor or argument, which do not pass
		}
		for _, event := range events[:max(n, 0)] {
			if event.Fd < 0 {
				return
			}
			if c := t.find(event.Fd, uint32(event.Pad)); c != nil {
				c.job.Disconnect()
			}
		}
	}
}

// close ends run.
func (w *watcher) close() {
	if w != nil {
		signal(w.wake)
	}
}

// signal makes an eventfd readable, which ends a poll of it. It may be called many times without a read.
func signal(eventfd int) { unix.Write(eventfd, one) }

var one = binary.NativeEndian.AppendUint64(nil, 1)

func (w *watcher) free() {
	unix.Close(w.epoll)
	unix.Close(w.wake)
}

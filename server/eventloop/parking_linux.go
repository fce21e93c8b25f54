package eventloop

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// parkingPoller is an epoll set that is in Go's own, as a socket is. A goroutine that waits for it parks, and whoever has work
// for its core has it at once. One that sits in epoll_wait keeps the core until Go's monitor looks, which may take
// 10 ms: beside jobs that compute, cores were idle for an eighth of the time.
//
// It is not for loops that have nobody to yield to: one that is busy for long never comes to look for what Go's own set
// has for the others.
type parkingPoller struct {
	file *os.File
	raw  syscall.RawConn
	look func(uintptr) bool
	n    int // what look found
}

// newParkingPoller returns nil where there is no descriptor left for it.
func newParkingPoller(set int, poll func() int) *parkingPoller {
	fd, err := unix.FcntlInt(uintptr(set), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	unix.SetNonblock(fd, true) // which means nothing to epoll, and to package os that it may poll
	t := &parkingPoller{file: os.NewFile(uintptr(fd), "epoll")}
	if t.raw, err = t.file.SyscallConn(); err != nil {
		t.close()
		return nil
	}
	t.look = func(uintptr) bool {
		t.n = poll()
		return t.n > 0
	}
	return t
}

// wait returns what poll does once that is not 0.
func (t *parkingPoller) wait() (n int, ok bool) {
	err := t.raw.Read(t.look)
	return t.n, err == nil
}

func (t *parkingPoller) close() { t.file.Close() }

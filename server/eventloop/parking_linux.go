package eventloop

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A parkingPoller is a duplicate of an epoll set that is registered in Go's own, like a socket. A goroutine that waits
// for it parks, and its core is free at once. A goroutine in epoll_wait keeps its core until Go's monitor retakes it,
// up to 10 ms later: next to jobs that compute, cores were idle for an eighth of the time.
//
// It is not for loops without such neighbours: a loop that is busy for long does not poll Go's own set.
type parkingPoller struct {
	file *os.File
	raw  syscall.RawConn
	look func(uintptr) bool
	n    int // the result of look
}

// newParkingPoller returns nil if no descriptor is left.
func newParkingPoller(set int, poll func() int) *parkingPoller {
	fd, err := unix.FcntlInt(uintptr(set), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	unix.SetNonblock(fd, true) // no effect on epoll, but package os then polls it
	p := &parkingPoller{file: os.NewFile(uintptr(fd), "epoll")}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.close()
		return nil
	}
	p.look = func(uintptr) bool {
		p.n = poll()
		return p.n > 0
	}
	return p
}

// wait returns the result of poll once it is not 0.
func (p *parkingPoller) wait() (n int, ok bool) {
	err := p.raw.Read(p.look)
	return p.n, err == nil
}

func (p *parkingPoller) close() { p.file.Close() }

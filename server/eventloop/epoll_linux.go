package eventloop

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"demo-server/server/http1"
	"demo-server/server/listener"
)

// An epoll is the poller of an event loop on Linux. Sockets are edge-triggered and registered once, for all events: a
// request costs no epoll_ctl. The listening socket is level-triggered, because a loop may not accept all waiting
// connections.
//
// System calls that cannot block bypass Go's scheduler, which would cost more than the calls themselves.
type epoll struct {
	now      func() time.Duration
	fd       int
	timer    int           // a timerfd: epoll_wait counts in milliseconds, and may be late by 0.1%
	armed    time.Duration // when timer fires
	listener *net.TCPListener
	socket   int // the descriptor of listener, which keeps it open
	events   [256]unix.EpollEvent
	found    int            // events of the last wait
	parking  *parkingPoller // nil while no other goroutine needs the core

	// Wake may come late. By then, another file may be open under the descriptor's number.
	mu      sync.Mutex
	eventfd int // -1 once it is closed

	// Arguments of system calls are kept, because garbage would count as the connection's memory.
	info      unix.TCPInfo
	event     unix.EpollEvent
	keepalive int32
}

// The indices of the poller's own descriptors in tags.
const (
	timerIndex int32 = -2
	wakeIndex  int32 = -3
)

// newEpoll returns a poller that accepts from own, but does not own it.
func newEpoll(own *net.TCPListener, now func() time.Duration) (Poller, error) {
	p := &epoll{now: now, listener: own, fd: -1, timer: -1, eventfd: -1, armed: Never}
	if err := p.open(); err != nil {
		p.Free()
		return nil, err
	}
	return p, nil
}

func (p *epoll) open() (err error) {
	raw, err := p.listener.SyscallConn()
	if err != nil {
		return err
	}
	if err := raw.Control(func(fd uintptr) { p.socket = int(fd) }); err != nil {
		return err
	}
	if err := setDefaults(p.socket); err != nil { // accepted sockets inherit them
		return err
	}
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if p.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return err
	}
	if p.eventfd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	if err := p.add(p.timer, unix.EPOLLIN|unix.EPOLLET, Tag{Index: timerIndex}); err != nil {
		return err
	}
	return p.add(p.eventfd, unix.EPOLLIN|unix.EPOLLET, Tag{Index: wakeIndex})
}

// setDefaults sets the options that package net sets on accepted sockets: a reply does not wait for the acknowledgement
// of the previous one, and a client that has vanished silently is noticed.
func setDefaults(fd int) error {
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15), // seconds
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1), // the last one: see inherit
	)
}

// inherit sets the options on a socket that was accepted without them: its client may have connected before this mode,
// or this process, set them on the listening socket.
func (p *epoll) inherit(fd uintptr) {
	size := uint32(unsafe.Sizeof(p.keepalive))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE,
		uintptr(unsafe.Pointer(&p.keepalive)), uintptr(unsafe.Pointer(&size)), 0)
	if errno == 0 && p.keepalive == 0 {
		setDefaults(int(fd)) // as in net, errors are ignored
	}
}

func (p *epoll) add(fd int, events uint32, t Tag) error {
	p.event = unix.EpollEvent{Events: events, Fd: t.Index, Pad: int32(t.Generation)}
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &p.event)
}

func (p *epoll) Free() {
	p.stopParking()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fd := range []int{p.fd, p.timer, p.eventfd} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	p.eventfd = -1
}

func (p *epoll) Wait(ready []Event, until time.Duration, yield bool) []Event {
	n := 0
	if p.found > 1 { // there are probably more events, and polling costs less than waiting
		n = p.poll()
	}
	switch {
	case n > 0:
	case p.arm(until):
		n = p.block(yield)
	default:
		n = p.poll() // the stamp has passed
	}
	p.found = n
	for i := range max(n, 0) {
		raw := &p.events[i]
		if raw.Fd == timerIndex || raw.Fd == wakeIndex {
			if raw.Fd == timerIndex {
				p.armed = Never
			}
			continue
		}
		ready = append(ready, Event{
			Tag:          Tag{raw.Fd, uint32(raw.Pad)},
			Readable:     raw.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0,
			Writable:     raw.Events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0,
			Disconnected: raw.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0,
			Broken:       raw.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0,
		})
	}
	return ready
}

// block waits for events.
func (p *epoll) block(yield bool) int {
	if !yield {
		p.stopParking()
	} else if n, ok := p.park(); ok {
		return n
	}
	n, err := unix.EpollWait(p.fd, p.events[:], -1)
	if err != nil { // a signal, or SIGCONT after a stop: events may have been missed
		return p.poll()
	}
	return n
}

// park is like block, but leaves the core to other goroutines at once. ok is false if there is no descriptor for this.
func (p *epoll) park() (n int, ok bool) {
	if p.parking == nil {
		p.parking = newParkingPoller(p.fd, p.poll)
	}
	if p.parking == nil {
		return 0, false
	}
	return p.parking.wait()
}

// stopParking ends parking, which only slows down a loop if no other goroutine needs the core.
func (p *epoll) stopParking() {
	if p.parking != nil {
		p.parking.close()
		p.parking = nil
	}
}

// poll is epoll_wait without waiting.
func (p *epoll) poll() int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])),
		uintptr(len(p.events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// arm sets the timer. It returns false if the stamp has passed.
func (p *epoll) arm(until time.Duration) bool {
	if until == p.armed {
		return true
	}
	var spec unix.ItimerSpec // zero switches the timer off
	if until != Never {
		left := until - p.now()
		if left <= 0 {
			return false
		}
		spec.Value = unix.NsecToTimespec(int64(left))
	}
	if unix.TimerfdSettime(p.timer, 0, &spec, nil) != nil {
		return false
	}
	p.armed = until
	return true
}

func (p *epoll) Wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.eventfd >= 0 {
		signal(p.eventfd)
	}
}

// Listen wakes only one of several loops for a connection. It removes the socket explicitly, because the socket is
// shared with other modes, and closing a descriptor would not remove it.
func (p *epoll) Listen(on bool) error {
	if on {
		return p.add(p.socket, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, Tag{Index: Listening})
	}
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, p.socket, nil)
}

func (p *epoll) Accept() (int32, time.Duration, error) {
	for {
		fd, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(p.socket), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
			p.inherit(fd)
			return int32(fd), p.age(fd), nil
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN:
			return 0, 0, ErrAgain
		default:
			return 0, 0, errno
		}
	}
}

// age is listener.Age without an allocation.
func (p *epoll) age(fd uintptr) time.Duration {
	size := uint32(unsafe.Sizeof(p.info))
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&p.info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return -1
	}
	return listener.AgeOf(&p.info)
}

func (p *epoll) Watch(socket int32, t Tag) error {
	return p.add(int(socket), unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET, t)
}

func (p *epoll) Read(socket int32, b []byte) (int, error) {
	return transfer(unix.SYS_READ, socket, b)
}

func (p *epoll) Write(socket int32, b []byte) (int, error) {
	return transfer(unix.SYS_WRITE, socket, b)
}

// transfer is read or write, of at least one byte.
func transfer(call uintptr, socket int32, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(call, uintptr(socket), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, ErrAgain
		default:
			return 0, errno
		}
	}
}

func (p *epoll) ClientAddr(socket int32) string {
	address, err := unix.Getpeername(int(socket))
	if err != nil {
		return ""
	}
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port)).String()
	}
	return ""
}

func (p *epoll) Unread(socket int32) bool { return http1.Unread(int(socket)) }

func (p *epoll) Acked(socket int32) uint64 { return http1.Acked(int(socket)) }

func (p *epoll) Undelivered(socket int32) bool { return http1.Undelivered(int(socket)) }

func (p *epoll) CloseWrite(socket int32) error { return unix.Shutdown(int(socket), unix.SHUT_WR) }

func (p *epoll) Reset(socket int32) {
	unix.SetsockoptLinger(int(socket), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

func (p *epoll) Close(socket int32) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(socket), 0, 0) }

// signal makes an eventfd readable, which ends a poll of it. The loop never reads it, so the written value has to be
// small: the kernel adds up all of them.
func signal(eventfd int) { unix.Write(eventfd, one) }

var one = binary.NativeEndian.AppendUint64(nil, 1)

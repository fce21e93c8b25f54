package listener

import (
	"errors"
	"math"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// duplicate returns a listener on the same socket with its own descriptor.
func duplicate(socket net.Listener) (net.Listener, error) {
	file, err := fileOf(socket)
	if err != nil {
		return nil, err
	}
	defer file.Close() // FileListener makes another duplicate
	return net.FileListener(file)
}

// fileOf returns a new descriptor of the same socket. TCPListener.File would make the socket blocking for all its
// users, in Fd.
func fileOf(socket net.Listener) (*os.File, error) {
	var fd int
	err := withFD(socket, func(original int) (err error) {
		fd, err = unix.FcntlInt(uintptr(original), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "listener"), nil
}

// setBacklog calls listen again on a listening socket, which changes the length of its queue. net.Listen always uses
// the system's maximum.
func setBacklog(socket net.Listener, backlog int) error {
	return withFD(socket, func(fd int) error { return unix.Listen(fd, backlog) })
}

// acceptQueue reads tcp_info. For a listening socket the kernel stores the queue's length in unacked and its limit in
// sacked (tcp_get_info in net/ipv4/tcp.c).
func acceptQueue(socket net.Listener) (AcceptQueue, bool) {
	var info *unix.TCPInfo
	err := withFD(socket, func(fd int) (err error) {
		info, err = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err
	})
	if err != nil {
		return AcceptQueue{}, false
	}
	return AcceptQueue{Depth: int(info.Unacked), Limit: int(info.Sacked)}, true
}

// dropNew attaches a socket filter that drops SYNs and passes everything else: a client whose SYN was answered counts
// itself as connected, and its ACK may still be on the way.
func dropNew(socket net.Listener) error {
	const flags, syn, ack = 13, 0x02, 0x10 // offset of the flags in the TCP header
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0}, // keep nothing of the packet
		{Code: unix.BPF_RET | unix.BPF_K, K: math.MaxUint32},
	}
	program := &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return withFD(socket, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, program)
	})
}

// withFD calls do with the socket's descriptor.
func withFD(socket net.Listener, do func(fd int) error) error {
	conn, ok := socket.(syscall.Conn)
	if !ok {
		return errors.ErrUnsupported
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	if err := raw.Control(func(fd uintptr) { done = do(int(fd)) }); err != nil {
		return err
	}
	return done
}

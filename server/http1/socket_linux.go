package http1

import "golang.org/x/sys/unix"

func Unread(fd int) bool {
	waiting, _ := unix.IoctlGetInt(fd, unix.TIOCINQ)
	return waiting > 0
}

func Undelivered(fd int) bool {
	waiting, _ := unix.IoctlGetInt(fd, unix.TIOCOUTQ)
	return waiting > 0
}

func Acked(fd int) uint64 {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return info.Bytes_acked
}

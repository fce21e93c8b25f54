package listener

import (
	"time"

	"golang.org/x/sys/unix"
)

// Age returns how long a connection that was just accepted has existed, which is its time in the kernel's accept queue.
// It is negative if that cannot be read.
func Age(fd int) time.Duration {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return -1
	}
	return AgeOf(info)
}

// AgeOf reads an age from tcp_info, which tells when data was last sent: before the first reply that is when the
// handshake ended. It counts in the kernel's ticks.
func AgeOf(info *unix.TCPInfo) time.Duration {
	return time.Duration(info.Last_data_sent) * time.Millisecond
}

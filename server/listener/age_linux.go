package listener

import (
	"time"

	"golang.org/x/sys/unix"
)

// Age returns how long ago a connection that was just accepted was established, which is its time in the kernel's
// accept queue. It returns a negative value if the system does not say.
func Age(fd int) time.Duration {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return -1
	}
	return AgeOf(info)
}

// AgeOf reads an age from tcp_info. The field holds the time since data was last sent, which before the first reply is
// the time since the handshake. It counts in kernel ticks.
func AgeOf(info *unix.TCPInfo) time.Duration {
	return time.Duration(info.Last_data_sent) * time.Millisecond
}

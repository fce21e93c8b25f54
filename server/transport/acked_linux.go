package transport

import "golang.org/x/sys/unix"

// taken is how many bytes the client's system has acknowledged so far, or 0 where that cannot be known.
func (c *conn) taken() (n uint64) {
	if c.raw != nil {
		c.raw.Control(func(fd uintptr) { n = acked(int(fd)) })
	}
	return n
}

func acked(fd int) uint64 {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return info.Bytes_acked
}

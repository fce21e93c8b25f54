package load

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// connectionsOfSource is how many connections are opened from one address of this machine.
//
// Linux has 28,232 ports for an address, and finds a free one at once only while half of them are free: connecting to
// one server takes 30 µs up to the 14,116th connection, and 900 µs of CPU from then on.
const connectionsOfSource = 10_000

// spreadSources has a dialer that has so many connections to address open take the next one from 127.0.0.2,
// 127.0.0.3 and so on, where address is of this machine. The first come from 127.0.0.1, as those of any other client.
func spreadSources(dialer *net.Dialer, address string, open int) {
	to, err := netip.ParseAddrPort(address)
	source := open / connectionsOfSource
	if err != nil || !to.Addr().Is4() || !to.Addr().IsLoopback() || source == 0 {
		return
	}
	dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+source))}
	dialer.Control = portWhenConnecting
}

// portWhenConnecting leaves the choice of the port to connect, which may take one that is in use for another server.
func portWhenConnecting(_, _ string, socket syscall.RawConn) error {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	if err != nil {
		return err
	}
	return failed
}

package load

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// connectionsOfSource is the max number of connections from one local address.
//
// Linux has 28,232 ports per address, and finds a free one fast only while half of them are free. Connecting to one
// server takes 30 µs up to the 14,116th connection, and 900 µs of CPU from then on.
const connectionsOfSource = 10_000

// spreadSources sets the local address of a dialer that has that many connections to address open. If address is on
// this machine, further connections come from 127.0.0.2, 127.0.0.3 and so on. The first ones come from 127.0.0.1, like
// those of any other client.
func spreadSources(dialer *net.Dialer, address string, open int) {
	to, err := netip.ParseAddrPort(address)
	source := open / connectionsOfSource
	if err != nil || !to.Addr().Is4() || !to.Addr().IsLoopback() || source == 0 {
		return
	}
	dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+source))}
	dialer.Control = portWhenConnecting
}

// portWhenConnecting lets connect choose the port, which can then reuse one that is connected to another server.
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

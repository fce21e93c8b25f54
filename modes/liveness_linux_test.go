package modes_test

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"demo-server/modes"
	"demo-server/server"
)

// What only the kernel's sockets show of a connection's time and of its client's leaving.

// TestKeepAlive: every mode's connections have the keepalive that net gives its own, wherever the listener comes from: a
// client that vanished without a word is noticed.
func TestKeepAlive(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Mode) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		file, err := listener.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		inherited, err := net.FileListener(file) // as from systemd, or from the supervisor
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		own, err := server.Listen(t.Context(), "127.0.0.1:0", 0)
		if err != nil {
			t.Fatal(err)
		}
		for from, source := range map[string]*server.Source{"own": own, "inherited": server.NewSource(inherited)} {
			early := dialTCP(t, source) // which has what the listener has before the mode serves
			s := serve(t, mode, source, options{delay: atOnce, queue: 1})
			wantKeepAlive(t, from+" listener, early client", s, early)
			wantKeepAlive(t, from+" listener", s, dialTCP(t, source))
			s.ended(t)
			source.Close()
		}
	})
}

// wantKeepAlive checks the server's end of c, and closes it.
func wantKeepAlive(t *testing.T, what string, s *service, c *client) {
	t.Helper()
	until(t, "accepted", func() bool { return s.app.Connections() == 1 })
	for _, option := range []struct{ level, name, want int }{
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	} {
		if got := acceptedOption(t, c, option.level, option.name); got != option.want {
			t.Errorf("%s: option %d of level %d is %d, want %d", what, option.name, option.level, got, option.want)
		}
	}
	c.Close()
	until(t, "closed", func() bool { return s.app.Connections() == 0 })
}

// acceptedOption reads an option of the server's end of c, which is a descriptor of this process.
func acceptedOption(t *testing.T, c *client, level, name int) int {
	t.Helper()
	near := c.LocalAddr().(*net.TCPAddr)
	for fd := range 4096 {
		peer, err := unix.Getpeername(fd)
		if v4, ok := peer.(*unix.SockaddrInet4); err != nil || !ok || v4.Port != near.Port {
			continue
		}
		value, err := unix.GetsockoptInt(fd, level, name)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	t.Fatal("no descriptor of the accepted connection")
	return 0
}

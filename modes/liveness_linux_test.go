package modes_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"demo-server/internal/testkit"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/server/listener"
	"demo-server/work"
)

// This file tests properties of connections and disconnects that only the kernel's sockets show.

// together runs tests that mostly wait at the same time, more of them than there are cores.
func together(t *testing.T, tests map[string]func(*testing.T)) {
	var running sync.WaitGroup
	for name, test := range tests {
		running.Go(func() { t.Run(name, test) })
	}
	running.Wait()
}

// eachModeTogether is eachModeReal for tests that mostly wait.
func eachModeTogether(t *testing.T, workers int, test func(*testing.T, modes.Instance)) {
	tests := map[string]func(*testing.T){}
	for _, v := range variants(workers) {
		tests[v.label] = func(t *testing.T) { test(t, v.Instance) }
	}
	together(t, tests)
}

// TestPipelinedLeaver checks that the disconnect of a client that has filled the receive window is noticed, although
// its FIN cannot arrive.
func TestPipelinedLeaver(t *testing.T) {
	eachModeTogether(t, 1, func(t *testing.T, mode modes.Instance) {
		leaves := func(first string, delay time.Duration, want server.Outcome) func(*testing.T) {
			return func(t *testing.T) {
				if standsStill(mode) && delay > 0 {
					return
				}
				seen := &outcomes{}
				s, source := overTCP(t, mode, config{delay: delay, faults: asking, observers: []server.Observer{seen}})
				c := dialTCP(t, source)
				io.WriteString(c, first)
				testkit.Eventually(t, "it is in flight", func() bool { return s.app.InFlight() == 1 })
				c.fill()
				c.Close()
				testkit.Eventually(t, "its place and its connection are free", func() bool {
					return s.app.InFlight() == 0 && s.app.Connections() == 0 && seen.of(want) == 1
				})
			}
		}
		together(t, map[string]func(*testing.T){
			"works": leaves(hello, time.Minute, server.DisconnectedRunning),
			"hangs": leaves(ask("/?abort=hang"), atOnce, server.Injected),
		})
	})
}

// TestPipelinedLeaverFinish checks that with FinishOnDisconnect such a client's work continues, and that its connection
// closes afterwards.
func TestPipelinedLeaverFinish(t *testing.T) {
	eachModeTogether(t, 1, func(t *testing.T, mode modes.Instance) {
		if standsStill(mode) {
			return
		}
		counted := &counting{Work: work.NewSleep()}
		seen := &outcomes{}
		s, source := overTCP(t, mode, config{work: counted, delay: 4 * time.Second, finish: true, observers: []server.Observer{seen}})
		c := dialTCP(t, source)
		io.WriteString(c, hello)
		testkit.Eventually(t, "the job runs", func() bool { return s.app.InFlight() == 1 })
		c.fill()
		c.Close()
		testkit.Eventually(t, "the connection is closed", func() bool { return s.app.Connections() == 0 })
		if counted.done.Load() != 1 || seen.of(server.Wasted)+seen.of(server.DisconnectedQueued) == 0 {
			t.Errorf("work was done %d times, outcomes %v; want once, and wasted", counted.done.Load(), seen.counts)
		}
	})
}

// fill pipelines requests until the sockets are full, or more than they can hold was read.
func (c *client) fill() {
	requests := []byte(strings.Repeat(hello, 1000))
	for range 500 { // a loopback delivers at once: a send that takes this long waits for the reader
		c.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		if _, err := c.Write(requests); err != nil {
			return
		}
	}
}

// TestPipelinedAhead checks that many small requests after a long one are answered in order, although they are read
// during it.
func TestPipelinedAhead(t *testing.T) {
	const n = 900
	eachModeTogether(t, 1, func(t *testing.T, mode modes.Instance) {
		if !mode.Capabilities.KeepsAlive {
			return // answers one on each connection
		}
		_, source := overTCP(t, mode, config{queue: 1, faults: asking})
		var requests strings.Builder
		requests.WriteString(ask("/?delay=2500ms&size=0"))
		for i := 1; i < n; i++ {
			requests.WriteString(ask(fmt.Sprintf("/?delay=0s&size=%d", i)))
		}
		c := dialTCP(t, source).send(requests.String())
		for i := range n {
			if r := c.read("GET"); r == nil || r.StatusCode != http.StatusOK || len(r.body) != i {
				t.Fatalf("reply %d is %+v, want 200 with %d bytes", i, r, i)
			}
		}
	})
}

// TestKeepAlive checks that connections have the same keepalive options as those of package net, for every kind of
// listener, to notice a client that has vanished silently.
func TestKeepAlive(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		socket, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		file, err := socket.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		socket.Close()
		inherited, err := net.FileListener(file) // as from systemd, or from the supervisor
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		own, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
		if err != nil {
			t.Fatal(err)
		}
		for from, source := range map[string]*listener.Source{"own": own, "inherited": listener.NewSource(inherited)} {
			early := dialTCP(t, source) // accepted with the listener's options from before the mode
			s := serve(t, mode, source, config{delay: atOnce, queue: 1})
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
	testkit.Eventually(t, "accepted", func() bool { return s.app.Connections() == 1 })
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
	testkit.Eventually(t, "closed", func() bool { return s.app.Connections() == 0 })
}

// acceptedOption reads an option of the server's end of c, a descriptor of this process.
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

// TestSlowReader checks that a client that reads steadily gets all of its reply, even if little of it fits into
// write-timeout, and even if the connection then closes. One that stops reading is cut off.
func TestSlowReader(t *testing.T) {
	const size = 4 << 20
	long := strings.Repeat("x", size)
	impatient := func(l *server.Limits) { l.WriteTimeout, l.IdleTimeout = time.Second, time.Second }
	eachModeTogether(t, 2, func(t *testing.T, mode modes.Instance) {
		reads := func(request string, then func(*service)) func(*testing.T) {
			return func(t *testing.T) {
				s, source := overTCP(t, mode, config{delay: atOnce, body: long, limits: impatient})
				c := dialSmall(t, source)
				io.WriteString(c, request)
				testkit.Eventually(t, "it is in flight", func() bool { return s.app.InFlight() == 1 })
				then(s)
				c.reader.Reset(&slow{c.Conn})
				if r := c.read("GET"); r == nil || len(r.body) != size {
					t.Error("did not get all of the reply")
				}
			}
		}
		together(t, map[string]func(*testing.T){
			"kept":    reads(hello, func(*service) {}),
			"closes":  reads("GET / HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n", func(*service) {}),
			"drained": reads(hello, func(s *service) { s.stop() }),
			"stops": func(t *testing.T) {
				seen := &outcomes{}
				s, source := overTCP(t, mode, config{delay: atOnce, body: long, limits: impatient, observers: []server.Observer{seen}})
				c := dialSmall(t, source)
				io.WriteString(c, hello)
				io.CopyN(io.Discard, &slow{c.Conn}, 64<<10)
				testkit.Eventually(t, "it is given up", func() bool {
					return s.app.InFlight() == 0 && s.app.Connections() == 0 && seen.of(server.WriteFailed) == 1
				})
			},
		})
	})
}

// slow reads slowly.
type slow struct{ io.Reader }

func (s *slow) Read(p []byte) (int, error) {
	time.Sleep(10 * time.Millisecond)
	return s.Reader.Read(p[:min(len(p), 10<<10)])
}

// dialSmall connects a client with a small receive buffer.
func dialSmall(t *testing.T, source *listener.Source) *client {
	t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		return errors.Join(raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 16<<10)
		}), err)
	}}
	c, err := dialer.DialContext(t.Context(), "tcp", source.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, c)
}

// TestAccepting checks that each mode reports when it is open, and does not if it cannot open.
func TestAccepting(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		s, _ := overTCP(t, mode, config{})
		<-s.app.AcceptStarted()

		closed, err := listener.Listen(t.Context(), "127.0.0.1:0", 0)
		if err != nil {
			t.Fatal(err)
		}
		closed.Close()
		app := newApp(mode, config{})
		defer app.Close()
		if err := mode.Serve(t.Context(), closed, app); err == nil {
			t.Error("a closed socket is served without error")
		}
		select {
		case <-app.AcceptStarted():
			t.Error("a mode that cannot open reports that it accepts")
		default:
		}
	})
}

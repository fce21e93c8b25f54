package modes_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/internal/testkit"
	"demo-server/modes"
	"demo-server/server"
)

// This file tests attempts of a client to hold a connection, a place or the one thread for longer than the timeouts
// allow.

// TestBlankLines checks that blank lines before a request do not restart its timeout. fasthttp skips them, net/http
// does not.
func TestBlankLines(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, row := range []struct {
			name  string
			send  string
			every time.Duration
			after time.Duration
		}{
			{"header ends", strings.Repeat("\r\n\r\n", 20), 4 * time.Second, 5 * time.Second},
			{"line feeds", strings.Repeat("\n\n\n\n", 20), 4 * time.Second, 5 * time.Second},
			{"and then a slow header", "\r\n\r\n" + strings.Repeat("GET ", 20), 2 * time.Second, 7 * time.Second},
		} {
			s, m := inMemory(t, mode, config{delay: atOnce})
			c := m.dial(t)
			go io.Copy(io.Discard, c)
			go func() {
				for i := 0; i < len(row.send); i += 4 {
					if _, err := io.WriteString(c, row.send[i:i+4]); err != nil {
						return
					}
					time.Sleep(row.every)
				}
			}()
			time.Sleep(row.after + 2*time.Second) // for the sweeper's next round, and for lingering
			if s.app.Connections() != 0 {
				t.Errorf("%s: the connection is open after %v", row.name, row.after)
			}
			c.Close()
			time.Sleep(row.every)
		}
	})
}

// TestDeaf checks that writes to a client that reads nothing end after write-timeout: our replies, net/http's own
// errors, and 100 Continue.
func TestDeaf(t *testing.T) {
	const start = "GET / HTTP/1.1\r\nHost: demo\r\n"
	long := strings.Repeat("x", 100_000)
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for name, send := range map[string]string{
			"100 Continue": start + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
			"a fault":      start + "X : y\r\n\r\n",
			"a version":    "GET / HTTP/3.0\r\n\r\n",
			"a long reply": start + "\r\n",
		} {
			s, m := inMemory(t, mode, config{delay: atOnce, body: long})
			m.dial(t).send(send)
			time.Sleep(12 * time.Second)
			if s.app.Connections() != 0 || s.app.InFlight() != 0 {
				t.Errorf("%s: %d connections, %d in flight after write-timeout", name, s.app.Connections(), s.app.InFlight())
			}
			s.ended(t) // net/http closes such a connection twice, which must not count twice
		}
	})
}

// TestPlaceEndsWithWork checks that a place is only held by work. A client that does not read its reply, reads a slow
// drip, or gets no reply at all holds a connection and no place.
func TestPlaceEndsWithWork(t *testing.T) {
	mostly := map[string]string{
		"does not read": ask("/?size=100000&delay=1s"), "drips": ask("/?drip=5&delay=5s"), "hangs": ask("/?abort=hang&delay=1s"),
	}
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		switch mode.Limit.Overflow {
		case modes.Refuse:
			mode = named(mode.Name, modes.Options{MaxThreads: 1})
		case modes.Queue:
		default:
			return // has no places
		}
		for name, request := range mostly {
			s, m := inMemory(t, mode, config{faults: asking})
			for range 3 {
				m.dial(t).send(request)
				time.Sleep(2 * time.Second) // its work has ended, and its reply has not
			}
			if s.app.InFlight() != 3 {
				t.Errorf("%s: %d in flight, want 3 whose replies are not out", name, s.app.InFlight())
			}
			m.dial(t).get(http.StatusOK)
			s.stop()
			s.app.ExpireDrain()
		}
	})
}

// TestHangEnds checks that a hanging reply ends after max-delay, which limits how long a request can hold a connection.
func TestHangEnds(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		seen := &outcomes{}
		s, m := inMemory(t, mode, config{faults: asking, delay: atOnce, observers: []server.Observer{seen}})
		began := time.Now()
		hangs := m.dial(t).send(ask("/?abort=hang"))
		got, err := io.ReadAll(hangs)
		if took := time.Since(began); len(got) > 0 || err != nil || took != asking.Caps.MaxDelay {
			t.Errorf("%q, %v after %v, want nothing, and a close after %v", got, err, took, asking.Caps.MaxDelay)
		}
		synctest.Wait()
		if s.app.InFlight() != 0 || seen.of(server.Injected) != 1 {
			t.Errorf("%d in flight, counted %v, want one %s", s.app.InFlight(), seen.counts, server.Injected)
		}
	})
}

// TestGoneWhileWriting checks that a client that resets its connection during a long reply frees its slot once.
func TestGoneWhileWriting(t *testing.T) {
	long := strings.Repeat("x", 8<<20)
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		s, source := overTCP(t, mode, config{
			delay: atOnce, body: long, queue: 9, limits: func(l *server.Limits) { l.MaxConnections = 1 },
		})
		for range 3 {
			c := dialTCP(t, source).send(hello)
			c.reader.ReadByte()
			c.Conn.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
		if r := dialTCP(t, source).get(http.StatusOK); len(r.body) != len(long) {
			t.Errorf("got %d bytes, want %d", len(r.body), len(long))
		}
		s.ended(t)
		if s.app.Connections() != 0 || s.app.InFlight() != 0 {
			t.Errorf("%d connections, %d in flight afterwards", s.app.Connections(), s.app.InFlight())
		}
	})
}

// TestPipelinedInTime checks that a reply does not wait for the requests after it.
func TestPipelinedInTime(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		if !mode.Capabilities.KeepsAlive {
			return // answers the first and closes
		}
		for name, behind := range map[string]string{
			"whole": hello, "byte": "G", "body to come": "GET / HTTP/1.1\r\nHost: demo\r\nContent-Length: 5\r\n\r\n",
		} {
			_, m := inMemory(t, mode, config{queue: 1})
			before := time.Now()
			c := m.dial(t).send(hello + behind)
			r := c.read("GET")
			if took := time.Since(before); r == nil || r.StatusCode != http.StatusOK || took != testDelay {
				t.Errorf("%s: first reply %+v after %v, want 200 after %v", name, r, took, testDelay)
			}
		}
	})
}

// TestFaultOfLeaver checks that a faulty request is counted and answered as such, even if its client has stopped
// sending.
func TestFaultOfLeaver(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		seen := &outcomes{}
		_, source := overTCP(t, mode, config{delay: atOnce, observers: []server.Observer{seen}})
		for range 20 {
			c := dialTCP(t, source)
			io.WriteString(c, "GET /nowhere HTTP/1.0\r\n\r\n")
			c.Conn.(interface{ CloseWrite() error }).CloseWrite()
			if r := c.read("GET"); r == nil || r.StatusCode != http.StatusNotFound {
				t.Fatalf("reply %+v, want 404", r)
			}
		}
	})
}

// TestHalfClose checks a client that closes its sending side after its request. It gets the reply if that is
// configured, or if there is nothing to wait for. Otherwise it counts as disconnected, because a client that closes its
// connection sends the same FIN.
func TestHalfClose(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, row := range []struct {
			halfClose bool
			target    string
			status    int
		}{
			{true, "/?delay=100ms", 200}, {true, "/?delay=0s", 200}, {false, "/?delay=0s", 200}, {false, "/?delay=30s", server.StatusDisconnected},
		} {
			if row.status == server.StatusDisconnected && standsStill(mode) {
				continue
			}
			_, source := overTCP(t, mode, config{faults: asking, halfClose: row.halfClose, queue: 1})
			for range 5 {
				c := dialTCP(t, source)
				io.WriteString(c, ask(row.target))
				c.Conn.(*net.TCPConn).CloseWrite()
				if r := c.read("GET"); r == nil || r.StatusCode != row.status {
					t.Errorf("half-close %v, %s: %+v, want %d", row.halfClose, row.target, r, row.status)
				}
				if !c.closed() {
					t.Errorf("half-close %v, %s: the connection is open", row.halfClose, row.target)
				}
			}
		}
	})
}

// TestHalfCloseLater checks the same for a connection's later requests, whatever the earlier ones waited for.
func TestHalfCloseLater(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		if !mode.Capabilities.KeepsAlive {
			return // keeps no connection
		}
		_, source := overTCP(t, mode, config{faults: asking, queue: 1})
		for range 50 {
			c := dialTCP(t, source)
			io.WriteString(c, ask("/?delay=1ms"))
			if r := c.read("GET"); r == nil || r.StatusCode != 200 {
				t.Fatalf("%+v, want 200", r)
			}
			io.WriteString(c, ask("/?delay=0s"))
			c.Conn.(*net.TCPConn).CloseWrite()
			if r := c.read("GET"); r == nil || r.StatusCode != 200 {
				t.Fatalf("the second request: %+v, want 200", r)
			}
		}
	})
}

// TestHalfCloseReset checks that a reset always counts as a disconnect, and so does a FIN during a reply that never
// comes.
func TestHalfCloseReset(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		if standsStill(mode) {
			return
		}
		s, source := overTCP(t, mode, config{faults: asking, halfClose: true, queue: 1})
		resets := dialTCP(t, source).send(ask("/?delay=60s"))
		testkit.Eventually(t, "it works", func() bool { return s.app.InFlight() == 1 })
		resets.Conn.(*net.TCPConn).SetLinger(0)
		resets.Close()
		testkit.Eventually(t, "the reset ends it", func() bool { return s.app.InFlight() == 0 })

		hangs := dialTCP(t, source).send(ask("/?abort=hang&delay=0s"))
		testkit.Eventually(t, "it hangs", func() bool { return s.app.InFlight() == 1 })
		hangs.Conn.(*net.TCPConn).CloseWrite()
		testkit.Eventually(t, "the FIN ends it", func() bool { return s.app.InFlight() == 0 })
	})
}

// TestChurnAtLimit checks that clients that come and go at max-connections are all served.
func TestChurnAtLimit(t *testing.T) {
	eachModeReal(t, 2, func(t *testing.T, mode modes.Instance) {
		_, source := overTCP(t, mode, config{delay: atOnce, queue: 100, limits: func(l *server.Limits) { l.MaxConnections = 2 }})
		failed := make(chan string, 20)
		for range 20 {
			go func() {
				for range 30 {
					c := dialTCP(t, source)
					c.send("GET / HTTP/1.0\r\n\r\n")
					if r := c.read("GET"); r == nil || r.StatusCode != http.StatusOK {
						failed <- "no 200"
						return
					}
					c.Close()
				}
				failed <- ""
			}()
		}
		for range 20 {
			if why := <-failed; why != "" {
				t.Error(why)
			}
		}
	})
}

// TestSlowRequest checks that a client that sends a little now and then has read-request-timeout for its whole request,
// and then gets 408. The time starts with the accept, or with the first byte of a further request.
func TestSlowRequest(t *testing.T) {
	const post = "POST /delay/0 HTTP/1.1\r\n" + host
	const timeout = 30 * time.Second
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, row := range []struct {
			name    string
			first   string // if not empty, it is answered with 200
			silence time.Duration
			send    string
			dribble string // repeatedly
			after   time.Duration
		}{
			{"body", "", 0, post + "Content-Length: 1000\r\n\r\n", "x", timeout},
			{"body after a silence", "", 3 * time.Second, post + "Content-Length: 1000\r\n\r\n", "x", timeout - 3*time.Second},
			{"chunks", "", 0, post + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", timeout},
			{"trailer", "", 0, post + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n", timeout},
			{"half a trailer field", "", 0, post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", "y", timeout},
			{"body after 100 Continue", "", 0, post + "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n", "x", timeout},
			{"body of a further request", hello, 3 * time.Second, post + "Content-Length: 1000\r\n\r\n", "x", timeout},
			{"body of a pipelined request", hello + post + "Content-Length: 1000\r\n\r\n", 0, "", "x", timeout},
		} {
			if row.first != "" && !mode.Capabilities.KeepsAlive {
				continue // keeps no connection
			}
			_, m := inMemory(t, mode, config{delay: atOnce, queue: 1, faults: asking})
			c := m.dial(t)
			if row.first != "" {
				c.send(row.first)
				if r := c.read("POST"); r == nil || r.StatusCode != http.StatusOK {
					t.Fatalf("%s: first reply %+v, want 200", row.name, r)
				}
			}
			time.Sleep(row.silence)
			before := time.Now()
			go c.dribble(row.send, row.dribble, 800*time.Millisecond)
			r := c.read("POST")
			if r != nil && r.StatusCode == http.StatusContinue {
				r = c.read("POST")
			}
			if took := time.Since(before); took < row.after || took > row.after+time.Second {
				t.Errorf("%s: ended after %v, want %v", row.name, took, row.after)
			}
			if r == nil || r.StatusCode != http.StatusRequestTimeout || !c.closed() {
				t.Errorf("%s: %+v, want 408 and closed", row.name, r)
			}
			c.Close()
			time.Sleep(time.Second) // until the dribbling client notices
		}
	})
}

// dribble writes send, and then dribble repeatedly until that fails.
func (c *client) dribble(send, dribble string, every time.Duration) {
	var err error
	if send != "" { // an empty write is an event in memory, but not on a socket
		_, err = io.WriteString(c.Conn, send)
	}
	for err == nil {
		time.Sleep(every)
		_, err = io.WriteString(c.Conn, dribble)
	}
}

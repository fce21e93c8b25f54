package modes_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/modes"
	"demo-server/server"
)

// What a client may try in order to hold a connection, a place or the one thread for longer than the timeouts say.

// TestBlankLines: lines in front of a request do not start its timeout anew. fasthttp skips them, net/http does not.
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
			time.Sleep(row.after + 2*time.Second) // for the sweeper's next look, and for lingering
			if s.app.Connections() != 0 {
				t.Errorf("%s: the connection is open after %v", row.name, row.after)
			}
			c.Close()
			time.Sleep(row.every)
		}
	})
}

// TestDeaf: what is written to a client that reads nothing is given up after write-timeout, whoever writes it: the
// replies of this project, those of net/http to what it cannot parse, and 100 Continue.
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

// TestPlaceEndsWithWork: a place stands for what runs the work. A client that does not read its reply, reads it slowly as
// it drips, or asked for one that never comes, holds a connection and no place.
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
				time.Sleep(2 * time.Second) // its work is over, and its reply is not
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

// TestHangEnds: a reply that hangs ends after max-delay: there is a bound to how long a request may ask for a connection.
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

// TestGoneWhileWriting: a client that resets its connection while a long reply is written to it frees its slot once.
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

// TestPipelinedInTime: a reply does not wait for the requests behind it.
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

// TestFaultOfLeaver: a request at fault is counted and answered as such, also when its client has stopped sending.
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

// TestHalfClose: a client that closes its sending side after its request gets the reply if that is so set, and always if
// there is nothing to wait for. Otherwise it counts as having left, which a client that has closed sends the same FIN for.
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

// TestHalfCloseLater: it is the same for a connection's later requests, whatever those before them waited for.
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

// TestHalfCloseReset: a reset is leaving in any case, and so is a FIN behind a reply that never comes.
func TestHalfCloseReset(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		if standsStill(mode) {
			return
		}
		s, source := overTCP(t, mode, config{faults: asking, halfClose: true, queue: 1})
		resets := dialTCP(t, source).send(ask("/?delay=60s"))
		until(t, "it works", func() bool { return s.app.InFlight() == 1 })
		resets.Conn.(*net.TCPConn).SetLinger(0)
		resets.Close()
		until(t, "the reset ends it", func() bool { return s.app.InFlight() == 0 })

		hangs := dialTCP(t, source).send(ask("/?abort=hang&delay=0s"))
		until(t, "it hangs", func() bool { return s.app.InFlight() == 1 })
		hangs.Conn.(*net.TCPConn).CloseWrite()
		until(t, "the FIN ends it", func() bool { return s.app.InFlight() == 0 })
	})
}

// TestChurnAtLimit: at max-connections, clients that come and go are all served.
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

// TestSlowRequest: a client that sends a little now and then has read-request-timeout for all of its request, and then
// gets 408. The time runs from the accept, or from the first byte of a further request.
func TestSlowRequest(t *testing.T) {
	const post = "POST /delay/0 HTTP/1.1\r\n" + host
	const timeout = 30 * time.Second
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, row := range []struct {
			name    string
			first   string // answered with 200, if it is not empty
			silence time.Duration
			send    string
			dribble string // again and again
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
			time.Sleep(time.Second) // for who dribbles to see it
		}
	})
}

// dribble writes send, and then dribble again and again until that fails.
func (c *client) dribble(send, dribble string, every time.Duration) {
	var err error
	if send != "" { // to write nothing is no event on a socket, but one in memory
		_, err = io.WriteString(c.Conn, send)
	}
	for err == nil {
		time.Sleep(every)
		_, err = io.WriteString(c.Conn, dribble)
	}
}

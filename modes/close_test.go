package modes_test

import (
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/modes"
	"demo-server/server"
)

// A closes counts the causes of closed connections.
type closes struct {
	mu     sync.Mutex
	causes []server.CloseCause
}

func (*closes) Observe(*server.Sample) {}

func (c *closes) ObserveClose(cause server.CloseCause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.causes = append(c.causes, cause)
}

// are reports whether these are the causes so far.
func (c *closes) are(want ...server.CloseCause) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.causes) != len(want) {
		return false
	}
	for i, cause := range c.causes {
		if cause != want[i] {
			return false
		}
	}
	return true
}

// TestCloseCauses checks that each connection is counted once, with the right cause.
func TestCloseCauses(t *testing.T) {
	const request = "GET / HTTP/1.1\r\n" + host
	kept := func(mode modes.Instance) bool { return mode.Capabilities.KeepsAlive }
	leaves := func(c *client, _ *service) { c.Close() }
	stays := func(*client, *service) {}
	for _, row := range []struct {
		name  string
		send  string
		then  func(*client, *service) // after a reply, if there is one
		want  server.CloseCause       // if the last request was not answered
		reads bool
		kept  bool // if the mode keeps connections
	}{
		{"closes on request", request + "Connection: close\r\n\r\n", stays, server.CloseReplied, true, false},
		{"bad request", request + "X : y\r\n\r\n", stays, server.CloseReplied, true, false},
		{"leaves", "", leaves, server.CloseDisconnect, false, false},
		{"leaves in its headers", request, leaves, server.CloseDisconnect, false, false},
		{"leaves after a reply", hello, leaves, server.CloseDisconnect, true, true},
		{"silent", "", stays, server.CloseHeaderTimeout, true, false},
		{"half its headers", request, stays, server.CloseHeaderTimeout, true, false},
		{"half its body", request + "Content-Length: 5\r\n\r\nx", stays, server.CloseReadTimeout, true, false},
		{"idle", hello, stays, server.CloseIdleTimeout, true, true},
		{"deaf", hello, stays, server.CloseWriteTimeout, false, false},
		{"silent at the end", "", func(_ *client, s *service) { s.stop() }, server.CloseDrain, false, false},
		{"idle at the end", hello, func(_ *client, s *service) { s.stop() }, server.CloseDrain, true, true},
		{"abort=close", ask("/?abort=close"), stays, server.CloseAbort, true, false},
		{"abort=reset", ask("/?abort=reset"), stays, server.CloseAbort, true, false},
		{"abort=hang", ask("/?abort=hang"), func(_ *client, s *service) { time.Sleep(time.Second); s.stop(); s.app.ExpireDrain() }, server.CloseAbort, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
				if row.kept && !kept(mode) {
					return
				}
				seen := &closes{}
				long := strings.Repeat("x", 100_000)
				s, m := inMemory(t, mode, config{delay: atOnce, body: long, queue: 1, faults: asking, observers: []server.Observer{seen}})
				c := m.dial(t)
				if row.send != "" {
					c.send(row.send)
				}
				want := row.want
				synctest.Wait()
				if row.reads && c.read("GET") != nil && !row.kept {
					want = server.CloseReplied
				}
				row.then(c, s)
				if row.reads {
					go io.Copy(io.Discard, c.reader)
				}
				time.Sleep(2 * time.Minute)
				if s.app.Connections() != 0 || !seen.are(want) {
					t.Errorf("%d connections open, causes %v; want one that has closed, %v", s.app.Connections(), seen.causes, want)
				}
			})
		})
	}
}

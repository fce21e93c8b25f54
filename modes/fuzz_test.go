package modes_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/internal/testkit"
	"demo-server/modes"
	"demo-server/server"
)

// fuzzEnd is when a connection must have ended after its client has sent everything: twice the longest of the timeouts
// below, plus lingering.
const fuzzEnd = 8 * time.Second

func fuzzLimits(l *server.Limits) {
	l.ReadHeaderTimeout, l.ReadTimeout, l.WriteTimeout, l.IdleTimeout = time.Second, 2*time.Second, 2*time.Second, 3*time.Second
}

// FuzzRequest sends bytes to every mode. The server must not hang or panic. It must not answer more requests than the
// bytes can contain, and must end the connection by itself, whether the client stays or disconnects.
func FuzzRequest(f *testing.F) {
	for _, row := range httpRows {
		f.Add([]byte(row.send), false)
		f.Add([]byte(row.send), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, leaves bool) {
		for _, v := range variants(1) {
			synctest.Test(t, func(t *testing.T) { fuzzMode(t, v.Instance, raw, leaves) })
		}
	})
}

func fuzzMode(t *testing.T, mode modes.Instance, raw []byte, leaves bool) {
	s, m := inMemory(t, mode, config{delay: atOnce, queue: 1, limits: fuzzLimits})
	c := m.dial(t)
	replies := make(chan []byte, 1)
	go func() {
		all, _ := io.ReadAll(c.Conn)
		replies <- all
	}()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		c.Write(raw)
		if leaves {
			c.Close()
		}
	}()
	time.Sleep(fuzzEnd)
	if s.app.Connections() != 0 || s.app.InFlight() != 0 || s.app.Queued() != 0 {
		t.Errorf("%s: %d connections, %d in flight, %d queued", mode.Name, s.app.Connections(), s.app.InFlight(), s.app.Queued())
	}
	c.Close()
	<-sent
	checkReplies(t, mode, raw, <-replies)
}

var statusLine = regexp.MustCompile(`HTTP/1\.[01] ([0-9]{3}) `)

// checkReplies compares the number of replies with the number of possible requests. A request ends in a blank line, and
// names its method and version. Anything else gets at most one reply, the last.
func checkReplies(t *testing.T, mode modes.Instance, raw, replies []byte) {
	count := map[string]int{}
	final := 0
	for _, line := range statusLine.FindAllSubmatch(replies, -1) {
		count[string(line[1])]++
		if line[1][0] != '1' {
			final++
		}
	}
	ends := bytes.Count(raw, []byte("\n\r\n")) + bytes.Count(raw, []byte("\n\n"))
	if limit := min(ends, bytes.Count(raw, []byte("HTTP/"))) + 1; final > limit {
		t.Errorf("%s: %d replies to at most %d requests", mode.Name, final, limit)
	}
	if limit := bytes.Count(raw, []byte("GET ")) + bytes.Count(raw, []byte("HEAD ")); count["200"] > limit {
		t.Errorf("%s: %d times 200 to at most %d times GET or HEAD", mode.Name, count["200"], limit)
	}
	if !mode.Capabilities.KeepsAlive && final > 1 {
		t.Errorf("%s: %d replies on one connection", mode.Name, final)
	}
	if at := statusLine.FindIndex(replies); len(replies) > 0 && (at == nil || at[0] != 0) {
		t.Errorf("%s: begins with %.20q", mode.Name, replies)
	}
}

// FuzzEventLoop sends bytes to eventloop in arbitrary pieces, and to fasthttp, whose parser it shares, in one. They
// must answer and refuse the same requests, in order, and then both keep or both close the connection.
func FuzzEventLoop(f *testing.F) {
	for i, row := range httpRows {
		f.Add([]byte(row.send), uint64(0))
		f.Add([]byte(row.send), uint64(i))
		f.Add([]byte(row.send), ^uint64(0))
	}
	options := modes.Options{Loops: 1}
	f.Fuzz(func(t *testing.T, raw []byte, cuts uint64) {
		var want, got string
		synctest.Test(t, func(t *testing.T) { want = verdictOf(t, named("fasthttp", options), [][]byte{raw}) })
		synctest.Test(t, func(t *testing.T) { got = verdictOf(t, named("eventloop", options), cut(raw, cuts)) })
		if !agree(got, want) {
			t.Errorf("eventloop answers %s, want %s as fasthttp does", got, want)
		}
	})
}

// FuzzFraming sends requests of the grammar to all parsers. They must see the same requests, in the same order, and
// refuse the same one.
func FuzzFraming(f *testing.F) {
	for i := range 40 {
		f.Add(fuzzChoices(i), uint64(i))
	}
	options := modes.Options{Loops: 1}
	f.Fuzz(func(t *testing.T, choices []byte, cuts uint64) {
		raw := build(choices)
		want := ""
		for _, name := range []string{"goroutine", "fasthttp", "eventloop", "single"} {
			got := ""
			synctest.Test(t, func(t *testing.T) { got = verdictOf(t, named(name, options), cut(raw, cuts)) })
			if want == "" {
				want = got
			}
			if name == "single" {
				want = firstVerdict(want)
			}
			if !agree(got, want) {
				t.Errorf("%s answers %s, want %s as goroutine does, to %.500q", name, got, want, raw)
			}
		}
	})
}

// FuzzSockets sends bytes to eventloop over the kernel's sockets, because the poller for connections in memory may be
// more forgiving than epoll. The client ends its side after them, so the server has to close the connection at once.
func FuzzSockets(f *testing.F) {
	for i, row := range httpRows {
		f.Add([]byte(row.send), false, uint64(i))
		f.Add(fuzzChoices(i), true, uint64(i))
	}
	mode := named("eventloop", modes.Options{Loops: 1})
	s, source := overTCP(f, mode, config{delay: atOnce})
	f.Fuzz(func(t *testing.T, data []byte, built bool, cuts uint64) {
		raw := data
		if built {
			raw = build(data)
		}
		c := dialTCP(t, source)
		defer c.Close()
		c.SetDeadline(time.Now().Add(testkit.Patience))
		var sending sync.WaitGroup
		sending.Go(func() {
			for _, piece := range cut(raw, cuts) {
				c.Write(piece) // fails if the server has refused the previous ones
			}
			c.Conn.(*net.TCPConn).CloseWrite()
		})
		replies, err := io.ReadAll(c.Conn)
		sending.Wait()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("still open: %q", replies)
		}
		checkReplies(t, mode, raw, replies)
		testkit.Eventually(t, "no connection", func() bool { return s.app.Connections() == 0 && s.app.InFlight() == 0 })
	})
}

// fuzzChoices returns choices for the grammar to start with.
func fuzzChoices(i int) []byte { return bytes.Repeat([]byte{byte(i), byte(7 * i), byte(31 * i)}, 8) }

// firstVerdict returns the verdict of a mode that answers one request on each connection.
func firstVerdict(verdict string) string {
	words := strings.Fields(verdict)
	for i, word := range words {
		if word != "100" && word != "open" && word != "closed" {
			return strings.Join(words[:i+1], " ") + " closed"
		}
	}
	return verdict
}

// verdictOf returns the result of a client that sends these pieces.
func verdictOf(t *testing.T, mode modes.Instance, pieces [][]byte) string {
	_, m := inMemory(t, mode, config{delay: atOnce})
	c := m.dial(t)
	var sending sync.WaitGroup
	sending.Go(func() {
		for _, piece := range pieces {
			if _, err := c.Write(piece); err != nil {
				return
			}
			synctest.Wait() // until the loop has read the piece
		}
	})
	defer sending.Wait()
	defer c.Close()
	return c.conversation()
}

// FuzzQuery sends a query to every mode. Status, length and time of the reply must be the same.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"delay=300ms&status=503:10,429:5", "delay=lognormal(2s,0.3)", "delay=uniform(1s,3s)", "delay=100ms:90,2s:10", "size=64KiB&drip=5",
		"abort=reset:50,close:50", "abort=reset:7,close:50", "abort=hang", "work=sleep&retry_after=3", "dealy=1s", "delay=%32s", "status=204&drip=3", "_=1&&",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		// The parsers refuse bytes that cannot be in a query, each in its own way.
		if len(query) > 1000 || strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
			return
		}
		want := ""
		for _, v := range variants(1) {
			got := ""
			synctest.Test(t, func(t *testing.T) { got = answer(t, v.Instance, query) })
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%s: %s, want %s", v.label, got, want)
			}
		}
	})
}

// answer returns a mode's reply to a query.
func answer(t *testing.T, mode modes.Instance, query string) string {
	_, m := inMemory(t, mode, config{faults: asking})
	c := m.dial(t)
	c.SetReadDeadline(time.Now().Add(2 * asking.Caps.MaxDelay))
	began := time.Now()
	if r := c.send(ask("/?" + query)).read("GET"); r != nil {
		return fmt.Sprintf("%d, %d bytes, retry %q, after %s", r.StatusCode, len(r.body), r.Header.Get("Retry-After"), time.Since(began))
	}
	// There is no FIN in memory: a server that reads on before closing is seen to close later, and that must not count.
	return fmt.Sprintf("no reply after %s", time.Since(began).Truncate(time.Second))
}

// cut cuts raw after each byte whose bit in cuts is set. The bits of cuts repeat.
func cut(raw []byte, cuts uint64) (pieces [][]byte) {
	from := 0
	for i := range raw {
		if cuts>>(i%64)&1 == 1 {
			pieces = append(pieces, raw[from:i+1])
			from = i + 1
		}
	}
	if from < len(raw) {
		pieces = append(pieces, raw[from:])
	}
	return pieces
}

// agree reports whether two parsers answer and refuse the same requests. If a request has several faults, each parser
// may report another one.
func agree(a, b string) bool {
	a, b = refusals.ReplaceAllString(a, "refused"), refusals.ReplaceAllString(b, "refused")
	return a == b || sooner(a, b) || sooner(b, a)
}

// sooner reports whether a is b, except that a refuses a request whose end b still waits for. A parser may refuse a
// head before it is complete.
func sooner(a, b string) bool {
	answered, waits := strings.CutSuffix(b, "open")
	return waits && a == answered+"refused closed"
}

// refusals matches the statuses of requests without valid framing or syntax.
var refusals = regexp.MustCompile("400|413|417|431|501|505")

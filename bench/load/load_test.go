package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// fasthttp's client checks for idle connections every 10 s, and only then notices that there are none.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
}

// patience limits the wait for replies that come soon on an idle machine.
const patience = 20 * time.Second

// serve calls answer with the number of each request, counted from 0 over all connections. answer writes the reply and
// reports whether to keep the connection. If answer is nil, the listener accepts no connection.
func serve(t *testing.T, answer func(n int, conn net.Conn) (keep bool)) (address string, connections *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int64)
	var requests atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		var all []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				for _, conn := range all {
					conn.Close()
				}
				return
			}
			all = append(all, conn)
			connections.Add(1)
			go func() {
				defer conn.Close()
				input := bufio.NewReader(conn)
				for {
					if request, err := http.ReadRequest(input); err != nil || request.Body.Close() != nil {
						return
					}
					if !answer(int(requests.Add(1)-1), conn) {
						return
					}
				}
			}()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener.Addr().String(), connections
}

func reply(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

func say(conn net.Conn, text string) bool {
	_, err := io.WriteString(conn, text)
	return err == nil
}

func reset(conn net.Conn) bool {
	conn.(*net.TCPConn).SetLinger(0)
	return false
}

// TestClasses checks that every failure of a server is counted once and in its class, and that nothing is sent again.
func TestClasses(t *testing.T) {
	hello := reply(200, "hello")
	cases := []struct {
		name   string
		answer func(n int, conn net.Conn) bool
		want   map[Class]int
	}{
		{"right", func(_ int, conn net.Conn) bool { return say(conn, hello) }, map[Class]int{Answered: 8}},
		{"no body", func(_ int, conn net.Conn) bool { return say(conn, "HTTP/1.1 204 X\r\n\r\n") }, map[Class]int{Body: 8}},
		{"wrong body", func(n int, conn net.Conn) bool {
			return say(conn, []string{hello, reply(200, "hullo")}[n%2])
		}, map[Class]int{Answered: 4, Body: 4}},
		{"refused", func(n int, conn net.Conn) bool {
			return say(conn, []string{hello, reply(503, "full"), reply(429, "slow down"), hello}[n%4])
		}, map[Class]int{Answered: 4, Refused: 4}},
		{"other status", func(n int, conn net.Conn) bool {
			return say(conn, []string{reply(500, "hello"), reply(404, "hello"), reply(302, "hello"), hello}[n%4])
		}, map[Class]int{Answered: 2, Status: 6}},
		{"closes before the reply", func(n int, conn net.Conn) bool { return n%2 == 0 && say(conn, hello) },
			map[Class]int{Answered: 4, Broken: 4}},
		{"resets before the reply", func(n int, conn net.Conn) bool {
			if n%2 == 0 {
				return say(conn, hello)
			}
			return reset(conn)
		}, map[Class]int{Answered: 4, Broken: 4}},
		{"closes in the body", func(_ int, conn net.Conn) bool {
			say(conn, "HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nhel")
			return false
		}, map[Class]int{Broken: 8}},
		{"speaks no HTTP", func(_ int, conn net.Conn) bool {
			say(conn, "SSH-2.0-OpenSSH_9.2\r\n\r\n")
			return false
		}, map[Class]int{Broken: 8}},
		{"stalls", func(n int, conn net.Conn) bool {
			return n%4 == 3 || say(conn, hello)
		}, map[Class]int{Answered: 6, Timeout: 2}},
		{"closes kept connections", func(_ int, conn net.Conn) bool {
			say(conn, "HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
			return false
		}, map[Class]int{Answered: 8}},
	}
	for _, c := range cases {
		for _, keepalive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/keepalive=%t", c.name, keepalive), func(t *testing.T) {
				var served atomic.Int64
				address, _ := serve(t, func(n int, conn net.Conn) bool {
					served.Add(1)
					return c.answer(n, conn)
				})
				config := Config{
					Address: address, Path: "/", Body: []byte("hello"), Clients: 1, Requests: 8, Keepalive: keepalive, Timeout: patience,
				}
				if c.want[Timeout] > 0 {
					config.Timeout = time.Second
				}
				g := New(config)
				requests, _ := g.Run(context.Background())
				checkCounts(t, requests, c.want)
				if served.Load() != 8 {
					t.Errorf("the server saw %d requests, want 8: none sent again", served.Load())
				}
				if g.Answered() != c.want[Answered] || g.Busy() != 0 {
					t.Errorf("Answered %d, Busy %d, want %d and 0", g.Answered(), g.Busy(), c.want[Answered])
				}
			})
		}
	}
}

// endless sends the same bytes until the client disconnects.
func endless(conn net.Conn, head, again string) bool {
	say(conn, head)
	for bytes := []byte(again); ; { // allocated once: the server's allocations count too
		if _, err := conn.Write(bytes); err != nil {
			return false
		}
	}
}

// TestEndlessReply checks that an endless reply counts as broken when it exceeds maxReply, that its connection is
// closed, and that no part of it is kept.
func TestEndlessReply(t *testing.T) {
	block := strings.Repeat("x", 1<<16)
	for name, answer := range map[string]func(net.Conn) bool{
		"chunked": func(conn net.Conn) bool {
			return endless(conn, "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n"+block+"\r\n")
		},
		"until the connection ends": func(conn net.Conn) bool { return endless(conn, "HTTP/1.1 200 X\r\n\r\n", block) },
		"with a length": func(conn net.Conn) bool {
			return endless(conn, "HTTP/1.1 200 X\r\nContent-Length: 1000000000000\r\n\r\n", block)
		},
		"of another status": func(conn net.Conn) bool {
			return endless(conn, "HTTP/1.1 500 X\r\nContent-Length: 1000000000000\r\n\r\n", block)
		},
		"headers":         func(conn net.Conn) bool { return endless(conn, "HTTP/1.1 200 X\r\n", "X: "+block[:1000]+"\r\n") },
		"one header":      func(conn net.Conn) bool { return endless(conn, "HTTP/1.1 200 X\r\nX: ", block) },
		"interim replies": func(conn net.Conn) bool { return endless(conn, "", "HTTP/1.1 100 X\r\n\r\n") },
		"trailers": func(conn net.Conn) bool {
			return endless(conn, "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: "+block[:1000]+"\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := serve(t, func(_ int, conn net.Conn) bool { return answer(conn) })
			g := New(Config{Address: address, Path: "/", Clients: 2, Requests: 4, Keepalive: true, Timeout: time.Minute})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			requests, _ := g.Run(context.Background())
			runtime.ReadMemStats(&after)
			checkCounts(t, requests, map[Class]int{Broken: 4})
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 16<<20 {
				t.Errorf("%d MiB were allocated for 4 replies, want a few", allocated>>20)
			}
		})
	}
}

// TestTrickle checks that a slow, endless reply hits the same timeout as a missing one.
func TestTrickle(t *testing.T) {
	for name, c := range map[string]struct{ head, again string }{
		"body":      {"HTTP/1.1 200 X\r\n\r\n", "x"},
		"chunks":    {"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
		"extension": {"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x"},
		"header":    {"HTTP/1.1 200 X\r\nX: ", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := serve(t, func(_ int, conn net.Conn) bool {
				for say(conn, c.head) {
					c.head = c.again
					time.Sleep(10 * time.Millisecond)
				}
				return false
			})
			g := New(Config{Address: address, Path: "/", Clients: 1, Requests: 1, Timeout: 500 * time.Millisecond})
			requests, _ := g.Run(context.Background())
			checkCounts(t, requests, map[Class]int{Timeout: 1})
		})
	}
}

// TestLargeBody checks that a body longer than any buffer is compared to its last byte.
func TestLargeBody(t *testing.T) {
	body := strings.Repeat("x", 1<<20)
	replies := []string{
		reply(200, body), reply(200, body[1:]+"y"), reply(200, "y"+body[1:]), reply(200, body[1:]), reply(200, body),
		"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + body + "\r\n0\r\n\r\n",
	}
	for _, known := range []string{"", body} {
		address, connections := serve(t, func(n int, conn net.Conn) bool { return say(conn, replies[n]) })
		config := Config{Address: address, Path: "/", Clients: 1, Requests: len(replies), Keepalive: true, Timeout: patience}
		if known != "" {
			config.Body = []byte(known)
		}
		requests, _ := New(config).Run(context.Background())
		checkCounts(t, requests, map[Class]int{Answered: 3, Body: 3})
		if n := connections.Load(); n != 1 {
			t.Errorf("%d connections, want one that is kept", n)
		}
	}
}

func checkCounts(t *testing.T, requests []Request, want map[Class]int) {
	t.Helper()
	got := map[Class]int{}
	for _, r := range requests {
		got[r.Class]++
		if r.Ended < r.Sent {
			t.Errorf("request %+v ended before it was sent", r)
		}
	}
	for class := Answered; class <= Unfinished; class++ {
		if got[class] != want[class] {
			t.Errorf("%d of class %d, want %d", got[class], class, want[class])
		}
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	g := New(Config{Address: listener.Addr().String(), Path: "/", Clients: 2, Requests: 6, Timeout: time.Second})
	requests, _ := g.Run(context.Background())
	checkCounts(t, requests, map[Class]int{Connect: 6})
}

// TestKeepalive checks that a client keeps its connection only if Keepalive is set.
func TestKeepalive(t *testing.T) {
	for keepalive, want := range map[bool]int64{true: 3, false: 30} {
		var at atomic.Int64
		address, connections := serve(t, func(_ int, conn net.Conn) bool {
			at.Add(1)
			for at.Load() < 3 { // all three clients arrive before any reply
				time.Sleep(time.Millisecond)
			}
			return say(conn, reply(200, "hello"))
		})
		g := New(Config{Address: address, Path: "/", Clients: 3, Requests: 30, Keepalive: keepalive, Timeout: patience})
		requests, _ := g.Run(context.Background())
		checkCounts(t, requests, map[Class]int{Answered: 30})
		if got := connections.Load(); got != want {
			t.Errorf("keepalive=%t: %d connections, want %d", keepalive, got, want)
		}
	}
}

// TestFirstBody checks that the first reply with 2xx of an unknown server defines the right body.
func TestFirstBody(t *testing.T) {
	address, _ := serve(t, func(n int, conn net.Conn) bool {
		return say(conn, []string{reply(500, "no"), reply(200, "first"), reply(200, "other"), reply(200, "first")}[n])
	})
	g := New(Config{Address: address, Path: "/", Clients: 1, Requests: 4, Keepalive: true, Timeout: patience})
	requests, _ := g.Run(context.Background())
	checkCounts(t, requests, map[Class]int{Status: 1, Answered: 2, Body: 1})
}

// TestAnyBody checks that the bodies of an unknown server may differ, and that their lengths are recorded.
func TestAnyBody(t *testing.T) {
	address, _ := serve(t, func(n int, conn net.Conn) bool {
		return say(conn, []string{reply(200, "first"), reply(200, "the second"), reply(500, "a long failure"), reply(200, "3rd")}[n])
	})
	g := New(Config{Address: address, Path: "/", AnyBody: true, Clients: 1, Requests: 4, Keepalive: true, Timeout: patience})
	requests, _ := g.Run(context.Background())
	checkCounts(t, requests, map[Class]int{Status: 1, Answered: 3})
	if got := g.Lengths(); got.Shortest != 3 || got.Longest != 10 {
		t.Errorf("lengths from %d to %d, want 3 to 10", got.Shortest, got.Longest)
	}
}

// TestGivenUp checks that every request in flight at the end is unfinished, and that nothing is sent after it.
func TestGivenUp(t *testing.T) {
	silent := func(int, net.Conn) bool { return true }
	run := func(t *testing.T, config Config) ([]Request, time.Duration) {
		address, _ := serve(t, silent)
		config.Address, config.Path, config.Clients, config.Timeout = address, "/", 10, time.Minute
		return New(config).Run(context.Background())
	}
	t.Run("cut", func(t *testing.T) {
		requests, took := run(t, Config{Requests: 100, Cut: time.Second})
		checkCounts(t, requests, map[Class]int{Unfinished: 10})
		if took < time.Second || took > patience {
			t.Errorf("took %s, want a little more than a second", took)
		}
	})
	t.Run("after the duration", func(t *testing.T) {
		requests, _ := run(t, Config{Duration: 500 * time.Millisecond, Cut: time.Second})
		checkCounts(t, requests, map[Class]int{Unfinished: 10})
	})
	t.Run("open loop", func(t *testing.T) {
		requests, _ := run(t, Config{Rate: 1000, Requests: 1000, Cut: time.Second})
		checkCounts(t, requests, map[Class]int{Unfinished: 10})
	})
	t.Run("interrupted", func(t *testing.T) {
		address, _ := serve(t, silent)
		ctx, cancel := context.WithCancel(context.Background())
		g := New(Config{Address: address, Path: "/", Clients: 10, Requests: 100, Timeout: time.Minute})
		go func() {
			for g.Busy() < 10 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		requests, _ := g.Run(ctx)
		checkCounts(t, requests, map[Class]int{Unfinished: 10})
	})
}

// TestOpenLoop checks that requests are sent when they are due, however long the server takes. If no client is free,
// their wait counts as latency (no coordinated omission).
func TestOpenLoop(t *testing.T) {
	address, _ := serve(t, func(_ int, conn net.Conn) bool {
		time.Sleep(100 * time.Millisecond)
		return say(conn, reply(200, "hello"))
	})
	config := Config{Address: address, Path: "/", Requests: 20, Rate: 100, Timeout: patience}
	t.Run("clients enough", func(t *testing.T) {
		config.Clients = 20
		requests, _ := New(config).Run(context.Background())
		checkCounts(t, requests, map[Class]int{Answered: 20})
		due := map[time.Duration]bool{}
		for _, r := range requests {
			due[r.Sent] = true
		}
		for i := range 20 {
			if at := time.Duration(i) * 10 * time.Millisecond; !due[at] {
				t.Errorf("no request was due at %s", at)
			}
		}
	})
	t.Run("one client", func(t *testing.T) {
		config.Clients = 1
		g := New(config)
		requests, _ := g.Run(context.Background())
		checkCounts(t, requests, map[Class]int{Answered: 20})
		// The last one is due at 190 ms, and its client is free after 19 times 100 ms at the earliest.
		if got := requests[19].Latency(); got < 1800*time.Millisecond {
			t.Errorf("the last request took %s, want 1.8s or more: it was due long before it was sent", got)
		}
		if _, late := g.Late(); late < 1500*time.Millisecond {
			t.Errorf("late by %s at 99%%, want 1.5s or more", late)
		}
	})
}

func TestReadTiming(t *testing.T) {
	cases := []struct {
		header         string
		queued, worked int32
	}{
		{"backlog;dur=0, queue;dur=0.005, work;dur=2000.817", 5, 2000817},
		{"queue;dur=0,work;dur=0", 0, 0},
		{`work;desc="a";dur=1.5`, -1, 1500},
		{" queue ; dur=3 ", 3000, -1},
		{"", -1, -1},
		{"queue", -1, -1},
		{"queue;dur=x, work;dur=-1", -1, -1},
		{"work;dur=1e300, queue;dur=NaN", -1, -1},
	}
	for _, c := range cases {
		if queued, worked := readTiming([]byte(c.header)); queued != c.queued || worked != c.worked {
			t.Errorf("readTiming(%q) = %d, %d, want %d, %d", c.header, queued, worked, c.queued, c.worked)
		}
	}
}

func FuzzReadTiming(f *testing.F) {
	f.Add("backlog;dur=0, queue;dur=0.005, work;dur=2000.817")
	f.Fuzz(func(t *testing.T, header string) {
		queued, worked := readTiming([]byte(header))
		if queued < -1 || worked < -1 || !strings.Contains(header, "dur=") && (queued != -1 || worked != -1) {
			t.Errorf("readTiming(%q) = %d, %d", header, queued, worked)
		}
	})
}

package modes_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/internal/testkit"
	"demo-server/modes"
	"demo-server/server"
	"demo-server/server/fault"
)

// asking allows requests to override settings.
var asking = server.Faults{
	Overrides: true,
	Caps:      fault.Caps{MaxDelay: time.Minute, MaxSize: 1 << 20},
}

func ask(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: demo\r\n\r\n" }

// TestOverrides checks that a query gets the same answer from every mode, to the nanosecond.
func TestOverrides(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	const plain = "text/plain; charset=utf-8"
	const notFound = "not found: the paths are /, /delay/{seconds}, /status/{code}, /bytes/{n} and /drip\n"
	type answer struct {
		status                      int
		body                        string // its length, if it is longer than a line
		took                        time.Duration
		length                      int64 // by its header; -1 for none
		contentType, retryAfter     string
		allow, transfer, connection string
	}
	plainHello := answer{status: 200, body: "Hello World", took: 2 * s, length: 11, contentType: plain}
	with := func(change func(*answer)) answer {
		a := plainHello
		change(&a)
		return a
	}
	wrong := func(text string) answer {
		return answer{status: 400, body: "bad request: " + text + "\n", length: int64(len("bad request: "+text) + 1), contentType: plain}
	}
	asked := func(status int, took time.Duration) answer {
		return answer{status: status, body: fmt.Sprintf("%d as asked for\n", status), took: took, length: 17, contentType: plain}
	}
	rows := []struct {
		method, target string
		want           answer
	}{
		{"GET", "/", plainHello},
		{"GET", "/?_=123", plainHello},
		{"GET", "/?delay=300ms", with(func(a *answer) { a.took = 300 * ms })},
		{"GET", "/?delay=0s", with(func(a *answer) { a.took = 0 })},
		{"GET", "/?delay=100ms:100,2s:0", with(func(a *answer) { a.took = 100 * ms })},
		{"GET", "/?work=sleep", plainHello},
		{"GET", "/?status=503", asked(503, 2*s)},
		{"GET", "/?status=418&delay=0s", asked(418, 0)},
		{"GET", "/?status=299&delay=0s", asked(299, 0)},
		{"GET", "/?status=503&delay=0s&retry_after=3", answer{status: 503, body: "503 as asked for\n", length: 17, contentType: plain, retryAfter: "3"}},
		{"GET", "/?status=204&delay=0s", answer{status: 204, length: -1}},
		{"GET", "/?status=304&delay=0s", answer{status: 304, length: -1}},
		{"HEAD", "/?status=204&delay=0s", answer{status: 204, length: -1}},
		{"GET", "/?status=205&delay=0s", answer{status: 205, contentType: plain}},
		{"GET", "/?size=0&delay=0s", answer{status: 200, contentType: plain}},
		{"GET", "/?size=64KiB&delay=0s", answer{status: 200, body: "65536 bytes", length: 65536, contentType: plain}},
		{"HEAD", "/?size=64KiB&delay=0s", answer{status: 200, length: 65536, contentType: plain}},
		{"GET", "/?drip=5", plainHello},
		{"GET", "/?drip=1000", plainHello},
		{"GET", "/?drip=3&delay=1s&size=64KiB", answer{status: 200, body: "65536 bytes", took: s, length: 65536, contentType: plain}},
		{"GET", "/?drip=5&status=503", asked(503, 2*s)},
		{"GET", "/?drip=2&size=0", answer{status: 200, took: 2 * s, contentType: plain}},
		{"HEAD", "/?drip=5", with(func(a *answer) { a.body = "" })},
		{"GET", "/delay/1", with(func(a *answer) { a.took = s })},
		{"GET", "/delay/0.25?status=500", asked(500, 250*ms)},
		{"GET", "/status/418", answer{status: 418, contentType: plain}},
		{"DELETE", "/status/503?delay=1s", answer{status: 503, took: s, contentType: plain}},
		{"PATCH", "/delay/1?drip=2", with(func(a *answer) { a.took = s })},
		{"GET", "/status/200:0,503", answer{status: 503, contentType: plain}},
		{"HEAD", "/bytes/0", answer{status: 200, contentType: plain}},
		{"GET", "/bytes/100", answer{status: 200, body: "100 bytes", length: 100, contentType: plain}},
		{"GET", "/drip", answer{status: 200, body: "All work a", took: 2 * s, length: 10, contentType: plain}},
		{"GET", "/drip?duration=1&delay=0.5&numbytes=4&code=201", answer{status: 201, body: "All ", took: 1500 * ms, length: 4, contentType: plain}},
		{"GET", "/?delay=61s", wrong("delay=61s is too long; want at most 1m")},
		{"GET", "/?size=1025KiB", wrong("size=1025KiB is too large; want at most 1MiB")},
		{"GET", "/?dealy=1s", wrong("dealy is not known; known: delay, work, status, size, drip, abort, after, retry_after")},
		{"GET", "/?work=sql", wrong("work=sql cannot be asked for; want one of sleep")},
		{"GET", "/?delay=%zz", wrong("delay=%zz is not percent-encoded; want %XX, and %25 for the sign itself")},
		{"GET", "/?delay=61s&status=99", wrong("delay=61s is too long; want at most 1m\nstatus=99 is not a final status; want 200 to 599")},
		{"GET", "/delay/%32", wrong("/delay/%32 is not a duration; want at most 1m, such as 2s or 300ms")},
		{"GET", "/bytes/1|2", wrong("/bytes/1|2 is not a size; want at most 1MiB, in bytes or with KiB, MiB or GiB")},
		{"POST", "/drip", answer{status: 405, body: "method not allowed: see Allow\n", length: 30, contentType: plain, allow: "GET, HEAD"}},
		{"GET", "/delay/", answer{status: 404, body: notFound, length: int64(len(notFound)), contentType: plain}},
	}
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		_, m := inMemory(t, mode, config{faults: asking})
		for _, row := range rows {
			c := m.dial(t)
			began := time.Now()
			r := c.send(row.method + " " + row.target + " HTTP/1.1\r\nHost: demo\r\n\r\n").read(row.method)
			if r == nil {
				t.Errorf("%s %s: no reply", row.method, row.target)
				continue
			}
			got := answer{
				status: r.StatusCode, body: r.body, took: time.Since(began), length: r.ContentLength,
				contentType: r.Header.Get("Content-Type"), retryAfter: r.Header.Get("Retry-After"),
				allow: r.Header.Get("Allow"), transfer: strings.Join(r.TransferEncoding, ","),
			}
			if len(r.body) >= 100 && r.StatusCode == http.StatusOK {
				got.body = fmt.Sprintf("%d bytes", len(r.body))
			}
			if r.Header.Get("Content-Length") == "" {
				got.length = -1
			}
			if r.Close && mode.Capabilities.KeepsAlive {
				got.connection = "close"
			}
			if r.StatusCode == http.StatusMethodNotAllowed || r.StatusCode == http.StatusNotFound {
				got.took = 0
			}
			if got != row.want {
				t.Errorf("%s %s:\n got %+v\nwant %+v", row.method, row.target, got, row.want)
			}
			c.Close()
		}
	})
}

// TestPosted checks that a delay and a status are answered to any method, like httpbin, and that the body is read and
// ignored.
func TestPosted(t *testing.T) {
	const posted = " HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello"
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		_, m := inMemory(t, mode, config{delay: atOnce, queue: 1, faults: asking})
		want := "418 200 200 open"
		if !mode.Capabilities.KeepsAlive {
			want = "418 closed"
		}
		if got := m.dial(t).send("POST /status/418" + posted + "PUT /delay/1" + posted + hello).conversation(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestNoOverrides checks that without overrides a request cannot change anything, and httpbin's paths do not exist.
func TestNoOverrides(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		_, m := inMemory(t, mode, config{delay: atOnce, queue: 1})
		for target, want := range map[string]int{"/?status=503": 200, "/?delay=never": 200, "/status/503": 404, "/drip": 404} {
			if r := m.dial(t).send(ask(target)).read("GET"); r == nil || r.StatusCode != want {
				t.Errorf("%s: %+v, want %d", target, r, want)
			}
		}
	})
}

// TestAnyPath checks that every path and method without a route is served like /, that its body is read, and that the
// valid parts of its query apply.
func TestAnyPath(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		faults := asking
		faults.Lenient = true
		_, m := inMemory(t, mode, config{delay: atOnce, faults: faults, anyPath: true})
		for _, row := range []struct {
			method, target string
			status         int
		}{
			{"GET", "/", 200}, {"GET", "/api/x?page=2", 200}, {"POST", "/", 200}, {"OPTIONS", "*", 200}, {"OPTIONS", "/api", 200},
			{"PROPFIND", "/dav/", 200}, {"BREW", "/pot", 200}, {"DELETE", "//", 200}, {"PUT", "/%2F/a%20b", 200},
			{"GET", "/?status=active", 200}, {"GET", "/?stats=1&delay=soon", 200}, {"GET", "/x?status=503&size=many", 503},
			{"GET", "/x?status=418&status=503", 418}, {"GET", "/x?after=abc&abort=later&%zz", 200},
			{"GET", "/status/418", 418}, {"POST", "/bytes/5", 200}, {"GET", "/status/none", 400}, {"CONNECT", "demo:80", 405},
		} {
			r := m.dial(t).send(row.method + " " + row.target + " HTTP/1.1\r\nHost: demo\r\nContent-Length: 4\r\n\r\nbody").read(row.method)
			if r == nil || r.StatusCode != row.status {
				t.Errorf("%s %s: %+v, want %d", row.method, row.target, r, row.status)
			}
		}
	})
}

// TestCORS checks that pages of another origin may read replies and their timing, including errors, and that a
// preflight is answered at once.
func TestCORS(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		seen := &outcomes{}
		_, m := inMemory(t, mode, config{faults: asking, cors: true, observers: []server.Observer{seen}})
		for _, target := range []string{"/", "/?status=503", "/?status=99", "/nowhere"} {
			r := m.dial(t).send(ask(target)).read("GET")
			if r == nil || r.Header.Get("Access-Control-Allow-Origin") != "*" || r.Header.Get("Timing-Allow-Origin") != "*" {
				t.Errorf("%s: %+v, want it open to every origin", target, r)
			}
		}
		began := time.Now()
		c := m.dial(t).send("OPTIONS /delay/2 HTTP/1.1\r\nHost: demo\r\nOrigin: http://a.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n")
		r := c.read("OPTIONS")
		if r == nil || r.StatusCode != http.StatusNoContent || time.Since(began) != 0 || r.body != "" {
			t.Fatalf("preflight: %+v after %v, want 204 at once", r, time.Since(began))
		}
		for header, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "*", "Access-Control-Allow-Headers": "*, Authorization",
		} {
			if got := r.Header.Get(header); got != want {
				t.Errorf("preflight: %s is %q, want %q", header, got, want)
			}
		}
		synctest.Wait()
		if seen.of(server.Preflight) != 1 {
			t.Errorf("counted %v, want one %s", seen.counts, server.Preflight)
		}
		if r := m.dial(t).send("OPTIONS /nowhere HTTP/1.1\r\nHost: demo\r\n\r\n").read("OPTIONS"); r == nil || r.StatusCode != http.StatusNotFound {
			t.Errorf("preflight to nowhere: %+v, want 404", r)
		}
	})
}

// TestNoCORS checks that without CORS, pages of another origin may read nothing.
func TestNoCORS(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		_, m := inMemory(t, mode, config{delay: atOnce})
		r := m.dial(t).get(http.StatusOK)
		if _, open := r.Header["Access-Control-Allow-Origin"]; open {
			t.Errorf("%v", r.Header)
		}
		if r := m.dial(t).send("OPTIONS / HTTP/1.1\r\nHost: demo\r\n\r\n").read("OPTIONS"); r == nil || r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("OPTIONS: %+v, want 405", r)
		}
	})
}

// TestDrip checks that the head comes at once, and a piece at the end of each part of the delay. Until then the request
// is in flight, it does not time out, and the connection's next request waits.
func TestDrip(t *testing.T) {
	const s = time.Second
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		seen := &outcomes{}
		serving, m := inMemory(t, mode, config{faults: asking, observers: []server.Observer{seen}})
		c := m.dial(t)
		began := time.Now()
		c.send(ask("/?drip=3&delay=60s&size=9") + ask("/?delay=1s"))
		if response, err := http.ReadResponse(c.reader, nil); err != nil || time.Since(began) != 0 {
			t.Fatalf("%+v, %v after %s, want a head at once", response, err, time.Since(began))
		}
		for i := range 3 {
			piece := make([]byte, 9)
			n, err := c.reader.Read(piece)
			if want := time.Duration(i+1) * 20 * s; n != 3 || err != nil || time.Since(began) != want {
				t.Errorf("piece %d has %d bytes, %v, after %s, want 3 after %s", i+1, n, err, time.Since(began), want)
			}
			if i < 2 && serving.app.InFlight() != 1 {
				t.Errorf("%d in flight while it drips, want 1", serving.app.InFlight())
			}
		}
		if mode.Capabilities.KeepsAlive { // otherwise it answers one request on a connection
			if r := c.read("GET"); r == nil || r.body != "Hello World" || time.Since(began) != 61*s {
				t.Errorf("the next request got %+v after %s, want Hello World after 61s", r, time.Since(began))
			}
		}
		c.Close()
		if time.Sleep(s); serving.app.InFlight() != 0 || seen.of(server.OK) == 0 {
			t.Errorf("%d in flight afterwards, %v", serving.app.InFlight(), seen.counts)
		}
	})
}

// TestDripHoldsThread checks that a dripping reply holds the thread of a mode that has no other one to write it.
func TestDripHoldsThread(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		if mode.Capabilities.KeepsAlive {
			return // hold_test.go tests drips in other modes
		}
		_, m := inMemory(t, mode, config{faults: asking})
		began := time.Now()
		dripping := m.dial(t)
		dripping.send(ask("/?drip=2&delay=10s"))
		if _, err := http.ReadResponse(dripping.reader, nil); err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, dripping.reader)
		second := m.dial(t)
		if r := second.send(ask("/?delay=1s")).read("GET"); r == nil || time.Since(began) != 11*time.Second {
			t.Errorf("the second request got %+v after %s, want its reply after 11s", r, time.Since(began))
		}
	})
}

// TestDripEnds checks that a disconnect, or the drain deadline, ends a dripping reply and frees its place.
func TestDripEnds(t *testing.T) {
	ends := map[string]func(*service, *client){
		"the client leaves":  func(_ *service, c *client) { c.Close() },
		"the drain deadline": func(s *service, _ *client) { s.stop(); s.app.ExpireDrain() },
	}
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		for name, end := range ends {
			if name == "the client leaves" && standsStill(mode) {
				continue
			}
			seen := &outcomes{}
			s, source := overTCP(t, mode, config{faults: asking, observers: []server.Observer{seen}})
			c := dialTCP(t, source).send(ask("/?drip=2&delay=60s"))
			if _, err := http.ReadResponse(c.reader, nil); err != nil {
				t.Fatal(err)
			}
			end(s, c)
			testkit.Eventually(t, name+": its place is free", func() bool { return s.app.InFlight() == 0 })
			// It is counted a moment after that.
			testkit.Eventually(t, name+": it is counted as write_failed", func() bool { return seen.of(server.WriteFailed) == 1 })
			if body, err := io.ReadAll(c.reader); err == nil && len(body) == len("Hello World") {
				t.Errorf("%s: the whole body came", name)
			}
		}
	})
}

// TestAbort checks that a reset is a RST, a close is a FIN, and neither sends a byte. A hanging request is in flight
// until its client disconnects, even with FinishOnDisconnect, or until the drain deadline.
func TestAbort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systems differ in how they tell of a reset")
	}
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, finish := range []bool{false, true} {
			seen := &outcomes{}
			s, source := overTCP(t, mode, config{faults: asking, delay: atOnce, finish: finish, queue: 10, observers: []server.Observer{seen}})
			for abort, want := range map[string]error{"reset": syscall.ECONNRESET, "close": nil} {
				for _, raw := range []string{ask("/?abort=" + abort), ask("/?abort="+abort) + hello} {
					c := dialTCP(t, source)
					io.WriteString(c, raw)
					got, err := io.ReadAll(c)
					if len(got) > 0 || !errors.Is(err, want) {
						t.Errorf("%s: %q, %v, want nothing and %v", abort, got, err, want)
					}
				}
			}
			testkit.Eventually(t, "aborts are counted", func() bool { return seen.of(server.Injected) == 4 && s.app.Connections() == 0 })

			hangs := dialTCP(t, source).send(ask("/?abort=hang"))
			testkit.Eventually(t, "it hangs", func() bool { return s.app.InFlight() == 1 })
			hangs.SetReadDeadline(time.Now().Add(brief))
			if n, err := hangs.Read(make([]byte, 1)); n != 0 || !isTimeout(err) {
				t.Errorf("hang: %d bytes, %v, want none", n, err)
			}
			hangs.Close()
			testkit.Eventually(t, "its place is free", func() bool { return s.app.InFlight() == 0 && seen.of(server.Injected) == 5 })

			again := dialTCP(t, source).send(ask("/?abort=hang"))
			testkit.Eventually(t, "it hangs", func() bool { return s.app.InFlight() == 1 })
			s.stop()
			s.app.ExpireDrain()
			testkit.Eventually(t, "the drain deadline ends it", func() bool { return s.app.InFlight() == 0 && seen.of(server.Injected) == 6 })
			if got, _ := io.ReadAll(again.reader); len(got) > 0 {
				t.Errorf("hang: %q at the drain deadline, want nothing", got)
			}
		}
	})
}

// TestCutOff checks that a reply that is cut off announces its whole body, and ends in the middle of it with a RST or a
// FIN.
func TestCutOff(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("systems differ in how they tell of a reset")
	}
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		seen := &outcomes{}
		s, source := overTCP(t, mode, config{faults: asking, delay: atOnce, queue: 1, observers: []server.Observer{seen}})
		for _, row := range []struct {
			query  string
			status int
			sent   int
			end    error
		}{
			{"size=64KiB&abort=reset&after=10KiB", 200, 10 << 10, syscall.ECONNRESET},
			{"size=64KiB&abort=close&after=10KiB", 200, 10 << 10, io.ErrUnexpectedEOF},
			{"size=64KiB&abort=close&after=0&status=503", 503, 0, io.ErrUnexpectedEOF},
			{"size=1MiB&abort=reset&after=900KiB", 200, 900 << 10, syscall.ECONNRESET},
			{"size=100&abort=reset&after=99&delay=50ms", 200, 99, syscall.ECONNRESET},
		} {
			for _, behind := range []string{"", hello} {
				c := dialTCP(t, source)
				io.WriteString(c, ask("/?"+row.query)+behind)
				r, err := http.ReadResponse(c.reader, nil)
				if err != nil {
					t.Fatalf("%s: %v", row.query, err)
				}
				body, err := io.ReadAll(r.Body)
				if r.StatusCode != row.status || r.ContentLength <= int64(row.sent) || len(body) != row.sent || !errors.Is(err, row.end) {
					t.Errorf("%s: %d of %d bytes, then %v; want %d of %d, then %v",
						row.query, r.StatusCode, r.ContentLength, err, row.status, row.sent, row.end)
				}
			}
		}
		if r := dialTCP(t, source).send("HEAD /?size=9&abort=close&after=5 HTTP/1.1\r\nHost: demo\r\n\r\n").read("HEAD"); r != nil {
			t.Errorf("HEAD: %+v, want no reply, as there is no body to cut off", r)
		}
		testkit.Eventually(t, "all are counted", func() bool { return seen.of(server.Injected) == 11 && s.app.Connections() == 0 })
	})
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// TestFaultSetting checks that a setting applies to a share of the requests without overrides, and with the same seed
// to the same ones in every mode.
func TestFaultSetting(t *testing.T) {
	setting, err := fault.ParseSetting("status=503:30&delay=exp(20ms)", asking.Caps)
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		_, m := inMemory(t, mode, config{queue: 1, faults: server.Faults{Setting: setting, Caps: asking.Caps, Seed: 1}})
		got := ""
		for range 50 {
			r := m.dial(t).send(ask("/")).read("GET")
			if r == nil {
				t.Fatal("no reply")
			}
			got += map[int]string{200: ".", 503: "x"}[r.StatusCode]
		}
		if want == "" && strings.Contains(got, ".") && strings.Contains(got, "x") {
			want = got
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestRefusedDrawNothing checks that refused requests do not change the draws of others.
func TestRefusedDrawNothing(t *testing.T) {
	setting, err := fault.ParseSetting("status=503:50", asking.Caps)
	if err != nil {
		t.Fatal(err)
	}
	refused := []string{
		"POST /?status=418:50 HTTP/1.1\r\nHost: demo\r\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: demo\r\nContent-Length: 9999\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: demo\r\nContent-Length: 9999\r\nExpect: 100-continue\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: demo\r\nX: " + strings.Repeat("x", 8<<10) + "\r\n\r\n",
		"not HTTP\r\n\r\n",
		ask("/nowhere?status=418:50"),
		ask("/?status=99"),
	}
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		drawn := func(between []string) (statuses string) {
			faults := asking
			faults.Setting, faults.Seed = setting, 1
			_, m := inMemory(t, mode, config{queue: 1, delay: atOnce, faults: faults})
			for i := range 20 {
				if len(between) > 0 {
					c := m.dial(t).send(between[i%len(between)])
					if r := c.read("GET"); r == nil || r.StatusCode < 400 {
						t.Errorf("%.40q: %+v, want it refused", between[i%len(between)], r)
					}
					c.Close()
				}
				r := m.dial(t).send(ask("/?status=429:50")).read("GET")
				if r == nil {
					t.Fatal("no reply")
				}
				statuses += map[int]string{200: ".", 429: "x", 503: "o"}[r.StatusCode]
			}
			return statuses
		}
		if want, got := drawn(nil), drawn(refused); got != want {
			t.Errorf("%s with refused requests between them, %s without", got, want)
		}
	})
}

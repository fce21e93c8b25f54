package modes_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"demo-server/modes"
)

const (
	host = "Host: demo\r\n"
	// chunked begins a request with a chunked body.
	chunked = "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n"
)

// httpRows are the rows of TestHTTP, and the seeds of FuzzRequest.
var httpRows = []struct {
	name     string
	send     string
	nethttp  string // goroutine and pool
	fasthttp string // empty if the same as nethttp
	single   string
}{
	// Valid requests.
	{"1.1 keeps", hello + hello, "200 200 open", "", "200 closed"},
	{"1.1 closes on request", "GET / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n" + hello, "200 closed", "", "200 closed"},
	{"1.0 closes (ab)", "GET / HTTP/1.0\r\nHost: demo\r\n\r\n", "200 closed", "", "200 closed"},
	{"1.0 keeps on request (ab -k)", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "200 open", "", "200 closed"},
	{"1.0 keeps and closes", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "200 closed", "", "200 closed"},
	{"1.0 keeps and closes, in two fields", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", "200 closed", "", "200 closed"},
	{"1.0 closes and keeps", "GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n", "200 closed", "", "200 closed"},
	{"1.0 closes and keeps, in two fields", "GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", "200 closed", "", "200 closed"},
	{"1.0 without a Host", "GET / HTTP/1.0\r\n\r\n", "200 closed", "", "200 closed"},
	{"three pipelined", hello + "GET /nowhere HTTP/1.1\r\n" + host + "\r\n" + hello, "200 404 200 open", "", "200 closed"},
	{"absolute form", "GET http://demo/ HTTP/1.1\r\n" + host + "\r\n", "200 open", "", "200 closed"},
	{"query", "GET /?x=1 HTTP/1.1\r\n" + host + "\r\n", "200 open", "", "200 closed"},
	{"sized body", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello" + hello, "200 200 open", "", "200 closed"},
	{"chunked body", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + hello, "200 200 open", "", "200 closed"},
	{"body at the limit", "GET / HTTP/1.1\r\n" + host + "Content-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024) + hello, "200 200 open", "", "200 closed"},
	{"100-continue", "GET / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" + hello, "100 200 200 open", "", "100 200 closed"},
	{"100-continue, chunked", "GET / HTTP/1.1\r\n" + host + "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "100 200 open", "", "100 200 closed"},
	{"100-continue without a body", "GET / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\n\r\n" + hello, "200 200 open", "", "200 closed"},
	{"100-continue with an empty body", "GET / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n" + hello, "200 200 open", "", "200 closed"},
	{"100-continue on 1.0 means nothing", "GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", "200 closed", "", "200 closed"},

	// Refused requests.
	{"another path", "GET /nowhere HTTP/1.1\r\n" + host + "\r\n", "404 open", "", "404 closed"},
	{"two slashes are another path", "GET // HTTP/1.1\r\n" + host + "\r\n", "404 open", "", "404 closed"},
	{"an encoded slash is another path", "GET /%2F HTTP/1.1\r\n" + host + "\r\n", "404 open", "", "404 closed"},
	{"another method", "DELETE / HTTP/1.1\r\n" + host + "\r\n", "405 open", "", "405 closed"},
	{"unknown method", "BREW / HTTP/1.1\r\n" + host + "\r\n", "405 open", "", "405 closed"},
	{"another method and path", "BREW /pot HTTP/1.1\r\n" + host + "\r\n", "404 open", "", "404 closed"},
	{"server-wide OPTIONS", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", "404 open", "", "404 closed"},
	{"no Host", "GET / HTTP/1.1\r\n\r\n", "400 closed", "", "400 closed"},
	{"two Hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", "400 closed", "", "400 closed"},
	{"headers too large", "GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 8<<10) + "\r\n\r\n", "431 closed", "", "431 closed"},
	{"request line too large", "GET /" + strings.Repeat("x", 8<<10) + " HTTP/1.1\r\n" + host + "\r\n", "431 closed", "", "431 closed"},
	{"headers just fit", "GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 4000) + "\r\n\r\n", "200 open", "", "200 closed"},
	{"body too large", "GET / HTTP/1.1\r\n" + host + "Content-Length: 1025\r\n\r\n" + strings.Repeat("x", 1025), "413 closed", "", "413 closed"},
	{"body too large, announced", "GET / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 1025\r\n\r\n", "413 closed", "", "413 closed"},
	{"chunked body too large", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n401\r\n" + strings.Repeat("x", 1025) + "\r\n0\r\n\r\n", "413 closed", "", "413 closed"},
	{"version 2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", "505 closed", "", "505 closed"},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 closed", "400 closed", "400 closed"},
	{"version 0.9", "GET / HTTP/0.9\r\n" + host + "\r\n", "505 closed", "", "505 closed"},
	{"no version", "GET /\r\n\r\n", "400 closed", "", "400 closed"},
	{"unknown Expect", "GET / HTTP/1.1\r\n" + host + "Expect: tea\r\n\r\n", "417 closed", "", "417 closed"},
	{"unknown Expect and half of a body", "GET / HTTP/1.1\r\n" + host + "Expect: tea\r\nContent-Length: 5\r\n\r\nhell", "417 closed", "", "417 closed"},
	{"unknown Expect on 1.0", "GET / HTTP/1.0\r\nExpect: tea\r\n\r\n", "417 closed", "", "417 closed"},
	{"100-continue and more", "GET / HTTP/1.1\r\n" + host + "Expect: 100-continue, tea\r\n\r\n", "417 closed", "", "417 closed"},
	{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n", "400 closed", "", "400 closed"},
	{"space before a colon", "GET / HTTP/1.1\r\n" + host + "X : y\r\n\r\n", "400 closed", "", "400 closed"},

	// Ambiguous framing: refused, or answered once and closed.
	{"length and chunked", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hello, "200 closed", "", "200 closed"},
	{"chunked and length", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n" + hello, "200 closed", "", "200 closed"},
	{"differing lengths", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!" + hello, "400 closed", "", "400 closed"},
	{"list of lengths", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5, 6\r\n\r\nhello!" + hello, "400 closed", "", "400 closed"},
	{"negative length", "GET / HTTP/1.1\r\n" + host + "Content-Length: -5\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"signed length", "GET / HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\nhello" + hello, "400 closed", "", "400 closed"},
	{"chunked twice", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hello, "501 closed", "", "501 closed"},
	{"the same length twice", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" + hello, "400 closed", "", "400 closed"},
	{"a huge length", "GET / HTTP/1.1\r\n" + host + "Content-Length: 9999999999999999999\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"unknown transfer coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n" + hello, "501 closed", "", "501 closed"},
	{"no transfer coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n" + hello, "501 closed", "", "501 closed"},
	{"no characters of a coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\x00\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"an empty transfer coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n\r\n" + hello, "501 closed", "", "501 closed"},
	{"chunked is not the last coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n" + hello, "501 closed", "", "501 closed"},
	{"transfer coding on 1.0", "GET / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hello, "501 closed", "", "501 closed"},
	{"transfer coding on 1.0, kept", "POST / HTTP/1.0\r\n" + host + "Connection: keep-alive\r\nContent-Length: 4\r\ntransfer-encoding: chunked\r\n\r\n1e\r\n" + hello + "\r\n0\r\n\r\n", "501 closed", "", "501 closed"},
	{"transfer coding on 1.9", "GET / HTTP/1.9\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hello, "501 closed", "", "501 closed"},
	{"bare LF", "GET / HTTP/1.1\nHost: demo\n\n" + hello, "400 closed", "", "400 closed"},
	{"bare LF behind the request line", "GET / HTTP/1.1\n" + host + "\r\n" + hello, "400 closed", "", "400 closed"},
	{"bare LF behind a field", "GET / HTTP/1.1\r\n" + host + "X: y\nZ: z\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"bare LF as the blank line", "GET / HTTP/1.1\r\n" + host + "\n" + hello, "400 closed", "", "400 closed"},
	{"bare CR in a field", "GET / HTTP/1.1\r\n" + host + "X: y\rz\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"obs-fold", "GET / HTTP/1.1\r\n" + host + "X: y\r\n z\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"obs-fold of a length", "GET / HTTP/1.1\r\n" + host + "Content-Length:\r\n 5\r\n\r\nhello" + hello, "400 closed", "", "400 closed"},
	{"a blank before a field", "GET / HTTP/1.1\r\n Transfer-Encoding: chunked\r\n" + host + "\r\n" + hello, "400 closed", "", "400 closed"},

	// Field names and hosts.
	{"a space inside a name", "GET / HTTP/1.1\r\n" + host + "X Y: z\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"a tab before a colon", "GET / HTTP/1.1\r\n" + host + "X\t: z\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"an empty name", "GET / HTTP/1.1\r\n" + host + ": z\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"no colon", "GET / HTTP/1.1\r\n" + host + "X\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"no token", "GET / HTTP/1.1\r\n" + host + "X(y): z\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"a name that is not ASCII", "GET / HTTP/1.1\r\n" + host + "\xe9: z\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"a path in Host", "GET /nowhere HTTP/1.1\r\nHost: a/b\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"a space in Host", "GET /nowhere HTTP/1.1\r\nHost: a b\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"a user in Host", "GET / HTTP/1.1\r\nHost: user@demo\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"a port that is no number", "GET / HTTP/1.1\r\nHost: demo:http\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"two ports", "GET / HTTP/1.1\r\nHost: demo:80:80\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"an address and a port", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n" + hello, "200 200 open", "", "200 closed"},
	{"a name and a port", "GET / HTTP/1.1\r\nHost: De_mo.example:80\r\n\r\n" + hello, "200 200 open", "", "200 closed"},
	{"an empty port", "GET / HTTP/1.1\r\nHost: demo:\r\n\r\n" + hello, "200 200 open", "", "200 closed"},
	{"a user in the target", "GET http://user@demo/ HTTP/1.1\r\n" + host + "\r\n" + hello, "400 closed", "", "400 closed"},
	{"no host in the target", "GET http:///x HTTP/1.1\r\n" + host + "\r\n" + hello, "400 closed", "", "400 closed"},
	{"an at sign in the path", "GET /user@demo HTTP/1.1\r\n" + host + "\r\n" + hello, "404 200 open", "", "404 closed"},
	{"an at sign in the query", "GET http://demo?x=user@demo HTTP/1.1\r\n" + host + "\r\n" + hello, "200 200 open", "", "200 closed"},

	{"percent and nothing", "GET /% HTTP/1.1\r\n" + host + "\r\n", "400 closed", "", "400 closed"},
	{"percent and no digits", "GET http://demo/%zz HTTP/1.1\r\n" + host + "\r\n", "400 closed", "", "400 closed"},
	{"a fragment", "GET http://demo#x HTTP/1.1\r\n" + host + "\r\n", "400 closed", "", "400 closed"},
	{"no path", "GET demo:80 HTTP/1.1\r\n" + host + "\r\n", "400 closed", "", "400 closed"},
	{"no authority", "GET http: HTTP/1.1\r\n" + host + "\r\n", "400 closed", "", "400 closed"},
	{"server-wide GET", "GET * HTTP/1.1\r\n" + host + "\r\n", "400 closed", "", "400 closed"},
	{"a tunnel", "CONNECT demo:80 HTTP/1.1\r\n" + host + "\r\n", "404 open", "", "404 closed"},
	{"a tunnel to a user", "CONNECT user@demo:80 HTTP/1.1\r\n" + host + "\r\n", "400 closed", "", "400 closed"},

	// The framing of chunked bodies.
	{"extensions and a trailer", chunked + "5;a=b;c=\"d\"\r\nhello\r\n000;e\r\nX: y\r\nZ:\r\n\r\n" + hello, "200 200 open", "", "200 closed"},
	{"bad chunk size", chunked + "xyz\r\n" + hello, "400 closed", "", "400 closed"},
	{"no chunk size", chunked + ";a\r\n" + hello, "400 closed", "", "400 closed"},
	{"a chunk size too long", chunked + "00000000000000000\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"bare LF behind a chunk size", chunked + "0\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"bare LF behind a chunk", chunked + "1\r\nx\n0\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"bare LF in an extension", chunked + "0;a\nb\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"more than the chunk", chunked + "1\r\nxy\r\n0\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"a trailer of carriage returns", chunked + "0\r\n" + strings.Repeat("\r", 30_000), "400 closed", "", "400 closed"},
	{"an endless trailer", chunked + "0\r\n" + strings.Repeat("X: y\r\n", 2000), "431 closed", "", "431 closed"},
	{"a trailer's endless name", chunked + "0\r\n" + strings.Repeat("x", 8000), "431 closed", "", "431 closed"},
	{"a trailer that frames", chunked + "0\r\nContent-Length: 5\r\n\r\nhello" + hello, "400 closed", "", "400 closed"},
	{"a bad trailer", chunked + "0\r\nX y\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"an endless extension", chunked + "1;a=" + strings.Repeat("e", 60_000), "400 closed", "", "400 closed"},
	{"a long extension", chunked + "1;a=" + strings.Repeat("e", 4000) + "\r\nx\r\n0\r\n\r\n" + hello, "200 200 open", "", "200 closed"},
	{"a longer extension", chunked + "1;a=" + strings.Repeat("e", 5000) + "\r\nx\r\n0\r\n\r\n" + hello, "400 closed", "", "400 closed"},
	{"extensions that outweigh the data", chunked + strings.Repeat("1;"+strings.Repeat("e", 100)+"\r\nx\r\n", 300), "400 closed", "", "400 closed"},
	{"a chunk for each byte", chunked + strings.Repeat("1\r\nx\r\n", 1024) + "0\r\n\r\n" + hello, "200 200 open", "", "200 closed"},

	// Incomplete requests.
	{"half of a head", "GET / HTTP/1.1\r\n" + host, "open", "", "open"},
	{"half of a blank line", "GET / HTTP/1.1\r\n" + host + "\r", "open", "", "open"},
	{"half of a body", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhell", "open", "", "open"},
	{"no last chunk", chunked + "1\r\nx\r\n", "open", "", "open"},
	{"half of the last line", chunked + "1\r\nx\r\n0\r\n\r", "open", "", "open"},
	{"half of a trailer", chunked + "0\r\nX: y\r\n", "open", "", "open"},

	{"leading CRLF", "\r\n\r\n" + hello + "\r\n" + hello, "200 200 open", "", "200 closed"},

	// Unavoidable differences between the two parsers.
	{"version 1.9", "GET / HTTP/1.9\r\n" + host + "\r\n", "200 open", "200 closed", "200 closed"},
	{"version 1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", "200 open", "200 closed", "200 closed"},
	{"obs-fold of a coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n \r\n\r\n" + hello, "501 closed", "400 closed", "400 closed"},
	{"OPTIONS of a host", "OPTIONS http://demo HTTP/1.1\r\n" + host + "\r\n", "404 open", "405 open", "405 closed"},
}

// TestHTTP sends raw bytes to every mode and checks the statuses in order, and whether the connection is open or closed
// after them. single answers one request on each connection. If the parsers of net/http and fasthttp differ, the row
// has a column for each.
func TestHTTP(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, row := range httpRows {
			want := row.nethttp
			switch {
			case mode.Name == "single":
				want = row.single
			case (mode.Name == "fasthttp" || mode.Name == "eventloop") && row.fasthttp != "":
				want = row.fasthttp
			}
			_, m := inMemory(t, mode, config{delay: atOnce})
			if got := m.dial(t).send(row.send).conversation(); got != want {
				t.Errorf("%s: %s, want %s", row.name, got, want)
			}
		}
	})
}

// conversation reads replies until the connection closes, or nothing has come for a time that is shorter than all
// timeouts of the server.
func (c *client) conversation() string {
	var said []string
	for {
		c.SetReadDeadline(time.Now().Add(3 * time.Second))
		if _, err := c.reader.Peek(1); err != nil {
			end := "closed"
			if strings.Contains(err.Error(), "timeout") {
				end = "open"
			}
			return strings.Join(append(said, end), " ")
		}
		r := c.read(http.MethodGet)
		if r == nil {
			return strings.Join(append(said, "garbage"), " ")
		}
		said = append(said, fmt.Sprint(r.StatusCode))
	}
}

// TestRefusedHEAD checks that the refusal of a HEAD request that the parser accepts has no body.
func TestRefusedHEAD(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, field := range []string{"Expect: tea\r\n", "Content-Length: 9999\r\n", "X: y\r\n z\r\n"} {
			_, m := inMemory(t, mode, config{delay: atOnce})
			c := m.dial(t).send("HEAD / HTTP/1.1\r\n" + host + field + "\r\n")
			all, _ := io.ReadAll(c.reader)
			if !strings.HasPrefix(string(all), "HTTP/1.1 ") || !strings.HasSuffix(string(all), "\r\n\r\n") {
				t.Errorf("%q: %q, want a head alone", field, all)
			}
		}
	})
}

// TestCutShort checks that a client that ends its side in the middle of a request gets one refusal.
func TestCutShort(t *testing.T) {
	eachModeReal(t, 1, func(t *testing.T, mode modes.Instance) {
		_, source := overTCP(t, mode, config{delay: atOnce})
		for _, send := range []string{
			"GET / HTTP/1.1\r\nHost: de",
			"GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhell",
			chunked + "5\r\nhello\r\n",
			chunked + "0\r\n\r",
			chunked + "0\r\nX: y\r\n",
		} {
			c := dialTCP(t, source)
			io.WriteString(c, send)
			c.Conn.(*net.TCPConn).CloseWrite()
			if got := c.conversation(); got != "400 closed" {
				t.Errorf("%q: %s, want 400 closed", send, got)
			}
		}
	})
}

// TestRefusedUpload checks that a limited number of bytes is read from a client that keeps sending after a refusal.
func TestRefusedUpload(t *testing.T) {
	const most = 256<<10 + 64<<10 // plus the bytes on their way to the parser
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for name, send := range map[string]string{
			"a sized body":   "GET / HTTP/1.1\r\n" + host + "Content-Length: 9999999\r\n\r\n",
			"a chunked body": chunked + "fffff\r\n",
			"an extension":   chunked + "1;",
			"a trailer":      chunked + "0\r\n",
			"an expectation": "GET / HTTP/1.1\r\n" + host + "Expect: tea\r\nContent-Length: 1000\r\n\r\n",
			"a bad head":     "GET / HTTP/1.1\r\n" + host + "X Y: z\r\nContent-Length: 1000\r\n\r\n",
			"a long head":    "GET / HTTP/1.1\r\n" + host + "X: ",
		} {
			_, m := inMemory(t, mode, config{delay: atOnce})
			c := m.dial(t)
			go io.Copy(io.Discard, c.Conn)
			io.WriteString(c, send)
			sent := 0
			for some := []byte(strings.Repeat("x", 1<<10)); sent < 8*most; {
				n, err := c.Write(some)
				if sent += n; err != nil {
					break
				}
			}
			if sent > most {
				t.Errorf("%s: %d bytes were read, want at most %d", name, sent, most)
			}
		}
	})
}

// TestErrorReplies checks that an error is one line of plain text, with the headers of its status.
func TestErrorReplies(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, row := range []struct {
			send   string
			status int
			header string
			value  string
		}{
			{"GET /nowhere HTTP/1.1\r\nHost: demo\r\n\r\n", 404, "Server-Timing", "queue;dur=0, work;dur=0"},
			{"POST / HTTP/1.1\r\nHost: demo\r\n\r\n", 405, "Allow", "GET, HEAD"},
			{"GET / HTTP/1.1\r\nHost: demo\r\nContent-Length: 9999\r\n\r\n", 413, "Server", "demo-server (" + mode.Name + ")"},
		} {
			_, m := inMemory(t, mode, config{delay: atOnce})
			r := m.dial(t).send(row.send).read("GET")
			if r == nil || r.StatusCode != row.status || r.Header.Get(row.header) != row.value {
				t.Fatalf("%q: %+v, want %d with %s: %s", row.send, r, row.status, row.header, row.value)
			}
			if strings.Count(r.body, "\n") != 1 || !strings.HasSuffix(r.body, "\n") || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%d: body %q as %s, want one plain line", row.status, r.body, r.Header.Get("Content-Type"))
			}
		}
	})
}

// TestTimeouts checks that a slow client gets 408 or is disconnected when its time has passed, and not before.
func TestTimeouts(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		for _, row := range []struct {
			name  string
			send  string // at first, and then a byte every second
			trick string
			after time.Duration
		}{
			{"silent", "", "", 5 * time.Second},
			{"slow headers", "GET / HTTP/1.1\r\nHost: demo\r\n", "X: xxxxxxxxxxxxxxxxxxxxx", 5 * time.Second},
			{"stalled body", "GET / HTTP/1.1\r\nHost: demo\r\nContent-Length: 9\r\n\r\nx", "", 10 * time.Second},
			{"unending chunks", chunked + "1\r\nx\r\n", "", 10 * time.Second},
			{"half of a last line", chunked + "0\r\n\r", "", 10 * time.Second},
			{"half of a trailer", chunked + "0\r\nX: y\r\n", "", 10 * time.Second},
			{"slow body", "GET / HTTP/1.1\r\nHost: demo\r\nContent-Length: 9\r\n\r\n", "xxx", 13 * time.Second},
		} {
			_, m := inMemory(t, mode, config{delay: atOnce})
			c := m.dial(t)
			before := time.Now()
			go func() {
				c.Write([]byte(row.send))
				for _, b := range []byte(row.trick) {
					time.Sleep(time.Second)
					c.Write([]byte{b})
				}
			}()
			r := c.read("GET")
			took := time.Since(before)
			if strings.Contains(row.send, "\r\n\r\n") && r == nil {
				t.Errorf("%s: no reply, want 408", row.name)
			}
			if r != nil && (r.StatusCode != http.StatusRequestTimeout || !c.closed()) {
				t.Errorf("%s: %d, want 408 and closed", row.name, r.StatusCode)
			}
			if took < row.after || took > row.after+time.Second {
				t.Errorf("%s: ended after %v, want %v", row.name, took, row.after)
			}
		}
	})
}

// TestIdleTimeout checks that an idle connection is closed after idle-timeout.
func TestIdleTimeout(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		if !mode.Capabilities.KeepsAlive {
			return // keeps no connection
		}
		_, m := inMemory(t, mode, config{delay: atOnce})
		c := m.dial(t)
		c.get(http.StatusOK)
		before := time.Now()
		if !c.closed() {
			t.Fatal("still open")
		}
		if took := time.Since(before); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("closed after %v, want 1m", took)
		}
	})
}

// TestWriteTimeout checks that a client that does not read its reply is cut off, and its place is free again.
func TestWriteTimeout(t *testing.T) {
	eachMode(t, 1, func(t *testing.T, mode modes.Instance) {
		s, m := inMemory(t, mode, config{delay: atOnce})
		m.dial(t).send(hello)
		time.Sleep(9 * time.Second)
		if s.app.InFlight() != 1 {
			t.Errorf("%d in flight after 9s, want the one that nobody reads", s.app.InFlight())
		}
		time.Sleep(3 * time.Second)
		if s.app.InFlight() != 0 || s.app.Connections() != 0 {
			t.Errorf("%d in flight, %d connections after 12s", s.app.InFlight(), s.app.Connections())
		}
	})
}

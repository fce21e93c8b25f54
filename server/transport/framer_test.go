package transport

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"demo-server/server"
	"demo-server/server/http1"
)

// TestFramer checks that heads and bodies are handed out one at a time, for all sizes of input and of reads.
func TestFramer(t *testing.T) {
	const host = "Host: demo\r\n"
	for _, row := range []struct {
		name  string
		parts []string // heads and bodies in turn
		err   error
	}{
		{"heads", []string{"GET / HTTP/1.1\r\n" + host + "\r\n", "", "GET /x HTTP/1.0\r\n\r\n", ""}, io.EOF},
		{"sized bodies", []string{
			"GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\n", "hello", "GET / HTTP/1.1\r\n" + host + "content-length:0\r\n\r\n", "",
		}, io.EOF},
		{"a chunked body", []string{
			"GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "",
		}, io.EOF},
		{"the same again", []string{
			"GET / HTTP/1.1\r\n" + host + "\r\n", "", "GET / HTTP/1.1\r\n" + host + "\r\n", "",
			"GET / HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\n", "x", "GET / HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\n", "y",
			"GET / HTTP/1.1\r\n" + host + "\r\n", "", "GET / HTTP/1.1\r\n" + host + "X: y\r\n\r\n", "",
		}, io.EOF},
		{"a body cut short", []string{"GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\n", "hell"}, io.ErrUnexpectedEOF},
		{"half a blank line", []string{"GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r"}, io.ErrUnexpectedEOF},
		{"a head at fault", []string{"GET / HTTP/1.1\r\n" + host + "X Y: z\r\n\r\n"}, server.ErrBadRequest},
	} {
		all := strings.Join(row.parts, "")
		for _, size := range []int{1, 7, 4096} {
			for _, source := range []io.Reader{strings.NewReader(all), iotest.OneByteReader(strings.NewReader(all))} {
				c := stillConn(0, http1.StateNew, 0)
				c.Conn = &script{Reader: source}
				parts, err := readParts(c, size)
				if got := strings.Join(parts, "|"); got != strings.Join(row.parts, "|") || !errors.Is(err, row.err) {
					t.Errorf("%s, %d bytes at a time: %q, %v; want %q, %v", row.name, size, parts, err, row.parts, row.err)
				}
			}
		}
	}
}

// script is a wire with input.
type script struct {
	wire
	io.Reader
}

func (s *script) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// readParts reads heads and bodies in turn, until an error.
func readParts(c *conn, size int) (parts []string, err error) {
	p := make([]byte, size)
	for {
		var head strings.Builder
		for !strings.HasSuffix(head.String(), "\r\n\r\n") {
			n, err := c.Read(p)
			if err != nil {
				return parts, err
			}
			head.Write(p[:n])
		}
		body, err := io.ReadAll(bodyReader{c})
		parts = append(parts, head.String())
		if c.framer.head.Err != nil {
			return parts, c.framer.head.Err
		}
		parts = append(parts, string(body))
		if err != nil {
			return parts, err
		}
	}
}

// TestReadNothing checks that a read into an empty buffer returns, even if input is held.
func TestReadNothing(t *testing.T) {
	c := stillConn(0, http1.StateNew, 0)
	c.framer.held = []byte("GET / HTTP/1.1\r\n\r\n")
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestHeldWhileRefused checks that nothing of a refused request's body is handed out.
func TestHeldWhileRefused(t *testing.T) {
	c := stillConn(time.Second, http1.StateNew, 0)
	c.Conn = &script{Reader: strings.NewReader("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")}
	p := make([]byte, 100)
	c.Read(p)
	c.refuse("GET", "/", "", server.ErrExpectation)
	if n, err := c.Read(p); n != 0 || err != errRefused {
		t.Errorf("%d bytes, %v; want none and %v", n, err, errRefused)
	}
}

package transport

import (
	"errors"
	"testing"

	"demo-server/server"
)

// TestBody: how much of what came is a body's, in one piece and byte by byte. FuzzEventLoop compares with fasthttp.
func TestBody(t *testing.T) {
	const limit = 10
	for _, row := range []struct {
		name   string
		length int64
		send   string // the body, and what is behind it
		takes  int    // bytes of send
		ends   bool
		err    error
	}{
		{"whole", 5, "helloGET", 5, true, nil},
		{"incomplete", 5, "hel", 3, false, nil},
		{"chunks", chunkedBody, "5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\nGET", 23, true, nil},
		{"capital digits and an extension", chunkedBody, "A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", 26, true, nil},
		{"blanks behind the size", chunkedBody, "1 \t\r\nx\r\n0\r\n\r\n", 13, true, nil},
		{"a trailer", chunkedBody, "1\r\nx\r\n0\r\nX: y\r\n\r\nGET", 17, true, nil},
		{"trailer to come", chunkedBody, "1\r\nx\r\n0\r\nX: y\r\n", 9, false, nil},
		{"too much", chunkedBody, "b\r\nhello world\r\n", 14, false, server.ErrBodyTooLarge},
		{"too much said", chunkedBody, "ff\r\nhello world and more", 15, false, server.ErrBodyTooLarge},
		{"no size", chunkedBody, "\r\n", 0, false, errChunk},
		{"no hexadecimal size", chunkedBody, "x\r\n", 0, false, errChunk},
		{"a size too long", chunkedBody, "0000000000000001\r\nx", 15, false, errChunk},
		{"a bare line feed", chunkedBody, "1\nx", 1, false, errChunk},
		{"a line feed in an extension", chunkedBody, "1;a\nb\r\n", 3, false, errChunk},
		{"a blank before an extension", chunkedBody, "1 ;a\r\n", 2, false, errChunk},
		{"no end behind the data", chunkedBody, "1\r\nxy\r\n", 4, false, errChunk},
	} {
		for _, step := range []int{len(row.send), 1} {
			trailer := &trailerReader{head: newHeadReader(4 << 10)}
			b := newBody(row.length, limit)
			taken, ends, err := 0, false, error(nil)
			for end := step; end <= len(row.send) && !ends && err == nil; end += step {
				var n int
				n, ends, err = b.take([]byte(row.send[taken:end]), trailer)
				taken += n
			}
			if taken != row.takes || ends != row.ends || !errors.Is(err, row.err) {
				t.Errorf("%s, %d at a time: took %d, complete %v, %v; want %d, %v, %v",
					row.name, step, taken, ends, err, row.takes, row.ends, row.err)
			}
		}
	}
	if _, _, err := newBody(chunkedBody, limit).take([]byte("0\r\nHost: x\r\n\r\n"), &trailerReader{head: newHeadReader(4 << 10)}); err == nil {
		t.Error("a trailer that names the host is taken")
	}
}

package http1

import (
	"errors"
	"strings"
	"testing"

	"demo-server/server"
)

// TestBody checks how much of the input belongs to the body, in one piece and byte by byte.
func TestBody(t *testing.T) {
	limits := &server.Limits{MaxBodyBytes: 10, MaxHeaderBytes: 34}
	for _, row := range []struct {
		name   string
		length int64
		send   string // the body, and the bytes after it
		takes  int    // bytes of send
		ends   bool
		err    error
	}{
		{"whole", 5, "helloGET", 5, true, nil},
		{"incomplete", 5, "hel", 3, false, nil},
		{"chunks", Chunked, "5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\nGET", 23, true, nil},
		{"capital digits and an extension", Chunked, "A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", 26, true, nil},
		{"blanks behind the size", Chunked, "1 \t\r\nx\r\n0\r\n\r\n", 13, true, nil},
		{"a trailer", Chunked, "1\r\nx\r\n0\r\nX: y\r\n\r\nGET", 17, true, nil},
		{"trailer to come", Chunked, "1\r\nx\r\n0\r\nX: y\r\n", 15, false, nil},
		{"half of the blank line", Chunked, "0\r\n\r", 4, false, nil},
		{"the longest trailer", Chunked, "0\r\nX: " + strings.Repeat("y", 27) + "\r\n\r\n", 37, true, nil},
		{"a trailer too long", Chunked, "0\r\nX: " + strings.Repeat("y", 28) + "\r\n\r\n", 37, false, server.ErrHeaderTooLarge},
		{"a trailer of carriage returns", Chunked, "0\r\n\r\r\r\r", 4, false, errChunk},
		{"a trailer without a colon", Chunked, "0\r\nX\r\n\r\n", 4, false, errTrailer},
		{"a trailer without a name", Chunked, "0\r\n: y\r\n\r\n", 3, false, errTrailer},
		{"a blank in a trailer's name", Chunked, "0\r\nX y: z\r\n\r\n", 4, false, errTrailer},
		{"a folded trailer", Chunked, "0\r\nX: y\r\n z\r\n\r\n", 9, false, errTrailer},
		{"a bare line feed in a trailer", Chunked, "0\r\nX: y\n\r\n", 7, false, errTrailer},
		{"a bare carriage return in a trailer", Chunked, "0\r\nX: y\rz\r\n\r\n", 8, false, errChunk},
		{"a trailer that names the host", Chunked, "0\r\nHost: x\r\n\r\n", 7, false, errTrailer},
		{"a trailer with a length", Chunked, "0\r\nX: y\r\nCONTENT-length: 1\r\n\r\n", 23, false, errTrailer},
		{"trailers that only look so", Chunked, "0\r\nHos: t\r\nHostx: y\r\n\r\n", 23, true, nil},
		{"too much", Chunked, "b\r\nhello world\r\n", 14, false, server.ErrBodyTooLarge},
		{"too much said", Chunked, "ff\r\nhello world and more", 15, false, server.ErrBodyTooLarge},
		{"no size", Chunked, "\r\n", 0, false, errChunk},
		{"no hexadecimal size", Chunked, "x\r\n", 0, false, errChunk},
		{"a size too long", Chunked, "0000000000000001\r\nx", 15, false, errChunk},
		{"a bare line feed", Chunked, "1\nx", 1, false, errChunk},
		{"a line feed in an extension", Chunked, "1;a\nb\r\n", 3, false, errChunk},
		{"a blank before an extension", Chunked, "1 ;a\r\n", 2, false, errChunk},
		{"an extension that just fits", Chunked, "1;" + strings.Repeat("e", maxSizeLine-4) + "\r\nx\r\n0\r\n\r\n", maxSizeLine + 8, true, nil},
		{"an extension too long", Chunked, "1;" + strings.Repeat("e", maxSizeLine-3) + "\r\nx\r\n", maxSizeLine, false, errChunk},
		{"more framing than data", Chunked, strings.Repeat("1;"+strings.Repeat("e", 2000)+"\r\nx\r\n", 9), maxFraming + 8*(1+sizeLine+2), false, errChunk},
		{"small chunks", Chunked, strings.Repeat("1;eeeeeeeee\r\nx\r\n", 10) + "0\r\n\r\n", 10*16 + 5, true, nil},
		{"no end behind the data", Chunked, "1\r\nxy\r\n", 4, false, errChunk},
	} {
		for _, step := range []int{len(row.send), 1} {
			b := NewBody(row.length, limits)
			taken, ends, err := 0, false, error(nil)
			for end := step; end <= len(row.send) && !ends && err == nil; end += step {
				var n int
				n, ends, err = b.Consume([]byte(row.send[taken:end]))
				taken += n
			}
			if taken != row.takes || ends != row.ends || !errors.Is(err, row.err) {
				t.Errorf("%s, %d at a time: took %d, complete %v, %v; want %d, %v, %v",
					row.name, step, taken, ends, err, row.takes, row.ends, row.err)
			}
		}
	}
}

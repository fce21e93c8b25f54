package transport

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/valyala/fasthttp"

	"demo-server/server"
)

// A body is a request's body as it comes, in pieces that end anywhere. Its bytes are counted and dropped.
//
// fasthttp's reader of chunked bodies blocks until a chunk is whole, which an event loop cannot. This one accepts and
// refuses the same bytes (RFC 9112, section 7.1), which FuzzEventLoop holds it to; the trailer is fasthttp's to read.
type body struct {
	limit int64 // bytes of data that are accepted
	read  int64 // bytes of data so far
	left  int64 // of the chunk, or of the whole body where it is not chunked
	at    chunkPart
	digit int // of the chunk's size

	// Of the request, for when it is complete.
	method, path, query string
}

// A chunkPart is what of a chunked body comes next.
type chunkPart uint8

const (
	wholeBody      chunkPart = iota // not chunked: all is data
	chunkSize                       // hexadecimal digits
	chunkBlanks                     // blanks behind the size
	chunkExtension                  // from a semicolon to the end of the line, not looked at
	chunkSizeLF                     // the last of the size's CRLF
	chunkData
	chunkCR // the CRLF behind the data
	chunkLF
	chunkTrailer // header fields, and the blank line
)

// maxChunkDigits is how many digits a chunk's size may have. fasthttp's limit is that of its int.
const maxChunkDigits = 7 + 8*int(^uint(0)>>63)

var errChunk = errors.New("broken chunk")

// newBody is for a body of length bytes, or chunkedBody, or noBody.
func newBody(length, limit int64) *body {
	if length == chunkedBody {
		return &body{limit: limit, at: chunkSize}
	}
	return &body{limit: limit, left: max(0, length)}
}

// take takes what it can of p, and says how many bytes that was and whether the body is complete. What it leaves of an
// incomplete body has to be offered again, with more behind it.
func (b *body) take(p []byte, trailer *trailerReader) (n int, complete bool, err error) {
	for n < len(p) {
		switch b.at {
		case wholeBody, chunkData:
			n += b.takeData(len(p) - n)
			if b.read > b.limit {
				return n, false, server.ErrBodyTooLarge
			}
			if b.at == wholeBody && b.left == 0 {
				return n, true, nil
			}
		case chunkTrailer:
			length, err := trailer.read(p[n:])
			return n + length, length > 0 && err == nil, err
		default:
			if err := b.takeFraming(p[n]); err != nil {
				return n, false, err
			}
			n++
		}
	}
	return n, false, nil
}

func (b *body) takeData(available int) int {
	n := min(int64(available), b.left, b.limit-b.read+1)
	b.read += n
	b.left -= n
	if b.left == 0 && b.at == chunkData {
		b.at = chunkCR
	}
	return int(n)
}

// takeFraming takes one byte that is neither data nor of the trailer.
func (b *body) takeFraming(c byte) error {
	switch b.at {
	case chunkSize:
		if digit, ok := hexDigit(c); ok && b.digit < maxChunkDigits {
			b.left = b.left<<4 | digit
			b.digit++
			return nil
		}
		if b.digit == 0 {
			return errChunk
		}
		return b.takeAfterSize(c)
	case chunkBlanks:
		if c == ';' {
			return errChunk
		}
		return b.takeAfterSize(c)
	case chunkExtension:
		switch c {
		case '\r':
			b.at = chunkSizeLF
		case '\n':
			return errChunk // a proxy may take it for the end of the line
		}
		return nil
	case chunkCR:
		b.at = chunkLF
		return expect(c, '\r')
	case chunkSizeLF:
		b.at = chunkData
		if b.left == 0 {
			b.at = chunkTrailer
		}
	case chunkLF:
		b.at, b.digit = chunkSize, 0
	}
	return expect(c, '\n')
}

func (b *body) takeAfterSize(c byte) error {
	switch c {
	case '\r':
		b.at = chunkSizeLF
	case ' ', '\t':
		b.at = chunkBlanks
	case ';':
		b.at = chunkExtension
	default:
		return errChunk
	}
	return nil
}

func expect(got, want byte) error {
	if got != want {
		return errChunk
	}
	return nil
}

func hexDigit(c byte) (int64, bool) {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0'), true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int64(c|0x20-'a') + 10, true
	}
	return 0, false
}

// errMore says that a request's bytes end before it does.
var errMore = errors.New("more has to come")

// A window lets a parser read what has come of a request so far, and then errMore.
type window struct{ rest []byte }

func (w *window) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		return 0, errMore
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// A headReader hands bytes that have come to fasthttp's parser, which reads from a bufio.Reader.
type headReader struct {
	window window
	buffer *bufio.Reader
}

// newHeadReader returns one for heads of at most size bytes.
func newHeadReader(size int) *headReader {
	r := &headReader{}
	r.buffer = bufio.NewReaderSize(&r.window, size)
	return r
}

// read offers p to parse, and returns how many bytes parse took, or errMore when it needs more than p.
func (r *headReader) read(p []byte, parse func(*bufio.Reader) error) (int, error) {
	r.window.rest = p
	r.buffer.Reset(&r.window)
	err := parse(r.buffer)
	if errors.Is(err, errMore) {
		return 0, errMore
	}
	return len(p) - len(r.window.rest) - r.buffer.Buffered(), err
}

// A trailerReader reads what is behind the last chunk of a body.
type trailerReader struct {
	head   *headReader
	header fasthttp.RequestHeader
}

// read returns how many bytes the trailer has, or 0 when it is not complete.
func (t *trailerReader) read(p []byte) (int, error) {
	t.header.Reset()
	n, err := t.head.read(p, t.header.ReadTrailer)
	if err == nil {
		return n, nil
	}
	// The beginning of the blank line alone is io.EOF to the parser.
	if err == errMore || errors.Is(err, io.EOF) {
		return 0, nil
	}
	return 0, fmt.Errorf("trailer: %w", err)
}

package transport

import (
	"bufio"
	"errors"
	"strings"

	"demo-server/server"
)

// A body is a request's body as it comes, in pieces that end anywhere. Its bytes are counted and dropped.
//
// fasthttp's reader of chunked bodies blocks until a chunk is whole, which an event loop cannot. This one takes every
// byte as it comes (RFC 9112, section 7.1), so that nothing of a body ever waits in a buffer for the rest of it.
type body struct {
	limit   int64 // bytes of data that are accepted
	trailer int   // bytes that the trailer may still have
	read    int64 // bytes of data so far
	left    int64 // of the chunk, or of the whole body where it is not chunked
	at      chunkPart
	digit   int // of the chunk's size
	name    fieldName

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
	trailerLine // a trailer field, or the blank line that ends the body
	trailerName
	trailerValue
	trailerLF  // the last of a trailer field's CRLF
	trailerEnd // the last of the blank line's CRLF
)

// maxChunkDigits is how many digits a chunk's size may have. fasthttp's limit is that of its int.
const maxChunkDigits = 7 + 8*int(^uint(0)>>63)

var (
	errChunk   = errors.New("broken chunk")
	errTrailer = errors.New("broken trailer")
)

// newBody is for a body of length bytes, or chunkedBody, or noBody. Its trailer may have maxTrailer bytes.
func newBody(length, limit int64, maxTrailer int) *body {
	if length == chunkedBody {
		return &body{limit: limit, trailer: maxTrailer, at: chunkSize}
	}
	return &body{limit: limit, left: max(0, length)}
}

// take takes what it can of p, and returns how many bytes that was and whether the body is complete. Without an error
// that is all of p, or the rest of the body.
func (b *body) take(p []byte) (n int, complete bool, err error) {
	for n < len(p) {
		if b.at == wholeBody || b.at == chunkData {
			n += b.takeData(len(p) - n)
			if b.read > b.limit {
				return n, false, server.ErrBodyTooLarge
			}
			if b.at == wholeBody && b.left == 0 {
				return n, true, nil
			}
			continue
		}
		complete, err := b.takeFraming(p[n])
		if err != nil {
			return n, false, err
		}
		n++
		if complete {
			return n, true, nil
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

// takeFraming takes one byte that is not data, and reports whether it is the body's last.
func (b *body) takeFraming(c byte) (complete bool, err error) {
	if b.at < trailerLine {
		return false, b.takeChunkFraming(c)
	}
	if b.trailer--; b.trailer < 0 {
		return false, server.ErrHeaderTooLarge
	}
	if b.at == trailerEnd {
		return true, expect(c, '\n')
	}
	return false, b.takeTrailer(c)
}

// takeChunkFraming takes one byte of a chunk that is not data.
func (b *body) takeChunkFraming(c byte) error {
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
			b.at = trailerLine
		}
	case chunkLF:
		b.at, b.digit = chunkSize, 0
	}
	return expect(c, '\n')
}

// takeTrailer takes one byte of the trailer section. Its fields are checked and dropped.
func (b *body) takeTrailer(c byte) error {
	switch {
	case b.at == trailerLine && c == '\r':
		b.at = trailerEnd
	case b.at == trailerLine:
		b.at, b.name = trailerName, newFieldName()
		return b.name.take(c)
	case b.at == trailerName && c == ':':
		b.at = trailerValue
		return b.name.check()
	case b.at == trailerName:
		return b.name.take(c)
	case b.at == trailerValue && c == '\r':
		b.at = trailerLF
	case b.at == trailerValue && (c < ' ' && c != '\t' || c == 0x7f):
		return errTrailer
	case b.at == trailerLF:
		b.at = trailerLine
		return expect(c, '\n')
	}
	return nil
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

// A fieldName is the name of a trailer field as it comes. It is compared on the way with the names that a trailer must
// not have, because nothing keeps its bytes.
type fieldName struct {
	length   int
	possible uint8 // a bit for each of forbiddenTrailers that the name may still become
}

// forbiddenTrailers would change how the request is framed or routed (RFC 9110, section 6.5.1). A recipient that merges
// trailers into headers would act on them.
var forbiddenTrailers = [...]string{"content-length", "transfer-encoding", "host", "connection", "trailer", "te"}

func newFieldName() fieldName { return fieldName{possible: 1<<len(forbiddenTrailers) - 1} }

func (n *fieldName) take(c byte) error {
	if !isToken(c) {
		return errTrailer
	}
	if n.possible != 0 {
		for i, forbidden := range forbiddenTrailers {
			if n.length >= len(forbidden) || forbidden[n.length] != lower(c) {
				n.possible &^= 1 << i
			}
		}
	}
	n.length++
	return nil
}

// check returns an error if the name, now complete, must not be in a trailer.
func (n *fieldName) check() error {
	for i, forbidden := range forbiddenTrailers {
		if n.possible&(1<<i) != 0 && n.length == len(forbidden) {
			return errTrailer
		}
	}
	return nil
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// isToken reports whether c may be in a method or a field name (RFC 9110, section 5.6.2).
func isToken(c byte) bool { return tokens[c] }

var tokens = func() (tokens [256]bool) {
	for c := range tokens {
		letterOrDigit := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		tokens[c] = letterOrDigit || c < 0x80 && strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c))
	}
	return tokens
}()

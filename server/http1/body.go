package http1

import (
	"errors"
	"os"

	"demo-server/server"
)

// A Body reads a request's body from pieces of any size. It counts its bytes and drops them.
//
// fasthttp's reader of chunked bodies blocks until a chunk is complete, which an event loop cannot do. Body accepts
// every byte as it arrives (RFC 9112, section 7.1), and never needs a buffer.
type Body struct {
	limit   int64 // bytes of data that are allowed
	trailer int   // bytes that the trailer may still use
	read    int64 // bytes of data so far
	left    int64 // bytes of data left in the chunk, or in a body that is not chunked
	at      chunkPart
	line    int // bytes of the line with the chunk's size
	framing int // bytes of framing beyond the share of the data so far
	name    fieldName
}

// A chunkPart is the part of a chunked body that comes next.
type chunkPart uint8

const (
	wholeBody      chunkPart = iota // not chunked: only data
	chunkSize                       // hexadecimal digits
	chunkBlanks                     // blanks after the size
	chunkExtension                  // from a semicolon to the end of the line, ignored
	chunkSizeLF                     // the LF after the size
	chunkData
	chunkCR // the CR after the data
	chunkLF
	trailerLine // a trailer field, or the blank line that ends the body
	trailerName
	trailerValue
	trailerLF  // the LF after a trailer field
	trailerEnd // the LF of the blank line
)

// maxChunkDigits is the maximum number of digits of a chunk's size. It is fasthttp's limit, which comes from its int.
const maxChunkDigits = 7 + 8*int(^uint(0)>>63)

// maxSizeLine is the maximum length of a line with a chunk's size, and so of its extension. It is net/http's limit,
// which comes from its buffer.
const maxSizeLine = 4<<10 - 1

// sizeLine is the length of a size line that does not count as excess framing.
const sizeLine = 16

var (
	errChunk   = errors.New("broken chunk")
	errTrailer = errors.New("broken trailer")
)

// maxFraming limits the bytes of framing in excess of the data's share, as in net/http. Nothing else limits chunk
// extensions and leading zeros.
const maxFraming = 16 << 10

// NewBody returns a Body of length bytes, or of unknown length if length is Chunked.
func NewBody(length int64, limits *server.Limits) Body {
	if length == Chunked {
		return Body{limit: limits.MaxBodyBytes, trailer: limits.MaxHeaderBytes, at: chunkSize}
	}
	return Body{limit: limits.MaxBodyBytes, left: length}
}

// InTrailer reports whether the body's trailer has begun.
func (b *Body) InTrailer() bool { return b.at >= trailerLine }

// Consume consumes the beginning of p. It returns the number of bytes consumed, and whether the body is complete.
// Without an error, it consumes all of p or the rest of the body.
func (b *Body) Consume(p []byte) (n int, complete bool, err error) {
	for n < len(p) {
		if b.at == wholeBody || b.at == chunkData {
			n += b.consumeData(len(p) - n)
			if b.read > b.limit {
				return n, false, server.ErrBodyTooLarge
			}
			if b.at == wholeBody && b.left == 0 {
				return n, true, nil
			}
			continue
		}
		complete, err := b.consumeFraming(p[n])
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

func (b *Body) consumeData(available int) int {
	n := min(int64(available), b.left, b.limit-b.read+1)
	b.read += n
	b.left -= n
	if b.left == 0 && b.at == chunkData {
		b.at = chunkCR
	}
	return int(n)
}

// consumeFraming consumes a byte that is not data, and reports whether it is the body's last.
func (b *Body) consumeFraming(c byte) (complete bool, err error) {
	if b.at < trailerLine {
		b.framing++
		b.line++
		if b.framing > maxFraming || b.line > maxSizeLine {
			return false, errChunk
		}
		return false, b.consumeChunkFraming(c)
	}
	if b.trailer--; b.trailer < 0 {
		return false, server.ErrHeaderTooLarge
	}
	if b.at == trailerEnd {
		return true, expect(c, '\n')
	}
	return false, b.consumeTrailer(c)
}

// consumeChunkFraming consumes a byte of a chunk that is not data.
func (b *Body) consumeChunkFraming(c byte) error {
	switch b.at {
	case chunkSize:
		if digit, ok := hexDigit(c); ok && b.line <= maxChunkDigits {
			b.left = b.left<<4 | digit
			return nil
		}
		if b.line == 1 {
			return errChunk
		}
		return b.consumeAfterSize(c)
	case chunkBlanks:
		if c == ';' {
			return errChunk
		}
		return b.consumeAfterSize(c)
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
		b.line = 0
		// A chunk's share is its size line and twice its data.
		b.framing = int(max(0, int64(b.framing)-sizeLine-2*min(b.left, maxFraming)))
	case chunkLF:
		b.at, b.line = chunkSize, 0
	}
	return expect(c, '\n')
}

// consumeTrailer consumes a byte of the trailer section. Trailer fields are checked and dropped.
func (b *Body) consumeTrailer(c byte) error {
	switch {
	case b.at == trailerLine && c == '\r':
		b.at = trailerEnd
	case b.at == trailerLine:
		b.at, b.name = trailerName, newFieldName()
		return b.name.consume(c)
	case b.at == trailerName && c == ':':
		b.at = trailerValue
		return b.name.check()
	case b.at == trailerName:
		return b.name.consume(c)
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

func (b *Body) consumeAfterSize(c byte) error {
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

// A fieldName is the name of a trailer field. It is compared with the forbidden names byte by byte, because nothing
// stores it.
type fieldName struct {
	length   int
	possible uint8 // one bit for each of forbiddenTrailers that still matches
}

// forbiddenTrailers would change how the request is framed or routed (RFC 9110, section 6.5.1). A recipient that merges
// trailers into headers would act on them.
var forbiddenTrailers = [...]string{"content-length", "transfer-encoding", "host", "connection", "trailer", "te"}

func newFieldName() fieldName { return fieldName{possible: 1<<len(forbiddenTrailers) - 1} }

func (n *fieldName) consume(c byte) error {
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

// check returns an error if the complete name is forbidden in a trailer.
func (n *fieldName) check() error {
	for i, forbidden := range forbiddenTrailers {
		if n.possible&(1<<i) != 0 && n.length == len(forbidden) {
			return errTrailer
		}
	}
	return nil
}

// BodyError returns the error of the status table for an error of a body.
func BodyError(err error) error {
	for _, known := range []error{server.ErrBodyTooLarge, server.ErrHeaderTooLarge} {
		if errors.Is(err, known) {
			return known
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return server.ErrTimeout
	}
	return server.ErrBadRequest
}

package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"github.com/valyala/fasthttp"

	"demo-server/server"
)

// A HeadParser parses complete heads with fasthttp.
type HeadParser struct {
	Header fasthttp.RequestHeader
	uri    fasthttp.URI
	head   bytes.Reader
	buffer *bufio.Reader
}

// NewHeadParser returns a parser for heads of at most size bytes.
func NewHeadParser(size int) HeadParser { return HeadParser{buffer: bufio.NewReaderSize(nil, size)} }

func (p *HeadParser) Parse(head []byte) error {
	p.head.Reset(head)
	p.buffer.Reset(&p.head)
	return p.Header.Read(p.buffer)
}

// Target returns the path and the query of the parsed request.
func (p *HeadParser) Target() (path, query string, err error) {
	if err := p.uri.Parse(p.Header.Host(), p.Header.RequestURI()); err != nil {
		return "", "", server.ErrBadRequest
	}
	return Path(&p.uri), Query(&p.uri), nil
}

// CheckHead returns the first problem of a request with a parsed head, before its body is read, or nil.
func CheckHead(header *fasthttp.RequestHeader, head *Head, maxBody int64) error {
	if head.Err != nil {
		return head.Err
	}
	if !header.IsHTTP11() && !bytes.HasPrefix(header.Protocol(), []byte("HTTP/1.")) {
		return server.ErrVersion
	}
	if head.Length > maxBody {
		return server.ErrBodyTooLarge
	}
	return nil
}

// MayContinue reports whether the client waits for 100 Continue before it sends its body. A client of HTTP/1.0 never
// does.
func MayContinue(header *fasthttp.RequestHeader, head *Head) bool {
	return head.expectsContinue && head.HasBody() && header.IsHTTP11()
}

// ParseError returns the error of the status table for an error of fasthttp's parser.
func ParseError(err error) error {
	var tooSmall *fasthttp.ErrSmallBuffer
	switch {
	case errors.As(err, &tooSmall):
		return server.ErrHeaderTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return server.ErrTimeout
	case strings.Contains(err.Error(), "transfer-encoding"): // these errors have no common type
		return server.ErrCoding
	}
	return server.ErrBadRequest
}

// IsDisconnect reports whether err means that the connection has ended, and not that the request is faulty. It needs no
// reply.
func IsDisconnect(err error) bool {
	var nothing fasthttp.ErrNothingRead
	if errors.As(err, &nothing) {
		return true
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return false
	}
	var operation *net.OpError
	return errors.As(err, &operation) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

// Method returns the method as a string, without an allocation if it is GET or HEAD.
func Method(method []byte) string {
	switch string(method) {
	case fasthttp.MethodGet:
		return fasthttp.MethodGet
	case fasthttp.MethodHead:
		return fasthttp.MethodHead
	}
	return string(method)
}

// Path returns the path as it was sent, not normalised, as chi routes it.
func Path(uri *fasthttp.URI) string {
	path := uri.PathOriginal()
	if len(path) == 0 || len(path) == 1 && path[0] == '/' {
		return "/"
	}
	return string(path)
}

// Query returns the query as it was sent. An empty query does not allocate.
func Query(uri *fasthttp.URI) string { return string(uri.QueryString()) }

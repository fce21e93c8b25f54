package transport

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

// A parser parses complete heads with fasthttp.
type parser struct {
	header fasthttp.RequestHeader
	uri    fasthttp.URI
	head   bytes.Reader
	buffer *bufio.Reader
}

// newParser returns a parser for heads of at most size bytes.
func newParser(size int) parser { return parser{buffer: bufio.NewReaderSize(nil, size)} }

func (p *parser) parse(head []byte) error {
	p.head.Reset(head)
	p.buffer.Reset(&p.head)
	return p.header.Read(p.buffer)
}

// target is the path and the query of the request whose head was parsed.
func (p *parser) target() (path, query string, err error) {
	if err := p.uri.Parse(p.header.Host(), p.header.RequestURI()); err != nil {
		return "", "", server.ErrBadRequest
	}
	return pathOf(&p.uri), queryOf(&p.uri), nil
}

// checkHead finds what is wrong with a request whose head is parsed, before its body is read.
func checkHead(header *fasthttp.RequestHeader, head *head, maxBody int64) error {
	if head.err != nil {
		return head.err
	}
	if !header.IsHTTP11() && !bytes.HasPrefix(header.Protocol(), []byte("HTTP/1.")) {
		return server.ErrVersion
	}
	if head.length > maxBody {
		return server.ErrBodyTooLarge
	}
	return nil
}

// mayContinue reports whether the client waits for 100 Continue before it sends its body, as none does in HTTP/1.0.
func mayContinue(header *fasthttp.RequestHeader, head *head) bool {
	return head.waits && head.hasBody() && header.IsHTTP11()
}

// parseError finds the row of the status table for an error of fasthttp's parser.
func parseError(err error) error {
	var tooSmall *fasthttp.ErrSmallBuffer
	switch {
	case errors.As(err, &tooSmall):
		return server.ErrHeaderTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return server.ErrTimeout
	case strings.Contains(err.Error(), "transfer-encoding"): // its errors on this have no common type
		return server.ErrCoding
	}
	return server.ErrBadRequest
}

// gone reports whether err is the connection's end, which needs no answer, and not a request's fault.
func gone(err error) bool {
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

// methodOf returns the method as a string, which for those that everything is read with costs no allocation.
func methodOf(method []byte) string {
	switch string(method) {
	case fasthttp.MethodGet:
		return fasthttp.MethodGet
	case fasthttp.MethodHead:
		return fasthttp.MethodHead
	}
	return string(method)
}

// pathOf returns the path as it was sent, not normalised, as chi routes it.
func pathOf(uri *fasthttp.URI) string {
	path := uri.PathOriginal()
	if len(path) == 0 || len(path) == 1 && path[0] == '/' {
		return "/"
	}
	return string(path)
}

// queryOf returns the query as it was sent, which costs nothing where there is none.
func queryOf(uri *fasthttp.URI) string { return string(uri.QueryString()) }

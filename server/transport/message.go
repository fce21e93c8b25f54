package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/valyala/fasthttp"

	"demo-server/server"
)

// This file is what the transports on fasthttp's parser share: the checks that the parser leaves to its caller, and the
// reply.

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

// headError returns why a head could not be read, or nil if the connection ended without one.
func (c *conn) headError(err error) error {
	switch {
	case c.inflow.head.err != nil:
		return c.inflow.head.err
	case !gone(err):
		return parseError(err)
	case len(c.inflow.partial) > 0:
		return server.ErrBadRequest // the client ended in the middle of it, and may still read
	}
	return nil
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

var serverTiming = []byte("Server-Timing")

// hasContent reports whether replies of this status have a body, be it an empty one: the others have no header that tells
// of it (RFC 9110, sections 8.6, 15.3.5 and 15.4.5).
func hasContent(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// writeReply puts a reply into a response. Server is the library's to say, or the caller's.
func writeReply(response *fasthttp.Response, reply *server.Reply) {
	response.SetStatusCode(reply.Status)
	response.SetBodyRaw(reply.Body)
	header := &response.Header
	if hasContent(reply.Status) {
		header.SetContentType(server.ContentType)
		if len(reply.Body) == 0 {
			header.SetContentLength(0) // fasthttp does not say so to HEAD by itself
		}
	} else {
		header.SetNoDefaultContentType(true)
	}
	header.SetCanonical(serverTiming, reply.Timing)
	if reply.Allow != "" {
		header.Set("Allow", reply.Allow)
	}
	if reply.RetryAfter != "" {
		header.Set("Retry-After", reply.RetryAfter)
	}
	for _, h := range reply.Headers {
		header.Set(h.Name, h.Value)
	}
	if reply.Close {
		response.SetConnectionClose()
	}
}

package http1

import (
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"demo-server/server"
)

// smallBody is how long a body may be to be copied behind the head, so that both are one write.
const smallBody = 16 << 10

var Continue = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// A ReplyWriter writes replies for the transports that have no library to do so. It holds what all replies of the same
// second begin with.
type ReplyWriter struct {
	server string // the Server header
	second int64
	common []byte // the headers that all replies have
}

// NewReplyWriter returns a writer of replies that name a server.
func NewReplyWriter(name string) ReplyWriter { return ReplyWriter{server: name} }

// SetTime makes what is written from now on bear that time.
func (l *ReplyWriter) SetTime(now time.Time) {
	if second := now.Unix(); second != l.second || l.common == nil {
		l.second = second
		l.common = append(append(l.common[:0], "Server: "...), l.server...)
		l.common = fasthttp.AppendHTTPDate(append(l.common, "\r\nDate: "...), now)
	}
}

// What a request's head says of how to reply.
type RequestInfo struct {
	HTTP10 bool // the client's version is 1.0: it has to be told where its connection is kept
	Head   bool // the method is HEAD: the body is not sent
	Close  bool // the client asks to close the connection
}

// Append writes the reply's head, and its body if that is small. A longer body it returns, to be written next. A body
// that drips is left to its caller.
func (l *ReplyWriter) Append(b []byte, reply *server.Reply, manner RequestInfo) (head, body []byte) {
	head = l.appendHead(b, reply, manner)
	switch {
	case manner.Head || reply.Pieces > 0:
		return head, nil
	case len(reply.Body) <= smallBody:
		return append(head, reply.Body...), nil
	}
	return head, reply.Body
}

// appendHead writes the reply's status and headers.
func (l *ReplyWriter) appendHead(b []byte, reply *server.Reply, manner RequestInfo) []byte {
	b = appendStatus(b, reply.Status)
	b = append(b, l.common...)
	if HasBody(reply.Status) {
		b = append(b, "\r\nContent-Type: "+server.ContentType+"\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(reply.Body)), 10)
	}
	b = append(append(b, "\r\nServer-Timing: "...), reply.Timing...)
	if reply.Allow != "" {
		b = append(append(b, "\r\nAllow: "...), reply.Allow...)
	}
	if reply.RetryAfter != "" {
		b = append(append(b, "\r\nRetry-After: "...), reply.RetryAfter...)
	}
	for _, h := range reply.Headers {
		b = append(append(append(append(b, "\r\n"...), h.Name...), ": "...), h.Value...)
	}
	switch {
	case reply.Close || manner.Close:
		b = append(b, "\r\nConnection: close"...)
	case manner.HTTP10:
		b = append(b, "\r\nConnection: keep-alive"...)
	}
	return append(b, "\r\n\r\n"...)
}

func appendStatus(b []byte, status int) []byte {
	if status == http.StatusOK {
		return append(b, "HTTP/1.1 200 OK\r\n"...)
	}
	b = strconv.AppendInt(append(b, "HTTP/1.1 "...), int64(status), 10)
	b = append(append(b, ' '), fasthttp.StatusMessage(status)...)
	return append(b, "\r\n"...)
}

// HasBody reports whether replies of this status have a body, be it an empty one: the others have no header that tells
// of it (RFC 9110, sections 8.6, 15.3.5 and 15.4.5).
func HasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

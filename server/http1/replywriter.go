package http1

import (
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"demo-server/server"
)

// smallBody is the maximum length of a body that is copied behind the head, to send both in one write.
const smallBody = 16 << 10

var Continue = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// A ReplyWriter formats replies without a library. It caches the headers that are the same for one second.
type ReplyWriter struct {
	server string // the Server header
	second int64
	common []byte // the headers of all replies
}

// NewReplyWriter returns a writer of replies with that Server header.
func NewReplyWriter(name string) ReplyWriter { return ReplyWriter{server: name} }

// SetTime sets the time of further replies.
func (w *ReplyWriter) SetTime(now time.Time) {
	if second := now.Unix(); second != w.second || w.common == nil {
		w.second = second
		w.common = append(append(w.common[:0], "Server: "...), w.server...)
		w.common = fasthttp.AppendHTTPDate(append(w.common, "\r\nDate: "...), now)
	}
}

// A RequestInfo holds the parts of a request that influence the form of its reply.
type RequestInfo struct {
	HTTP10 bool // the version is 1.0, and the reply has to say if the connection stays open
	Head   bool // the method is HEAD, and the body is not sent
	Close  bool // the client asks to close the connection
}

// Append appends the reply's head to b, and its body if that is small. It returns a longer body, to be written next.
// The caller writes a body that drips.
func (w *ReplyWriter) Append(b []byte, reply *server.Reply, info RequestInfo) (head, body []byte) {
	head = w.appendHead(b, reply, info)
	switch {
	case info.Head || reply.Pieces > 0:
		return head, nil
	case len(reply.Body) <= smallBody:
		return append(head, reply.Body...), nil
	}
	return head, reply.Body
}

// appendHead appends the reply's status and headers.
func (w *ReplyWriter) appendHead(b []byte, reply *server.Reply, info RequestInfo) []byte {
	b = appendStatus(b, reply.Status)
	b = append(b, w.common...)
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
	case reply.Close || info.Close:
		b = append(b, "\r\nConnection: close"...)
	case info.HTTP10:
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

// HasBody reports whether replies with this status have a body, which may be empty. The others have no headers about a
// body (RFC 9110, sections 8.6, 15.3.5 and 15.4.5).
func HasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

package http1

import (
	"bytes"
	"net/netip"
	"unicode"

	"demo-server/server"
)

// This file reads the framing of a request from its head, once for all transports. net/http and fasthttp parse the same
// head again, but each silently accepts or corrects other things that decide where the request ends.

// A Head holds the framing of a request.
type Head struct {
	Length          int64 // of the body; or Chunked, or NoBody
	isCoded         bool  // has a Transfer-Encoding
	hasLength       bool  // has a Content-Length
	hasHost         bool  // has a Host
	expectsContinue bool  // expects 100-continue
	Err             error // why the request is refused: an error of the status table, or nil
}

const (
	Chunked = -1
	NoBody  = -2
)

// Ambiguous reports whether a proxy may frame the request differently (RFC 9112, section 6.3). Its connection is closed
// after the reply.
func (h *Head) Ambiguous() bool { return h.isCoded && h.hasLength }

// HasBody reports whether at least one byte of a body, framing included, follows the head.
func (h *Head) HasBody() bool { return h.Length > 0 || h.Length == Chunked }

// BlankLines returns the length of the blank lines at the beginning of p. A client may send them before a request (RFC
// 9112, section 2.2).
func BlankLines(p []byte) int {
	n := 0
	for n < len(p) && (p[n] == '\r' || p[n] == '\n') {
		n++
	}
	return n
}

// HeadEnd returns the length of the head at the beginning of p, or -1 if it is incomplete. The first searched bytes of
// p are known not to end it. If a bare line feed makes the blank line, the length may be too large; Parse refuses such
// a head.
func HeadEnd(p []byte, searched int) int {
	from := max(0, searched-2) // the end may begin in them
	if i := bytes.Index(p[from:], blankLine); i >= 0 {
		return from + i + len(blankLine)
	}
	if i := bytes.Index(p[from:], bareBlankLine); i >= 0 {
		return from + i + len(bareBlankLine)
	}
	return -1
}

// The possible ends of a head.
var (
	blankLine     = []byte("\n\r\n")
	bareBlankLine = []byte("\n\n")
)

// Parse reads the framing of a complete head.
func (h *Head) Parse(p []byte) {
	*h = Head{Length: NoBody}
	line, rest, ok := cutLine(p)
	if !ok || !validTarget(line) {
		h.Err = server.ErrBadRequest
		return
	}
	http11 := bytes.HasSuffix(line, versionEleven)
	for h.Err == nil {
		if line, rest, ok = cutLine(rest); !ok {
			h.Err = server.ErrBadRequest
			return
		}
		if len(line) == 0 {
			break
		}
		h.field(line)
	}
	if h.Err == nil && h.isCoded && !http11 {
		h.Err = server.ErrCoding // such framing counts as faulty (RFC 9112, section 6.1)
	}
}

var versionEleven = []byte(" HTTP/1.1")

// cutLine returns the first line of p without its CRLF. ok is false if it ends in a bare line feed.
func cutLine(p []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(p, '\n')
	if i < 1 || p[i-1] != '\r' {
		return nil, nil, false
	}
	return p[:i-1], p[i+1:], true
}

// field reads a header field. It refuses a line that begins with a blank, which continues the previous line (obs-fold):
// some recipients would see a field in it, and others would not.
func (h *Head) field(line []byte) {
	colon := 0
	for colon < len(line) && tokens[line[colon]] {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		h.Err = server.ErrBadRequest
		return
	}
	name, value := line[:colon], line[colon+1:]
	switch len(name) {
	case len("Host"):
		if equalFold(name, "host") {
			h.host(trim(value))
		}
	case len("Expect"):
		if equalFold(name, "expect") {
			h.expect(trim(value))
		}
	case len("Content-Length"):
		if equalFold(name, "content-length") {
			h.contentLength(trim(value))
		}
	case len("Transfer-Encoding"):
		if equalFold(name, "transfer-encoding") {
			h.transferEncoding(trim(value))
		}
	}
}

func (h *Head) host(value []byte) {
	if h.hasHost || !validHost(value) {
		h.Err = server.ErrBadRequest
	}
	h.hasHost = true
}

func (h *Head) expect(value []byte) {
	switch {
	case len(value) == 0:
	case equalFold(value, "100-continue"):
		h.expectsContinue = true
	default:
		h.Err = server.ErrExpectation
	}
}

// maxLengthDigits keeps lengths within an int64.
const maxLengthDigits = 18

// contentLength refuses a second length even if it is equal, because another recipient may have seen only one of them.
func (h *Head) contentLength(value []byte) {
	if h.hasLength || len(value) == 0 || len(value) > maxLengthDigits {
		h.Err = server.ErrBadRequest
		return
	}
	h.hasLength = true
	length := int64(0)
	for _, c := range value {
		if c < '0' || c > '9' {
			h.Err = server.ErrBadRequest
			return
		}
		length = length*10 + int64(c-'0')
	}
	if !h.isCoded {
		h.Length = length
	}
}

func (h *Head) transferEncoding(value []byte) {
	if bytes.ContainsFunc(value, unicode.IsControl) {
		h.Err = server.ErrBadRequest
		return
	}
	if h.isCoded || !equalFold(value, "chunked") {
		h.Err = server.ErrCoding
		return
	}
	h.isCoded, h.Length = true, Chunked
}

// validTarget reports whether the target of a request line has one of the four forms (RFC 9112, section 3.2), without a
// fragment and without user information (RFC 9110, section 4.2.4).
func validTarget(line []byte) bool {
	begin := bytes.IndexByte(line, ' ') + 1
	path := line[begin:]
	if end := bytes.IndexByte(path, ' '); end >= 0 {
		path = path[:end]
	}
	method := line[:max(0, begin-1)]
	switch {
	case len(path) == 1 && path[0] == '/':
		return true
	case len(path) == 0 || bytes.IndexByte(path, '#') >= 0:
		return false
	case path[0] == '/':
	case string(method) == "CONNECT":
		return validHost(path)
	case string(path) == "*":
		return string(method) == "OPTIONS"
	default:
		_, authority, ok := bytes.Cut(path, []byte("://"))
		if !ok {
			return false
		}
		end := bytes.IndexAny(authority, "/?")
		if end < 0 {
			return validHost(authority)
		}
		if !validHost(authority[:end]) {
			return false
		}
		path = authority[end:]
	}
	return validPath(path)
}

// validPath reports whether every percent sign before the query begins an escape.
func validPath(path []byte) bool {
	path, _, _ = bytes.Cut(path, []byte("?"))
	for {
		i := bytes.IndexByte(path, '%')
		if i < 0 {
			return true
		}
		if path = path[i+1:]; len(path) < 2 || !isHex(path[0]) || !isHex(path[1]) {
			return false
		}
	}
}

func isHex(c byte) bool {
	_, ok := hexDigit(c)
	return ok
}

// validHost reports whether host is a host with an optional port (RFC 9110, section 7.2; RFC 3986, section 3.2).
func validHost(host []byte) bool {
	end := 0
	if len(host) > 0 && host[0] == '[' {
		end = bytes.IndexByte(host, ']') + 1
		if !validIPv6(host[1:max(1, end-1)]) {
			return false
		}
	}
	for end < len(host) && host[0] != '[' && hostBytes[host[end]] {
		end++
	}
	return end > 0 && validPort(host[end:])
}

func validIPv6(address []byte) bool {
	parsed, err := netip.ParseAddr(string(address))
	return err == nil && parsed.Is6() && parsed.Zone() == ""
}

func validPort(port []byte) bool {
	if len(port) > 0 && port[0] != ':' {
		return false
	}
	for _, c := range port[min(1, len(port)):] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// hostBytes holds the bytes allowed in a host name.
var hostBytes = bytesOf("-._~!$&'()*+,;=")

// tokens holds the bytes allowed in a field name (RFC 9110, section 5.6.2).
var tokens = bytesOf("!#$%&'*+-.^_`|~")

// bytesOf returns the set of letters, digits and marks.
func bytesOf(marks string) (set [256]bool) {
	for _, c := range []byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + marks) {
		set[c] = true
	}
	return set
}

func isToken(c byte) bool { return tokens[c] }

// trim removes the blanks around a field's value.
func trim(value []byte) []byte {
	for len(value) > 0 && isBlank(value[0]) {
		value = value[1:]
	}
	for len(value) > 0 && isBlank(value[len(value)-1]) {
		value = value[:len(value)-1]
	}
	return value
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// equalFold reports whether token equals lowered, which is in lower case, without regard to case.
func equalFold(token []byte, lowered string) bool {
	if len(token) != len(lowered) {
		return false
	}
	for i, c := range token {
		if c != lowered[i] && lower(c) != lowered[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

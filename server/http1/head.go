package http1

import (
	"bytes"
	"net/netip"
	"unicode"

	"demo-server/server"
)

// This file reads the framing of a request from its head, once for all transports. net/http and fasthttp parse the same
// head again, but each lets pass, or corrects without a word, other things that decide where the request ends.

// A Head is what a request's head says about framing.
type Head struct {
	Length          int64 // of the body, or chunkedBody, or noBody
	isCoded         bool  // it has a Transfer-Encoding
	hasLength       bool  // it has a Content-Length
	hasHost         bool  // it has a Host
	expectsContinue bool  // it expects 100-continue
	Err             error // why the request is refused: an error of the status table, or nil
}

const (
	Chunked = -1
	NoBody  = -2
)

// Ambiguous reports whether a proxy may have framed the request in another way (RFC 9112, section 6.3): its connection is
// closed after the reply.
func (h *Head) Ambiguous() bool { return h.isCoded && h.hasLength }

// HasBody reports whether a body of at least one byte, its framing included, is to come.
func (h *Head) HasBody() bool { return h.Length > 0 || h.Length == Chunked }

// BlankLines returns how many bytes of blank lines p begins with. A client may send them before a request (RFC 9112,
// section 2.2).
func BlankLines(p []byte) int {
	n := 0
	for n < len(p) && (p[n] == '\r' || p[n] == '\n') {
		n++
	}
	return n
}

// HeadEnd returns the length of the head that p begins with, or -1 if it is not complete. The first searched bytes of p
// are known to hold no end. Where a bare line feed makes the blank line, this may be too long: parse refuses the head.
func HeadEnd(p []byte, searched int) int {
	from := max(0, searched-2) // the end may have begun in them
	if i := bytes.Index(p[from:], blankLine); i >= 0 {
		return from + i + len(blankLine)
	}
	if i := bytes.Index(p[from:], bareBlankLine); i >= 0 {
		return from + i + len(bareBlankLine)
	}
	return -1
}

// The ends of a head's last two lines.
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
		h.Err = server.ErrCoding // its framing counts as faulty (RFC 9112, section 6.1)
	}
}

var versionEleven = []byte(" HTTP/1.1")

// cutLine returns the line that p begins with, without its CRLF. It is not ok if a bare line feed ends it.
func cutLine(p []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(p, '\n')
	if i < 1 || p[i-1] != '\r' {
		return nil, nil, false
	}
	return p[:i-1], p[i+1:], true
}

// field reads a header field. A line that begins with a blank continues the one before it (obs-fold), and is refused: it
// could hide a field from those who read on, or show them one.
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

// maxLengthDigits keeps every length within an int64.
const maxLengthDigits = 18

// contentLength refuses a second length even if it is the same: not all who read the request may have seen both.
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
// fragment, and without a user in front of its host (RFC 9110, section 4.2.4).
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

// hostBytes may be in a host's name.
var hostBytes = bytesOf("-._~!$&'()*+,;=")

// tokens may be in a field's name (RFC 9110, section 5.6.2).
var tokens = bytesOf("!#$%&'*+-.^_`|~")

// bytesOf is the set of letters, digits and marks.
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

// equalFold compares a token with one in lower case.
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

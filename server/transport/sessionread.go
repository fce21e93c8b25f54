package transport

import (
	"github.com/valyala/fasthttp"

	"demo-server/server"
)

// This file takes what a session's client sends.

// advance takes what has come, as much as is read at once. What there is beyond that has to wait until the others had
// their turn: a client that sends faster than the loop reads must not have the loop to itself.
func (l *loop) advance(s *session) {
	if !s.hungry() || s.again {
		return
	}
	in, ok := l.receive(s)
	if !ok {
		return
	}
	for len(in) > 0 && s.receives() {
		n := l.take(s, in)
		if n == 0 {
			break
		}
		in = in[n:]
	}
	if !s.open {
		return
	}
	s.keep(in)
	if s.hungry() {
		s.again = true
		l.again = append(l.again, s)
	}
}

// receive returns the bytes that are not taken yet, with those that the socket has; ok is false when there are no new
// ones. They are in the loop's buffer, until the next call.
func (l *loop) receive(s *session) (in []byte, ok bool) {
	kept := copy(l.buffer, s.kept)
	if s.unparsed {
		s.unparsed = false
		return l.buffer[:kept], true
	}
	n, err := l.poller.read(s.socket, l.buffer[kept:])
	switch {
	case err == errAgain:
		s.readable = false
		return nil, false
	case err != nil || n == 0:
		l.close(s)
		return nil, false
	}
	// Less than there was room for is all that there was, unless the end of it is to be read, too.
	s.readable = s.left || kept+n == len(l.buffer)
	return l.buffer[:kept+n], true
}

// keep puts aside what was not taken.
func (s *session) keep(rest []byte) {
	if len(rest) == 0 {
		s.kept = nil
		return
	}
	s.kept = append(s.kept[:0], rest...)
	s.unparsed = !s.receives()
}

// take takes the beginning of in, and moves the session on. It returns how many bytes that was, or 0 when it needs more
// than in.
func (l *loop) take(s *session, in []byte) int {
	p, _ := s.where()
	switch {
	case p == phaseLingering:
		return len(in) // a client that goes on sending although its connection closes
	case s.body != nil:
		return l.takeBody(s, in)
	}
	return l.takeHead(s, in)
}

func (l *loop) takeHead(s *session, in []byte) int {
	if p, _ := s.where(); p != phaseHeader && !onlyBlank(in) {
		s.enter(phaseHeader, l.now)
	}
	window := in[:min(len(in), l.loops.limits.MaxHeaderBytes)]
	n, err := l.heads.read(window, l.parser.header.Read)
	switch {
	case err == nil:
		l.begin(s)
		return n
	case err == errMore:
		return 0
	case gone(err): // blank lines alone, which are the beginning of a request, or of too many of them
		if len(window) < len(in) || len(in) == l.loops.limits.MaxHeaderBytes {
			l.close(s)
		}
		return 0
	}
	s.manner = manner{}
	l.refuse(s, "", "", parseError(err))
	return len(in)
}

// onlyBlank reports whether in is nothing but blank lines, which clients may send in front of a request: its time runs
// from its first byte.
func onlyBlank(in []byte) bool {
	for _, c := range in {
		if c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// begin goes on with a request whose head was just parsed.
func (l *loop) begin(s *session) {
	header := &l.parser.header
	s.manner = manner{http10: !header.IsHTTP11(), head: header.IsHead(), close: header.ConnectionClose()}
	method := methodOf(header.Method())
	path, query, err := l.parser.target()
	if err == nil {
		err = checkHead(header, l.loops.limits.MaxBodyBytes)
	}
	if err != nil {
		l.refuse(s, method, path, err)
		return
	}
	length, waits := int64(header.ContentLength()), mayContinue(header)
	if (length == 0 || length == noBody) && !waits {
		l.admit(s, method, path, query)
		return
	}
	s.body = newBody(length, l.loops.limits.MaxBodyBytes, l.loops.limits.MaxHeaderBytes)
	s.body.method, s.body.path, s.body.query = method, path, query
	if waits {
		l.sayContinue(s)
		return
	}
	l.expectBody(s)
}

// What fasthttp returns for the length of a body that has none.
const (
	chunkedBody = -1
	noBody      = -2
)

func mayContinue(header *fasthttp.RequestHeader) bool {
	return header.IsHTTP11() && len(header.Peek("Expect")) > 0 // checkHead has seen that it is 100-continue
}

// sayContinue lets the client send its body.
func (l *loop) sayContinue(s *session) {
	rest, _, err := l.write(s, continueText, nil)
	switch {
	case err != nil:
		l.close(s)
	case len(rest) == 0:
		l.expectBody(s)
	default:
		s.unsent = &unsent{interim: true, head: rest}
		s.enter(phaseWriting, l.now)
	}
}

// expectBody goes on when the client knows that it may send its body.
func (l *loop) expectBody(s *session) {
	s.enter(phaseBody, l.now)
	if b := s.body; b.at == wholeBody && b.left == 0 {
		s.body = nil
		l.admit(s, b.method, b.path, b.query)
	}
}

func (l *loop) takeBody(s *session, in []byte) int {
	n, complete, err := s.body.take(in)
	if n > 0 {
		s.enter(phaseBody, l.now)
	}
	if err == nil && !complete {
		return n
	}
	b := s.body
	s.body = nil
	if err != nil {
		l.refuse(s, b.method, b.path, bodyError(b.read, b.limit, err))
		return len(in)
	}
	l.admit(s, b.method, b.path, b.query)
	return n
}

// parser holds what fasthttp parses into.
type parser struct {
	header fasthttp.RequestHeader
	uri    fasthttp.URI
}

// target is the path and the query of the request that was read.
func (p *parser) target() (path, query string, err error) {
	if err := p.uri.Parse(p.header.Host(), p.header.RequestURI()); err != nil {
		return "", "", server.ErrBadRequest
	}
	return pathOf(&p.uri), queryOf(&p.uri), nil
}

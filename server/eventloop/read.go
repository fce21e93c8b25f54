package eventloop

import (
	"cmp"

	"demo-server/server"
	"demo-server/server/http1"
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
// ones. They are in the loop's buffer, until the next call, or behind what the session has kept.
func (l *loop) receive(s *session) (in []byte, ok bool) {
	l.searched = 0
	if s.unparsed {
		s.unparsed = false
		return s.kept, true
	}
	n, err := l.poller.read(s.socket, l.buffer)
	switch {
	case err == errAgain:
		s.readable = false
		return nil, false
	case err != nil:
		l.lost(s)
		return nil, false
	case n == 0:
		l.ended(s)
		return nil, false
	}
	// Less than there was room for is all that there was, unless the end of it is to be read, too.
	s.readable = s.left || n == len(l.buffer)
	if len(s.kept) == 0 {
		return l.buffer[:n], true
	}
	l.searched = len(s.kept)
	s.kept = append(s.kept, l.buffer[:n]...)
	return s.kept, true
}

// ended closes a session whose client sends no more. One that ended in the middle of a request may still read why that is
// not answered.
func (l *loop) ended(s *session) {
	switch p, _ := s.where(); p {
	case http1.StateHanging:
		l.leave(s, false)
		return
	case http1.StateHead:
		l.refuseHead(s, server.ErrBadRequest)
	case http1.StateBody:
		u := s.upload
		s.upload = nil
		l.refuse(s, u.method, u.path, u.query, server.ErrBadRequest)
	}
	if p, _ := s.where(); s.open && p != http1.StateWriting {
		l.close(s, server.CloseDisconnect)
	}
}

// lost closes a session whose connection is broken.
func (l *loop) lost(s *session) {
	if p, _ := s.where(); p == http1.StateHanging {
		l.leave(s, true) // its job is to be finished
		return
	}
	l.close(s, server.CloseDisconnect)
}

// keep puts aside what was not taken. It is there already if nothing was.
func (s *session) keep(rest []byte) {
	switch len(rest) {
	case 0:
		s.kept = nil
		return
	case len(s.kept):
	default:
		s.kept = append(s.kept[:0], rest...)
	}
	s.unparsed = !s.receives()
}

// take takes the beginning of in, and moves the session on. It returns how many bytes that was, or 0 when it needs more
// than in.
func (l *loop) take(s *session, in []byte) int {
	p, _ := s.where()
	switch {
	case p == http1.StateLingering: // a client that goes on sending although its connection closes
		if _, enough, _ := s.upload.body.Consume(in); enough {
			l.close(s, server.CloseReplied)
		}
		return len(in)
	case p == http1.StateHanging: // and one that gets no reply
		return len(in)
	case s.upload != nil:
		return l.takeBody(s, in)
	}
	return l.takeHead(s, in)
}

func (l *loop) takeHead(s *session, in []byte) int {
	searched := 0
	if p, _ := s.where(); p == http1.StateHead {
		searched = l.searched
	} else if blank := http1.BlankLines(in); blank > 0 {
		return blank // they are no request yet: its time runs from its first byte
	} else {
		if p == http1.StateIdle {
			s.due = l.now
		}
		s.enter(http1.StateHead, l.now)
	}
	end := http1.HeadEnd(in, searched)
	switch limit := l.loops.limits.MaxHeaderBytes; {
	case end > limit || end < 0 && len(in) >= limit:
		l.refuseHead(s, server.ErrHeaderTooLarge)
		return len(in)
	case end < 0:
		return 0
	}
	l.begin(s, in[:end])
	return end
}

// refuseHead answers a client whose request has no head to go by.
func (l *loop) refuseHead(s *session, err error) {
	s.manner = http1.RequestInfo{}
	l.refuse(s, "", "", "", err)
}

// begin goes on with a request whose head has come.
func (l *loop) begin(s *session, p []byte) {
	head, header := &l.head, &l.parser.Header
	head.Parse(p)
	if err := l.parser.Parse(p); err != nil {
		l.refuseHead(s, cmp.Or(head.Err, http1.ParseError(err)))
		return
	}
	s.manner = http1.RequestInfo{HTTP10: !header.IsHTTP11(), Head: header.IsHead(), Close: header.ConnectionClose()}
	method := http1.Method(header.Method())
	path, query, err := l.parser.Target()
	if err = cmp.Or(http1.CheckHead(header, head, l.loops.limits.MaxBodyBytes), err); err != nil {
		l.refuse(s, method, path, query, err)
		return
	}
	if !head.HasBody() {
		l.admit(s, method, path, query)
		return
	}
	s.upload = &upload{body: http1.NewBody(head.Length, &l.loops.limits), method: method, path: path, query: query}
	if http1.MayContinue(header, head) {
		l.sayContinue(s)
		return
	}
	s.enter(http1.StateBody, l.now)
}

// sayContinue lets the client send its body.
func (l *loop) sayContinue(s *session) {
	rest, _, err := l.write(s, http1.Continue, nil)
	switch {
	case err != nil:
		l.close(s, server.CloseDisconnect)
	case len(rest) == 0:
		s.enter(http1.StateBody, l.now)
	default:
		s.unsent = &unsent{interim: true, head: rest}
		s.enter(http1.StateWriting, l.now)
	}
}

func (l *loop) takeBody(s *session, in []byte) int {
	n, complete, err := s.upload.body.Consume(in)
	if n > 0 {
		s.enter(http1.StateBody, l.now)
	}
	if err == nil && !complete {
		return n
	}
	u := s.upload
	s.upload = nil
	if err != nil {
		l.refuse(s, u.method, u.path, u.query, http1.BodyError(err))
		return len(in)
	}
	l.admit(s, u.method, u.path, u.query)
	return n
}

package eventloop

import (
	"cmp"

	"demo-server/server"
	"demo-server/server/http1"
)

// This file reads and parses requests.

// process consumes the input of one read. The rest waits until other connections have had their turn: a client that
// sends faster than the loop reads must not occupy the loop.
func (l *loop) process(c *conn) {
	if !c.wantsRead() || c.queued {
		return
	}
	in, ok := l.receive(c)
	if !ok {
		return
	}
	for len(in) > 0 && c.acceptsInput() {
		n := l.consume(c, in)
		if n == 0 {
			break
		}
		in = in[n:]
	}
	if !c.open {
		return
	}
	c.buffer(in)
	if c.wantsRead() {
		c.queued = true
		l.runQueue = append(l.runQueue, c)
	}
}

// receive returns the input that is not consumed yet, including new input of the socket. ok is false if there is
// nothing new. The result is in the loop's buffer, until the next call, or in c.buffered.
func (l *loop) receive(c *conn) (in []byte, ok bool) {
	l.searched = 0
	if c.unprocessed {
		c.unprocessed = false
		return c.buffered, true
	}
	n, err := l.poller.Read(c.socket, l.buffer)
	switch {
	case err == ErrAgain:
		c.readable = false
		return nil, false
	case err != nil:
		l.connectionLost(c)
		return nil, false
	case n == 0:
		l.inputEnded(c)
		return nil, false
	}
	// A short read means that the socket is empty, except for a FIN.
	c.readable = c.disconnected || n == len(l.buffer)
	if len(c.buffered) == 0 {
		return l.buffer[:n], true
	}
	l.searched = len(c.buffered)
	c.buffered = append(c.buffered, l.buffer[:n]...)
	return c.buffered, true
}

// inputEnded closes a conn whose client sends nothing more. In the middle of a request, the client may still read why
// it is refused.
func (l *loop) inputEnded(c *conn) {
	switch p, _ := c.state(); p {
	case http1.StateHanging:
		l.disconnect(c, false)
		return
	case http1.StateHead:
		l.refuseHead(c, server.ErrBadRequest)
	case http1.StateBody:
		u := c.upload
		c.upload = nil
		l.refuse(c, u.method, u.path, u.query, server.ErrBadRequest)
	}
	if p, _ := c.state(); c.open && p != http1.StateWriting {
		l.close(c, server.CloseDisconnect)
	}
}

// connectionLost closes a conn whose connection is broken.
func (l *loop) connectionLost(c *conn) {
	if p, _ := c.state(); p == http1.StateHanging {
		l.disconnect(c, true) // its job has to be finished first
		return
	}
	l.close(c, server.CloseDisconnect)
}

// buffer stores input that was not consumed. If none of it was, it is already there.
func (c *conn) buffer(rest []byte) {
	switch len(rest) {
	case 0:
		c.buffered = nil
		return
	case len(c.buffered):
	default:
		c.buffered = append(c.buffered[:0], rest...)
	}
	c.unprocessed = !c.acceptsInput()
}

// consume consumes the beginning of in, and returns how many bytes. 0 means that it needs more input.
func (l *loop) consume(c *conn, in []byte) int {
	p, _ := c.state()
	switch {
	case p == http1.StateLingering: // the client is still sending although the connection closes
		if _, enough, _ := c.upload.body.Consume(in); enough {
			l.close(c, server.CloseReplied)
		}
		return len(in)
	case p == http1.StateHanging: // or gets no reply
		return len(in)
	case c.upload != nil:
		return l.consumeBody(c, in)
	}
	return l.consumeHead(c, in)
}

func (l *loop) consumeHead(c *conn, in []byte) int {
	searched := 0
	if p, _ := c.state(); p == http1.StateHead {
		searched = l.searched
	} else if blank := http1.BlankLines(in); blank > 0 {
		return blank // not a request yet: its time starts with its first byte
	} else {
		if p == http1.StateIdle {
			c.due = l.now
		}
		c.setState(http1.StateHead, l.now)
	}
	end := http1.HeadEnd(in, searched)
	switch limit := l.group.limits.MaxHeaderBytes; {
	case end > limit || end < 0 && len(in) >= limit:
		l.refuseHead(c, server.ErrHeaderTooLarge)
		return len(in)
	case end < 0:
		return 0
	}
	l.begin(c, in[:end])
	return end
}

// refuseHead refuses a request whose head cannot be read.
func (l *loop) refuseHead(c *conn, err error) {
	c.info = http1.RequestInfo{}
	l.refuse(c, "", "", "", err)
}

// begin starts a request with a complete head.
func (l *loop) begin(c *conn, p []byte) {
	head, header := &l.head, &l.parser.Header
	head.Parse(p)
	if err := l.parser.Parse(p); err != nil {
		l.refuseHead(c, cmp.Or(head.Err, http1.ParseError(err)))
		return
	}
	c.info = http1.RequestInfo{HTTP10: !header.IsHTTP11(), Head: header.IsHead(), Close: header.ConnectionClose()}
	method := http1.Method(header.Method())
	path, query, err := l.parser.Target()
	if err = cmp.Or(http1.CheckHead(header, head, l.group.limits.MaxBodyBytes), err); err != nil {
		l.refuse(c, method, path, query, err)
		return
	}
	if !head.HasBody() {
		l.admit(c, method, path, query)
		return
	}
	c.upload = &upload{body: http1.NewBody(head.Length, &l.group.limits), method: method, path: path, query: query}
	if http1.MayContinue(header, head) {
		l.sayContinue(c)
		return
	}
	c.setState(http1.StateBody, l.now)
}

// sayContinue sends 100 Continue.
func (l *loop) sayContinue(c *conn) {
	rest, _, err := l.write(c, http1.Continue, nil)
	switch {
	case err != nil:
		l.close(c, server.CloseDisconnect)
	case len(rest) == 0:
		c.setState(http1.StateBody, l.now)
	default:
		c.unsent = &unsent{interim: true, head: rest}
		c.setState(http1.StateWriting, l.now)
	}
}

func (l *loop) consumeBody(c *conn, in []byte) int {
	n, complete, err := c.upload.body.Consume(in)
	if n > 0 {
		c.setState(http1.StateBody, l.now)
	}
	if err == nil && !complete {
		return n
	}
	u := c.upload
	c.upload = nil
	if err != nil {
		l.refuse(c, u.method, u.path, u.query, http1.BodyError(err))
		return len(in)
	}
	l.admit(c, u.method, u.path, u.query)
	return n
}

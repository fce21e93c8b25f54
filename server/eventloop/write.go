package eventloop

import (
	"slices"
	"time"

	"demo-server/server"
	"demo-server/server/fault"
	"demo-server/server/http1"
)

// This file writes replies.

// An unsent is the rest of a reply or of 100 Continue that the socket has not taken, or a reply that drips or hangs.
type unsent struct {
	reply   server.Reply // the job's
	interim bool         // it is 100 Continue, not a reply
	head    []byte
	body    []byte
	began   time.Duration // when the reply began to drip
	piece   int           // index of the next piece
	acked   uint64        // bytes that the client's system had acknowledged at the last progress
}

// answer writes the reply of a job that has ended.
func (l *loop) answer(c *conn) {
	c.job.Reply(&l.reply)
	if l.reply.Abort != fault.None && !l.reply.Cut {
		l.abort(c)
		return
	}
	head, body := l.replies.Append(l.out[:0], &l.reply, c.info)
	l.out = head
	head, body, err := l.write(c, head, body)
	switch {
	case err != nil:
		l.fail(c, &l.reply, server.CloseDisconnect)
	case len(head)+len(body) > 0:
		l.detachReply(c, head, body)
		c.setState(http1.StateWriting, l.now)
	case l.reply.Pieces > 0:
		l.detachReply(c, nil, nil)
		l.pause(c)
	default:
		l.finish(c, &l.reply)
	}
}

// detachReply moves the loop's reply to a conn that has not sent all of it.
func (l *loop) detachReply(c *conn, head, body []byte) {
	c.unsent = &unsent{reply: l.reply, head: slices.Clone(head), body: body, began: l.now}
	l.reply = server.Reply{} // its buffers now belong to unsent
	c.job.Detach()
}

// abort aborts the connection instead of writing the reply.
func (l *loop) abort(c *conn) {
	switch l.reply.Abort {
	case fault.Hang:
		l.detachReply(c, nil, nil)
		c.setState(http1.StateHanging, 0)
		l.timers.add(c, l.now+c.unsent.reply.Over)
		c.job.WaitForDisconnect()
		l.endCancelled(c)
	case fault.Reset:
		l.poller.Reset(c.socket)
		l.fail(c, &l.reply, server.CloseAbort)
	default:
		l.finish(c, &l.reply)
	}
}

// pause waits until the next piece of a reply that drips is due.
func (l *loop) pause(c *conn) {
	_, at := c.unsent.reply.Piece(c.unsent.piece)
	due := c.unsent.began + at
	c.setState(http1.StateHandling, l.now) // nothing times out during the pause
	if l.inline {
		l.runBlocking(&c.job, func() { c.job.Pause(due - l.app.Now()) })
	}
	switch {
	case c.job.Err() != nil:
		l.abandon(c, l.endCause(c))
	case l.inline:
		l.drip(c)
	default:
		l.timers.add(c, due)
	}
}

// drip writes the next piece.
func (l *loop) drip(c *conn) {
	u := c.unsent
	u.body, _ = u.reply.Piece(u.piece)
	u.piece++
	c.setState(http1.StateWriting, l.now)
	l.writeMore(c)
}

// write writes head and then body, and returns the parts that the socket did not take.
func (l *loop) write(c *conn, head, body []byte) ([]byte, []byte, error) {
	for len(head)+len(body) > 0 {
		part := &head
		if len(head) == 0 {
			part = &body
		}
		n, err := l.poller.Write(c.socket, *part)
		if err == ErrAgain {
			return head, body, nil
		}
		if err != nil {
			return nil, nil, err
		}
		*part = (*part)[n:]
	}
	return nil, nil, nil
}

// writeMore continues writing when the socket has room again.
func (l *loop) writeMore(c *conn) {
	u := c.unsent
	before := len(u.head) + len(u.body)
	var err error
	u.head, u.body, err = l.write(c, u.head, u.body)
	left := len(u.head) + len(u.body)
	switch {
	case err != nil:
		l.abandon(c, server.CloseDisconnect)
	case left == 0:
		l.sent(c)
	case left < before:
		c.setState(http1.StateWriting, l.now)
	}
}

// sent continues after all of unsent is written.
func (l *loop) sent(c *conn) {
	u := c.unsent
	if u.piece < u.reply.Pieces {
		l.pause(c)
		return
	}
	if u.reply.Cut {
		l.abortAfterPart(c)
		return
	}
	c.unsent = nil
	if u.interim {
		c.setState(http1.StateBody, l.now)
		return
	}
	l.finish(c, &u.reply)
}

// abortAfterPart aborts the connection after a part of the reply, once the client's system has that part.
func (l *loop) abortAfterPart(c *conn) {
	u := c.unsent
	switch {
	case u.reply.Abort == fault.Close:
		c.unsent, u.reply.Close = nil, true
		l.finish(c, &u.reply)
	case l.poller.Undelivered(c.socket) && l.now < u.began+http1.DeliverTime && c.job.Err() == nil:
		c.setState(http1.StateHandling, l.now)
		l.timers.add(c, l.now+http1.DeliverInterval)
	default:
		l.poller.Reset(c.socket)
		l.abandon(c, server.CloseAbort)
	}
}

// abandon gives up the unsent reply, and closes the conn.
func (l *loop) abandon(c *conn, cause server.CloseCause) {
	u := c.unsent
	c.unsent = nil
	if u.interim {
		l.close(c, cause)
		return
	}
	l.fail(c, &u.reply, cause)
}

// endCause returns the cause to close a conn whose job was cancelled while its reply waited.
func (l *loop) endCause(c *conn) server.CloseCause {
	if c.disconnected {
		return server.CloseDisconnect
	}
	return server.CloseDrain
}

// fail finishes a job whose reply cannot be written, and closes the conn.
func (l *loop) fail(c *conn, reply *server.Reply, cause server.CloseCause) {
	c.setState(http1.StateIdle, c.job.Finish(reply, false))
	l.close(c, cause)
}

// finish finishes a job whose reply is written.
func (l *loop) finish(c *conn, reply *server.Reply) {
	c.setState(http1.StateIdle, c.job.Finish(reply, true))
	switch {
	case reply.Close || c.info.Close && (c.readable || len(c.buffered) > 0):
		// The client may still be sending. Closing at once would reset the connection, and the reset can overtake the
		// reply.
		l.linger(c, reply.CloseCause())
	case c.info.Close:
		l.close(c, reply.CloseCause())
	}
}

// linger closes the sending side, and drops input for a moment.
func (l *loop) linger(c *conn, cause server.CloseCause) {
	c.buffered, c.unprocessed, c.upload = nil, false, &upload{body: http1.NewBody(http1.LingerBytes, &server.Limits{MaxBodyBytes: http1.LingerBytes})}
	if l.poller.CloseWrite(c.socket) != nil {
		l.close(c, cause)
		return
	}
	l.app.CountClose(cause)
	c.setState(http1.StateLingering, l.now)
}

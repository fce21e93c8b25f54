package eventloop

import (
	"slices"
	"time"

	"demo-server/server"
	"demo-server/server/fault"
	"demo-server/server/http1"
)

// This file answers a session's client.

// unsent is what the socket did not take of a reply, or of 100 Continue; or else a reply that drips, or never comes.
type unsent struct {
	reply   server.Reply // to the job
	interim bool         // it is 100 Continue, and no reply
	head    []byte
	body    []byte
	began   time.Duration // when the reply began to drip
	piece   int           // which piece of it comes next
	acked   uint64        // bytes that the client's system had acknowledged when it last made progress
}

// answer writes the reply of a job that has ended.
func (l *loop) answer(s *session) {
	s.job.Reply(&l.reply)
	if l.reply.Abort != fault.None && !l.reply.Cut {
		l.breakOff(s)
		return
	}
	head, body := l.letter.Append(l.out[:0], &l.reply, s.manner)
	l.out = head
	head, body, err := l.write(s, head, body)
	switch {
	case err != nil:
		l.fail(s, &l.reply, server.CloseDisconnect)
	case len(head)+len(body) > 0:
		l.keepReply(s, head, body)
		s.enter(http1.StateWriting, l.now)
	case l.reply.Pieces > 0:
		l.keepReply(s, nil, nil)
		l.pause(s)
	default:
		l.settle(s, &l.reply)
	}
}

// keepReply keeps the loop's reply for a session that is not through with it.
func (l *loop) keepReply(s *session, head, body []byte) {
	s.unsent = &unsent{reply: l.reply, head: slices.Clone(head), body: body, began: l.now}
	l.reply = server.Reply{} // its buffers are the unsent one's now
	s.job.Detach()
}

// breakOff does what the reply says that is to be none.
func (l *loop) breakOff(s *session) {
	switch l.reply.Abort {
	case fault.Hang:
		l.keepReply(s, nil, nil)
		s.enter(http1.StateHanging, 0)
		l.timers.add(s, l.now+s.unsent.reply.Over)
		s.job.Hang()
		l.cancelled(s)
	case fault.Reset:
		l.poller.reset(s.socket)
		l.fail(s, &l.reply, server.CloseAbort)
	default:
		l.settle(s, &l.reply)
	}
}

// pause waits until the next piece of a reply that drips is due.
func (l *loop) pause(s *session) {
	_, at := s.unsent.reply.Piece(s.unsent.piece)
	due := s.unsent.began + at
	s.enter(http1.StateHandling, l.now) // nothing times out meanwhile
	if l.blocks {
		l.standStill(&s.job, func() { s.job.Pause(due - l.app.Now()) })
	}
	switch {
	case s.job.Err() != nil:
		l.lose(s, l.causeOfEnd(s))
	case l.blocks:
		l.drip(s)
	default:
		l.timers.add(s, due)
	}
}

// drip writes the next piece.
func (l *loop) drip(s *session) {
	u := s.unsent
	u.body, _ = u.reply.Piece(u.piece)
	u.piece++
	s.enter(http1.StateWriting, l.now)
	l.writeMore(s)
}

// write writes head and then body, and returns what the socket did not take.
func (l *loop) write(s *session, head, body []byte) ([]byte, []byte, error) {
	for len(head)+len(body) > 0 {
		part := &head
		if len(head) == 0 {
			part = &body
		}
		n, err := l.poller.write(s.socket, *part)
		if err == errAgain {
			return head, body, nil
		}
		if err != nil {
			return nil, nil, err
		}
		*part = (*part)[n:]
	}
	return nil, nil, nil
}

// writeMore goes on writing when the socket has room again.
func (l *loop) writeMore(s *session) {
	u := s.unsent
	before := len(u.head) + len(u.body)
	var err error
	u.head, u.body, err = l.write(s, u.head, u.body)
	left := len(u.head) + len(u.body)
	switch {
	case err != nil:
		l.lose(s, server.CloseDisconnect)
	case left == 0:
		l.sent(s)
	case left < before:
		s.enter(http1.StateWriting, l.now)
	}
}

// sent goes on when what was unsent is out.
func (l *loop) sent(s *session) {
	u := s.unsent
	if u.piece < u.reply.Pieces {
		l.pause(s)
		return
	}
	if u.reply.Cut {
		l.cutOff(s)
		return
	}
	s.unsent = nil
	if u.interim {
		s.enter(http1.StateBody, l.now)
		return
	}
	l.settle(s, &u.reply)
}

// cutOff breaks the connection off behind a part of the reply, as that of conn does.
func (l *loop) cutOff(s *session) {
	u := s.unsent
	switch {
	case u.reply.Abort == fault.Close:
		s.unsent, u.reply.Close = nil, true
		l.settle(s, &u.reply)
	case l.poller.undelivered(s.socket) && l.now < u.began+http1.DeliverTime && s.job.Err() == nil:
		s.enter(http1.StateHandling, l.now)
		l.timers.add(s, l.now+http1.DeliverInterval)
	default:
		l.poller.reset(s.socket)
		l.lose(s, server.CloseAbort)
	}
}

// lose gives up what is unsent, and closes the session.
func (l *loop) lose(s *session, cause server.CloseCause) {
	u := s.unsent
	s.unsent = nil
	if u.interim {
		l.close(s, cause)
		return
	}
	l.fail(s, &u.reply, cause)
}

// causeOfEnd is why a session ends whose job was cancelled while its reply waited.
func (l *loop) causeOfEnd(s *session) server.CloseCause {
	if s.left {
		return server.CloseDisconnect
	}
	return server.CloseDrain
}

// fail finishes the job whose reply will not be out, and closes the session.
func (l *loop) fail(s *session, reply *server.Reply, cause server.CloseCause) {
	s.enter(http1.StateIdle, s.job.Finish(reply, false))
	l.close(s, cause)
}

// settle finishes the job whose reply is out.
func (l *loop) settle(s *session, reply *server.Reply) {
	s.enter(http1.StateIdle, s.job.Finish(reply, true))
	switch {
	case reply.Close || s.manner.Close && (s.readable || len(s.kept) > 0):
		// Its client may still be sending: closing at once would reset it, and the reset can overtake the reply.
		l.linger(s, http1.CloseCause(reply))
	case s.manner.Close:
		l.close(s, http1.CloseCause(reply))
	}
}

// linger closes the sending side, and drops what still comes for a moment.
func (l *loop) linger(s *session, cause server.CloseCause) {
	s.kept, s.unparsed, s.upload = nil, false, &upload{body: http1.NewBody(http1.LingerBytes, &server.Limits{MaxBodyBytes: http1.LingerBytes})}
	if l.poller.closeWrite(s.socket) != nil {
		l.close(s, cause)
		return
	}
	l.app.CountClose(cause)
	s.enter(http1.StateLingering, l.now)
}

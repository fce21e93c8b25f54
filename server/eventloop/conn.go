package eventloop

import (
	"time"

	"demo-server/server"
	"demo-server/server/http1"
)

// A session is a connection of an event loop: all that is kept of it, and so all that a blocked request costs. Buffers
// are its loop's; it has bytes of its own only while a request has come in part, or a reply has gone out in part.
//
// It belongs to its loop's goroutine. Others know it as its job's owner, and post it.
type session struct {
	job server.Job
	tag
	visit
}

// A visit is what of a session begins anew with each connection.
type visit struct {
	loop   *loop
	socket int32
	place  int32 // among the loop's timers
	at     http1.Stamp

	// Of timers. While a request is read, the session is in none, and due is when the request began, or the accept.
	due        time.Duration
	next, prev *session

	backlog  time.Duration     // in the accept queue, for the first request
	kept     []byte            // bytes that came and are not taken yet
	upload   *upload           // of the request that is coming in, once its head has
	unsent   *unsent           // what is left of the reply
	manner   http1.RequestInfo // of the last request's head
	readable bool              // the socket may have bytes, or their end
	unparsed bool              // kept may hold a whole request
	left     bool              // the client has sent a FIN, or reset the connection
	open     bool              // has a socket
	again    bool              // is in the loop's list of those that go on
}

// An upload is a body that is coming in, and the request that it belongs to.
type upload struct {
	body                http1.Body
	method, path, query string
}

// ClientAddr is the client's address.
func (s *session) ClientAddr() string { return s.loop.poller.clientAddr(s.socket) }

func (s *session) enter(p http1.ConnState, since time.Duration) { s.at = http1.NewStamp(p, since) }

func (s *session) where() (http1.ConnState, time.Duration) {
	return s.at.State(), s.at.Since()
}

// receives reports whether bytes are wanted now: not while a request is worked on or answered, because the next one has
// to wait for that.
func (s *session) receives() bool {
	switch p, _ := s.where(); p {
	case http1.StateHandling, http1.StateWriting:
		return false
	}
	return s.open
}

// reads reports whether a request is being read, or is the next thing to be.
func (s *session) reads() bool {
	switch p, _ := s.where(); p {
	case http1.StateNew, http1.StateHead, http1.StateBody:
		return true
	}
	return false
}

// hungry reports whether there is something to take, and it is wanted.
func (s *session) hungry() bool { return s.receives() && (s.unparsed || s.readable) }

// turn makes way for the session's next request, and returns how long that one waited in the accept queue.
func (s *session) turn() (backlog time.Duration) {
	s.enter(http1.StateHandling, s.loop.now)
	backlog = s.backlog
	s.backlog = min(s.backlog, 0) // only its first request waited there
	return backlog
}

func (l *loop) refuse(s *session, method, path, query string, err error) {
	s.job.BeginRefused(method, path, query, s.turn())
	s.job.Refuse(err)
	l.answer(s)
}

func (l *loop) admit(s *session, method, path, query string) {
	if _, err := l.app.Lookup(method, path); err != nil {
		l.refuse(s, method, path, query, err)
		return
	}
	s.job.Begin(method, path, query, s.turn())
	l.app.Admit(&s.job, jobScheduled)
	if !s.job.Notify(jobEnded) {
		l.answer(s)
	}
}

// jobScheduled and jobEnded are called on any goroutine.
func jobScheduled(job *server.Job) {
	s := job.Owner.(*session)
	s.loop.loops.schedule(Task{s})
}

func jobEnded(job *server.Job) {
	s := job.Owner.(*session)
	s.loop.send(post{session: s})
}

// sleep starts a timer for the session's job. With a queue, it may be another loop's turn that has let the job in.
func (l *loop) sleep(s *session) {
	if s.job.Queues() {
		l.send(post{session: s, sleep: true})
		return
	}
	l.startTimer(s)
}

func (l *loop) startTimer(s *session) {
	err := s.job.Start()
	delay := s.job.Delay()
	if err != nil || delay <= 0 {
		s.job.End(err)
		return
	}
	s.job.Detach()
	l.timers.add(s, s.job.Started()+delay)
}

// cancelled ends a job that sleeps, and a reply that waits, if the job was cancelled. Others see it by themselves, as
// their context is done.
func (l *loop) cancelled(s *session) {
	err := s.job.Err()
	if err == nil {
		return
	}
	waited := l.timers.remove(s)
	switch p, _ := s.where(); {
	case p == http1.StateHanging:
		l.lose(s, server.CloseAbort)
	case p == http1.StateHandling && s.unsent != nil:
		l.lose(s, l.causeOfEnd(s))
	case waited:
		s.job.End(err)
	}
}

// close ends a session that has no job.
func (l *loop) close(s *session, cause server.CloseCause) {
	if p, _ := s.where(); p != http1.StateLingering { // it was counted when it began to linger
		l.app.CountClose(cause)
	}
	l.poller.close(s.socket)
	s.kept, s.upload = nil, nil
	l.table.unseat(s)
	l.count.Add(-1)
	l.app.ConnectionClosed()
	l.loops.leave()
}

// sweep looks at all timeouts, now and then. What has come in time counts, however late the loop is to see it.
func (l *loop) sweep() {
	if l.now < l.sweepAt {
		return
	}
	every := l.loops.timeouts.SweepInterval()
	if stood := l.now - l.sweepAt - every; stood > 0 {
		l.forgive(stood)
	}
	l.sweepAt = l.now + every
	looks := l.now >= l.lookAt
	if looks {
		l.lookAt = l.now + http1.InputCheckInterval
	}
	for s := range l.table.sessions() {
		l.check(s, looks)
	}
}

// forgive does not count the time against clients in which the loop stood still, or had no core. It moves the stamps that
// are older: those of the turn that is under way are not.
func (l *loop) forgive(stood time.Duration) {
	if l.drainFrom > 0 && l.drainFrom <= l.sweepAt {
		l.drainFrom += stood
	}
	for s := range l.table.sessions() {
		p, since := s.where()
		if since > l.sweepAt {
			continue
		}
		s.enter(p, since+stood)
		if s.reads() && s.due <= l.sweepAt {
			s.due += stood
		}
	}
}

// check times a session out.
func (l *loop) check(s *session, looks bool) {
	switch p, since := s.where(); p {
	case http1.StateHanging:
	case http1.StateHandling:
		if looks && s.readable && l.now-since >= http1.InputCheckInterval {
			l.lookAhead(s)
		}
	case http1.StateWriting:
		l.checkWrite(s, since)
	default:
		cause, over := l.loops.timeouts.Expired(p, since, s.due, l.polled, l.drainFrom)
		if over && p != http1.StateLingering && (s.hungry() || l.poller.unread(s.socket)) {
			cause, over = l.loops.timeouts.Expired(p, since, s.due, l.polled-http1.UnreadGrace, l.drainFrom)
		}
		if over {
			l.timeOut(s, cause)
		}
	}
}

// checkWrite times a reply out, as that of conns does.
func (l *loop) checkWrite(s *session, since time.Duration) {
	timeouts := &l.loops.timeouts
	if l.now-since >= timeouts.SweepInterval() && timeouts.Progressed(&s.unsent.acked, l.poller.acked(s.socket)) {
		s.enter(http1.StateWriting, l.now)
		return
	}
	if cause, over := timeouts.Expired(http1.StateWriting, since, 0, l.polled, l.drainFrom); over {
		l.lose(s, cause)
	}
}

// timeOut ends a session that does not send what it should.
func (l *loop) timeOut(s *session, cause server.CloseCause) {
	switch p, _ := s.where(); p {
	case http1.StateHead:
		s.manner = http1.RequestInfo{}
		l.refuse(s, "", "", "", server.ErrTimeout)
	case http1.StateBody:
		u := s.upload
		s.upload = nil
		l.refuse(s, u.method, u.path, u.query, server.ErrTimeout)
	default:
		l.close(s, cause)
	}
}

// lookAhead reads what a client has sent ahead of the reply that it waits for, as conns.look does.
func (l *loop) lookAhead(s *session) {
	if len(s.kept) >= http1.MaxReadAhead { // and nothing was taken since the last look
		l.giveUp(s)
		return
	}
	for len(s.kept) < http1.MaxReadAhead {
		n, err := l.poller.read(s.socket, l.buffer[:min(len(l.buffer), http1.MaxReadAhead-len(s.kept))])
		if err == errAgain {
			s.readable = false
			return
		}
		if err != nil || n == 0 {
			l.leave(s, err != nil)
			return
		}
		s.kept = append(s.kept, l.buffer[:n]...)
		s.unparsed = true
	}
}

// giveUp makes the session's client one that has left: the session closes after the reply that is due.
func (l *loop) giveUp(s *session) {
	s.kept, s.unparsed = nil, false
	s.manner.Close = true
	l.leave(s, true)
}

// leave notes that the session's client sends no more, which counts as leaving unless it may still read its reply.
func (l *loop) leave(s *session, broken bool) {
	s.left = true
	if p, _ := s.where(); l.app.AnswersHalfClose() && !broken && p != http1.StateHanging {
		return
	}
	s.job.Leave()
	l.cancelled(s)
}

// cut ends a session at once, unless its job has not ended: that one was told to.
func (l *loop) cut(s *session) {
	switch p, _ := s.where(); p {
	case http1.StateHandling, http1.StateHanging:
	case http1.StateWriting:
		l.lose(s, server.CloseDrain)
	default:
		l.close(s, server.CloseDrain)
	}
}

package eventloop

import (
	"time"

	"demo-server/server"
	"demo-server/server/http1"
)

// A conn is a connection of an event loop: all that is kept of it, and so all that a blocked request costs. Buffers
// are its loop's; it has bytes of its own only while a request has come in part, or a reply has gone out in part.
//
// It belongs to its loop's goroutine. Others know it as its job's owner, and post it.
type conn struct {
	job server.Job
	Tag
	perConnection
}

// A perConnection is what of a session begins anew with each connection.
type perConnection struct {
	loop   *loop
	socket int32
	place  int32 // among the loop's timers
	stamp  http1.Stamp

	// Of timers. While a request is read, the session is in none, and due is when the request began, or the accept.
	due        time.Duration
	next, prev *conn

	backlog      time.Duration     // in the accept queue, for the first request
	buffered     []byte            // bytes that came and are not taken yet
	upload       *upload           // of the request that is coming in, once its head has
	unsent       *unsent           // what is left of the reply
	info         http1.RequestInfo // of the last request's head
	readable     bool              // the socket may have bytes, or their end
	unprocessed  bool              // kept may hold a whole request
	disconnected bool              // the client has sent a FIN, or reset the connection
	open         bool              // has a socket
	queued       bool              // is in the loop's list of those that go on
}

// An upload is a body that is coming in, and the request that it belongs to.
type upload struct {
	body                http1.Body
	method, path, query string
}

// ClientAddr is the client's address.
func (c *conn) ClientAddr() string { return c.loop.poller.ClientAddr(c.socket) }

func (c *conn) setState(p http1.ConnState, since time.Duration) { c.stamp = http1.NewStamp(p, since) }

func (c *conn) state() (http1.ConnState, time.Duration) {
	return c.stamp.State(), c.stamp.Since()
}

// acceptsInput reports whether bytes are wanted now: not while a request is worked on or answered, because the next one has
// to wait for that.
func (c *conn) acceptsInput() bool {
	switch p, _ := c.state(); p {
	case http1.StateHandling, http1.StateWriting:
		return false
	}
	return c.open
}

// readsRequest reports whether a request is being read, or is the next thing to be.
func (c *conn) readsRequest() bool {
	switch p, _ := c.state(); p {
	case http1.StateNew, http1.StateHead, http1.StateBody:
		return true
	}
	return false
}

// wantsRead reports whether there is something to take, and it is wanted.
func (c *conn) wantsRead() bool { return c.acceptsInput() && (c.unprocessed || c.readable) }

// nextRequest makes way for the session's next request, and returns how long that one waited in the accept queue.
func (c *conn) nextRequest() (backlog time.Duration) {
	c.setState(http1.StateHandling, c.loop.now)
	backlog = c.backlog
	c.backlog = min(c.backlog, 0) // only its first request waited there
	return backlog
}

func (l *loop) refuse(c *conn, method, path, query string, err error) {
	c.job.BeginRefused(method, path, query, c.nextRequest())
	c.job.Refuse(err)
	l.answer(c)
}

func (l *loop) admit(c *conn, method, path, query string) {
	if _, err := l.app.Lookup(method, path); err != nil {
		l.refuse(c, method, path, query, err)
		return
	}
	c.job.Begin(method, path, query, c.nextRequest())
	l.app.Admit(&c.job)
	if !c.job.NotifyEnd() {
		l.answer(c)
	}
}

// jobScheduled and jobEnded are called on any goroutine.
func jobScheduled(job *server.Job) {
	c := job.Owner.(*conn)
	c.loop.group.schedule(Runnable{c})
}

func jobEnded(job *server.Job) {
	c := job.Owner.(*conn)
	c.loop.post(message{conn: c})
}

// sleep starts a timer for the session's job. With a queue, it may be another loop's turn that has let the job in.
func (l *loop) sleep(c *conn) {
	if c.job.Queues() {
		l.post(message{conn: c, sleep: true})
		return
	}
	l.startTimer(c)
}

func (l *loop) startTimer(c *conn) {
	err := c.job.Start()
	delay := c.job.Delay()
	if err != nil || delay <= 0 {
		c.job.End(err)
		return
	}
	c.job.Detach()
	l.timers.add(c, c.job.Started()+delay)
}

// endCancelled ends a job that sleeps, and a reply that waits, if the job was cancelled. Others see it by themselves, as
// their context is done.
func (l *loop) endCancelled(c *conn) {
	err := c.job.Err()
	if err == nil {
		return
	}
	waited := l.timers.remove(c)
	switch p, _ := c.state(); {
	case p == http1.StateHanging:
		l.abandon(c, server.CloseAbort)
	case p == http1.StateHandling && c.unsent != nil:
		l.abandon(c, l.endCause(c))
	case waited:
		c.job.End(err)
	}
}

// close ends a session that has no job.
func (l *loop) close(c *conn, cause server.CloseCause) {
	if p, _ := c.state(); p != http1.StateLingering { // it was counted when it began to linger
		l.app.CountClose(cause)
	}
	l.poller.Close(c.socket)
	c.buffered, c.upload = nil, nil
	l.conns.remove(c)
	l.count.Add(-1)
	l.app.ConnectionClosed()
	l.group.freePlace()
}

// sweep looks at all timeouts, now and then. What has come in time counts, however late the loop is to see it.
func (l *loop) sweep() {
	if l.now < l.sweepAt {
		return
	}
	every := l.group.timeouts.SweepInterval()
	if stood := l.now - l.sweepAt - every; stood > 0 {
		l.forgive(stood)
	}
	l.sweepAt = l.now + every
	looks := l.now >= l.inputCheckAt
	if looks {
		l.inputCheckAt = l.now + http1.InputCheckInterval
	}
	for c := range l.conns.conns() {
		l.check(c, looks)
	}
}

// forgive does not count the time against clients in which the loop stood still, or had no core. It moves the stamps that
// are older: those of the turn that is under way are not.
func (l *loop) forgive(stood time.Duration) {
	if l.drainFrom > 0 && l.drainFrom <= l.sweepAt {
		l.drainFrom += stood
	}
	for c := range l.conns.conns() {
		p, since := c.state()
		if since > l.sweepAt {
			continue
		}
		c.setState(p, since+stood)
		if c.readsRequest() && c.due <= l.sweepAt {
			c.due += stood
		}
	}
}

// check times a session out.
func (l *loop) check(c *conn, looks bool) {
	switch p, since := c.state(); p {
	case http1.StateHanging:
	case http1.StateHandling:
		if looks && c.readable && l.now-since >= http1.InputCheckInterval {
			l.readAhead(c)
		}
	case http1.StateWriting:
		l.checkWrite(c, since)
	default:
		cause, over := l.group.timeouts.Expired(p, since, c.due, l.polled, l.drainFrom)
		if over && p != http1.StateLingering && (c.wantsRead() || l.poller.Unread(c.socket)) {
			cause, over = l.group.timeouts.Expired(p, since, c.due, l.polled-http1.UnreadGrace, l.drainFrom)
		}
		if over {
			l.timeOut(c, cause)
		}
	}
}

// checkWrite times a reply out, as that of conns does.
func (l *loop) checkWrite(c *conn, since time.Duration) {
	timeouts := &l.group.timeouts
	if l.now-since >= timeouts.SweepInterval() && timeouts.Progressed(&c.unsent.acked, l.poller.Acked(c.socket)) {
		c.setState(http1.StateWriting, l.now)
		return
	}
	if cause, over := timeouts.Expired(http1.StateWriting, since, 0, l.polled, l.drainFrom); over {
		l.abandon(c, cause)
	}
}

// timeOut ends a session that does not send what it should.
func (l *loop) timeOut(c *conn, cause server.CloseCause) {
	switch p, _ := c.state(); p {
	case http1.StateHead:
		c.info = http1.RequestInfo{}
		l.refuse(c, "", "", "", server.ErrTimeout)
	case http1.StateBody:
		u := c.upload
		c.upload = nil
		l.refuse(c, u.method, u.path, u.query, server.ErrTimeout)
	default:
		l.close(c, cause)
	}
}

// readAhead reads what a client has sent ahead of the reply that it waits for, as conns.look does.
func (l *loop) readAhead(c *conn) {
	if len(c.buffered) >= http1.MaxReadAhead { // and nothing was taken since the last look
		l.giveUp(c)
		return
	}
	for len(c.buffered) < http1.MaxReadAhead {
		n, err := l.poller.Read(c.socket, l.buffer[:min(len(l.buffer), http1.MaxReadAhead-len(c.buffered))])
		if err == ErrAgain {
			c.readable = false
			return
		}
		if err != nil || n == 0 {
			l.disconnect(c, err != nil)
			return
		}
		c.buffered = append(c.buffered, l.buffer[:n]...)
		c.unprocessed = true
	}
}

// giveUp makes the session's client one that has left: the session closes after the reply that is due.
func (l *loop) giveUp(c *conn) {
	c.buffered, c.unprocessed = nil, false
	c.info.Close = true
	l.disconnect(c, true)
}

// disconnect notes that the session's client sends no more, which counts as leaving unless it may still read its reply.
func (l *loop) disconnect(c *conn, broken bool) {
	c.disconnected = true
	if p, _ := c.state(); l.app.AnswersHalfClosed() && !broken && p != http1.StateHanging {
		return
	}
	c.job.Disconnect()
	l.endCancelled(c)
}

// interrupt ends a session at once, unless its job has not ended: that one was told to.
func (l *loop) interrupt(c *conn) {
	switch p, _ := c.state(); p {
	case http1.StateHandling, http1.StateHanging:
	case http1.StateWriting:
		l.abandon(c, server.CloseDrain)
	default:
		l.close(c, server.CloseDrain)
	}
}

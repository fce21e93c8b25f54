package eventloop

import (
	"time"

	"demo-server/server"
	"demo-server/server/http1"
)

// A conn is a connection of an event loop, and all that a blocked request costs. It borrows its loop's buffers, and has
// buffers of its own only for a part of a request or the rest of a reply.
//
// The loop's goroutine owns it. Other goroutines find it as the owner of its job, and post it.
type conn struct {
	job server.Job
	Tag
	perConnection
}

// A perConnection holds the fields of a conn that start anew with each connection.
type perConnection struct {
	loop   *loop
	socket int32
	place  int32 // in the loop's timers
	stamp  http1.Stamp

	// For timers. While a request is read, the conn is in none, and due is the stamp of the request's beginning, or of
	// the accept.
	due        time.Duration
	next, prev *conn

	backlog      time.Duration     // the first request's time in the accept queue
	buffered     []byte            // input that is not consumed yet
	upload       *upload           // the request whose body is being read, or nil
	unsent       *unsent           // the rest of the reply, or nil
	info         http1.RequestInfo // of the last request
	readable     bool              // the socket may have input, or its end
	unprocessed  bool              // buffered may hold a complete request
	disconnected bool              // the client has sent a FIN, or reset the connection
	open         bool              // has a socket
	queued       bool              // is in the loop's runQueue
}

// An upload is a request whose body is being read.
type upload struct {
	body                http1.Body
	method, path, query string
}

// ClientAddr returns the client's address.
func (c *conn) ClientAddr() string { return c.loop.poller.ClientAddr(c.socket) }

func (c *conn) setState(p http1.ConnState, since time.Duration) { c.stamp = http1.NewStamp(p, since) }

func (c *conn) state() (http1.ConnState, time.Duration) {
	return c.stamp.State(), c.stamp.Since()
}

// acceptsInput reports whether the conn may read now. The next request has to wait until the present one is answered.
func (c *conn) acceptsInput() bool {
	switch p, _ := c.state(); p {
	case http1.StateHandling, http1.StateWriting:
		return false
	}
	return c.open
}

// readsRequest reports whether a request is being read, or will be next.
func (c *conn) readsRequest() bool {
	switch p, _ := c.state(); p {
	case http1.StateNew, http1.StateHead, http1.StateBody:
		return true
	}
	return false
}

// wantsRead reports whether there may be input, and the conn may read it.
func (c *conn) wantsRead() bool { return c.acceptsInput() && (c.unprocessed || c.readable) }

// nextRequest starts handling the next request, and returns its time in the accept queue.
func (c *conn) nextRequest() (backlog time.Duration) {
	c.setState(http1.StateHandling, c.loop.now)
	backlog = c.backlog
	c.backlog = min(c.backlog, 0) // only the first request waited there
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

// jobScheduled and jobEnded may be called on any goroutine.
func jobScheduled(job *server.Job) {
	c := job.Owner.(*conn)
	c.loop.group.schedule(Runnable{c})
}

func jobEnded(job *server.Job) {
	c := job.Owner.(*conn)
	c.loop.post(message{conn: c})
}

// sleep starts a timer for the conn's job. If the job may have been queued, it was perhaps scheduled on another loop's
// goroutine.
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

// endCancelled ends a sleeping job, or a reply that waits, if the job was cancelled. Jobs that run end by themselves,
// because their context is cancelled.
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

// close closes a conn without a job.
func (l *loop) close(c *conn, cause server.CloseCause) {
	if p, _ := c.state(); p != http1.StateLingering { // otherwise it was counted when it began to linger
		l.app.CountClose(cause)
	}
	l.poller.Close(c.socket)
	c.buffered, c.upload = nil, nil
	l.conns.remove(c)
	l.count.Add(-1)
	l.app.ConnectionClosed()
	l.group.freePlace()
}

// sweep checks all timeouts now and then. Input that arrived in time counts, even if the loop sees it late.
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

// forgive does not charge clients for time in which the loop could not run. It moves all stamps from before that time.
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

// check closes or refuses a conn that has timed out.
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

// checkWrite closes a conn whose client does not read its reply.
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

// timeOut ends a conn that has not received its input in time.
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

// readAhead reads further requests of a client that waits for a reply, to see a FIN behind them.
func (l *loop) readAhead(c *conn) {
	if len(c.buffered) >= http1.MaxReadAhead { // nothing was consumed since the last check
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

// giveUp treats the client as disconnected. The conn closes after the present reply.
func (l *loop) giveUp(c *conn) {
	c.buffered, c.unprocessed = nil, false
	c.info.Close = true
	l.disconnect(c, true)
}

// disconnect notes that the client sends nothing more. This counts as a disconnect, unless the client may still read
// its reply.
func (l *loop) disconnect(c *conn, broken bool) {
	c.disconnected = true
	if p, _ := c.state(); l.app.AnswersHalfClosed() && !broken && p != http1.StateHanging {
		return
	}
	c.job.Disconnect()
	l.endCancelled(c)
}

// interrupt closes a conn at once, unless its job has not ended: that one was aborted.
func (l *loop) interrupt(c *conn) {
	switch p, _ := c.state(); p {
	case http1.StateHandling, http1.StateHanging:
	case http1.StateWriting:
		l.abandon(c, server.CloseDrain)
	default:
		l.close(c, server.CloseDrain)
	}
}

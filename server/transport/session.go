package transport

import (
	"iter"
	"slices"
	"time"

	"github.com/valyala/fasthttp"

	"demo-server/server"
	"demo-server/server/fault"
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
	at     int64 // phase and stamp, as in conn

	// Of timers.
	place      int32
	due        time.Duration
	next, prev *session

	backlog  time.Duration // in the accept queue, for the first request
	kept     []byte        // bytes that came and are not taken yet
	body     *body         // of the request that is coming in, once its head has
	unsent   *unsent       // what is left of the reply
	manner   manner        // of the last request's head
	readable bool          // the socket may have bytes, or their end
	unparsed bool          // kept may hold a whole request
	left     bool          // the client has sent a FIN, or reset the connection
	open     bool          // has a socket
	blocks   bool          // its loop stands still for its job
	again    bool          // is in the loop's list of those that go on
}

// unsent is what the socket did not take of a reply, or of 100 Continue; or else a reply that drips, or never comes.
type unsent struct {
	reply   server.Reply // to the job
	interim bool         // it is 100 Continue, and no reply
	head    []byte
	body    []byte
	began   time.Duration // when the reply began to drip
	piece   int           // which piece of it comes next
}

func (s *session) enter(p phase, since time.Duration) { s.at = stampOf(p, since) }

func (s *session) where() (phase, time.Duration) {
	return phase(s.at & phaseMask), time.Duration(s.at >> phaseBits)
}

// receives reports whether bytes are wanted now: not while a request is worked on or answered, because the next one has
// to wait for that.
func (s *session) receives() bool {
	switch p, _ := s.where(); p {
	case phaseWorking, phaseWriting:
		return false
	}
	return s.open
}

// hungry reports whether there is something to take, and it is wanted.
func (s *session) hungry() bool { return s.receives() && (s.unparsed || s.readable) }

// table holds a loop's sessions. They are made by the dozen, so that growing leaves no garbage, and used again, last used
// first.
type table struct {
	blocks [][]*session
	free   []*session
	open   int
}

const blockSize = 32

func (t *table) seat(l *loop) *session {
	if len(t.free) == 0 {
		t.grow(l)
	}
	last := len(t.free) - 1
	s := t.free[last]
	t.free = t.free[:last]
	s.visit = visit{loop: l, place: notWaiting, open: true}
	t.open++
	return s
}

func (t *table) grow(l *loop) {
	made, block := make([]session, blockSize), make([]*session, blockSize)
	first := len(t.blocks) * blockSize
	t.blocks = append(t.blocks, block)
	for i := range slices.Backward(block) {
		block[i] = &made[i]
		block[i].index = int32(first + i)
		t.free = append(t.free, block[i])
	}
}

// unseat makes room. What is told of the session from now on is of one that has closed.
func (t *table) unseat(s *session) {
	s.open = false
	s.generation++
	if !s.job.Reusable() {
		s = &session{tag: s.tag}
		*t.at(s.index) = s
	}
	t.free = append(t.free, s)
	t.open--
}

func (t *table) at(index int32) **session { return &t.blocks[index/blockSize][index%blockSize] }

// find returns an event's session, or nil when it has closed since.
func (t *table) find(g tag) *session {
	s := *t.at(g.index)
	if !s.open || s.generation != g.generation {
		return nil
	}
	return s
}

// sessions are those that are open. They may be closed meanwhile.
func (t *table) sessions() iter.Seq[*session] {
	return func(yield func(*session) bool) {
		for _, block := range t.blocks {
			for _, s := range block {
				if s.open && !yield(s) {
					return
				}
			}
		}
	}
}

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
	s.body = newBody(length, l.loops.limits.MaxBodyBytes)
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
	n, complete, err := s.body.take(in, &l.trailer)
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

// job makes the session's job that of its next request.
func (l *loop) job(s *session, method, path, query string) *server.Job {
	s.enter(phaseWorking, 0)
	s.job.Begin(method, path, query, s.backlog)
	s.backlog = min(s.backlog, 0) // only its first request waited there
	return &s.job
}

func (l *loop) refuse(s *session, method, path string, err error) {
	l.job(s, method, path, "").Refuse(err)
	l.answer(s)
}

func (l *loop) admit(s *session, method, path, query string) {
	if _, err := l.app.Lookup(method, path); err != nil {
		l.refuse(s, method, path, err)
		return
	}
	job := l.job(s, method, path, query)
	l.app.Admit(job, jobScheduled)
	if !job.Notify(jobEnded) {
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
	case p == phaseWorking && s.unsent != nil:
		l.sent(s, false)
	case waited:
		s.job.End(err)
	}
}

// answer writes the reply of a job that has ended.
func (l *loop) answer(s *session) {
	s.job.Reply(&l.reply)
	if l.reply.Abort != fault.None {
		l.breakOff(s)
		return
	}
	head, body := l.letter.append(l.out[:0], &l.reply, s.manner)
	l.out = head
	head, body, err := l.write(s, head, body)
	switch {
	case err != nil:
		l.settle(s, &l.reply, false)
	case len(head)+len(body) > 0:
		l.keepReply(s, head, body)
		s.enter(phaseWriting, l.now)
	case l.reply.Pieces > 0:
		l.keepReply(s, nil, nil)
		l.pause(s)
	default:
		l.settle(s, &l.reply, true)
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
		s.enter(phaseWorking, 0) // nothing times out
		s.job.Hang()
		l.cancelled(s)
	case fault.Reset:
		l.poller.reset(s.socket)
		l.settle(s, &l.reply, false)
	default:
		l.settle(s, &l.reply, true)
	}
}

// pause waits until the next piece of a reply that drips is due.
func (l *loop) pause(s *session) {
	_, at := s.unsent.reply.Piece(s.unsent.piece)
	due := s.unsent.began + at
	s.enter(phaseWorking, 0) // nothing times out meanwhile
	if s.blocks {
		l.standStill(&s.job, func() { s.job.Pause(due - l.app.Now()) })
	}
	switch {
	case s.job.Err() != nil:
		l.sent(s, false)
	case s.blocks:
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
	s.enter(phaseWriting, l.now)
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
	case err != nil || left == 0:
		l.sent(s, err == nil)
	case left < before:
		s.enter(phaseWriting, l.now)
	}
}

// sent goes on when what was unsent is out, or never will be.
func (l *loop) sent(s *session, written bool) {
	u := s.unsent
	if written && u.piece < u.reply.Pieces {
		l.pause(s)
		return
	}
	s.unsent = nil
	switch {
	case !u.interim:
		l.settle(s, &u.reply, written)
	case written:
		l.expectBody(s)
	default:
		l.close(s)
	}
}

// settle finishes the job whose reply is out, or never will be.
func (l *loop) settle(s *session, reply *server.Reply, written bool) {
	s.enter(phaseIdle, s.job.Finish(reply, written))
	switch {
	case !written:
		l.close(s)
	case reply.Close || s.manner.close && (s.readable || len(s.kept) > 0):
		// Its client may still be sending: closing at once would reset it, and the reset can overtake the reply.
		s.kept, s.unparsed, s.body = nil, false, nil
		s.enter(phaseLingering, l.now)
		if l.poller.closeWrite(s.socket) != nil {
			l.close(s)
		}
	case s.manner.close:
		l.close(s)
	}
}

// close ends a session that has no job.
func (l *loop) close(s *session) {
	l.poller.close(s.socket)
	s.kept, s.body = nil, nil
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
	l.sweepAt = l.now + sweepEvery(l.loops.limits)
	for s := range l.table.sessions() {
		p, since := s.where()
		if !overdue(l.loops.limits, p, since, l.polled, l.drainFrom) {
			continue
		}
		switch p {
		case phaseHeader:
			s.manner = manner{}
			l.refuse(s, "", "", server.ErrTimeout)
		case phaseBody:
			method, path := s.body.method, s.body.path
			s.body = nil
			l.refuse(s, method, path, server.ErrTimeout)
		case phaseWriting:
			l.sent(s, false) // the client does not read
		default:
			l.close(s)
		}
	}
}

// cut ends a session at once, unless its job has not ended: that one was told to.
func (l *loop) cut(s *session) {
	switch p, _ := s.where(); p {
	case phaseWorking:
	case phaseWriting:
		l.sent(s, false)
	default:
		l.close(s)
	}
}

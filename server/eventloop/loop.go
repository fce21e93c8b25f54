package eventloop

import (
	"sync"
	"sync/atomic"
	"time"

	"demo-server/server"
	"demo-server/server/fault"
	"demo-server/server/http1"
)

const (
	// readChunk is how much is read at once.
	readChunk = 16 << 10
	// acceptBatch is how many connections are accepted before those that are open get their turn.
	acceptBatch = 64
)

// A loop is one event loop: a goroutine that owns connections, their timers and its buffers. What other goroutines have
// for it comes in by post.
type loop struct {
	loops  *loops
	app    *server.App
	poller poller
	now    time.Duration // a stamp of the App, precise enough for timeouts
	polled time.Duration // the stamp until which it knows what has happened

	table  table
	timers timers
	events []event
	again  []*session // those that go on when the others had their turn
	before []*session // those before these, to be used again

	buffer   []byte // what is read
	searched int    // how much of what was received last is known to hold no end of a head
	out      []byte // a reply
	reply    server.Reply
	letter   http1.ReplyWriter
	head     http1.Head
	parser   http1.HeadParser

	listens   bool
	blocks    bool          // stands still for its jobs, and so for the pauses of their replies
	acceptAt  time.Duration // when to accept again after a failure, 0 for no failure
	backOff   time.Duration // before the next attempt to accept
	sweepAt   time.Duration // when timeouts are next looked at
	lookAt    time.Duration // when to look next at what came ahead of replies
	drainFrom time.Duration // stamp since when closing is announced, 0 while it is not
	stopped   bool          // has accepted for the last time
	aborted   bool          // what was open at the drain deadline has been told
	cuts      int32         // how many of loops.cuts it has seen

	count  atomic.Int64 // sessions, and connections on their way here
	full   atomic.Bool  // waits for a connection to close before it accepts another
	asleep atomic.Bool  // waits in the poller, or is about to: a post has to wake it

	mu      sync.Mutex
	posts   []post
	blocked *server.Job // that the loop stands still for
	spare   []post      // the posts before these, to be used again; of the loop's goroutine
}

// A post is a session whose job has ended or may sleep now, or else a connection to be this loop's.
type post struct {
	session *session
	sleep   bool
	socket  int32
	backlog time.Duration
}

func newLoop(s *loops, p poller) *loop {
	l := &loop{
		loops: s, app: s.app, poller: p, buffer: make([]byte, readChunk), parser: http1.NewHeadParser(s.limits.MaxHeaderBytes),
		letter: http1.NewReplyWriter(s.app.ServerName()),
	}
	l.now = s.app.Now()
	return l
}

// run turns until it was told to end and nothing is left to do.
func (l *loop) run() {
	for {
		l.lookAround()
		if l.finished() {
			return
		}
		l.events = l.poller.wait(l.events[:0], l.until(), l.loops.detached.Load() > 0)
		l.asleep.Store(false)
		l.now = l.app.Now()
		l.polled = l.now
		l.letter.SetTime(time.Now())
		for _, e := range l.events {
			l.handle(e)
		}
		l.goOn()
		l.takePosts()
		l.fire()
		l.sweep()
	}
}

// until is when there is something to do although nothing happens. To wait for it announces to those who post that the
// loop has to be woken.
func (l *loop) until() time.Duration {
	l.asleep.Store(true)
	l.mu.Lock()
	waiting := len(l.posts) > 0
	l.mu.Unlock()
	if waiting || len(l.again) > 0 {
		return l.now
	}
	until := never
	if s := l.timers.next(); s != nil {
		until = s.due
	}
	if l.table.open > 0 {
		until = min(until, l.sweepAt)
	}
	if l.acceptAt > 0 {
		until = min(until, l.acceptAt)
	}
	return until
}

// goOn gives another turn to those that had not taken all when theirs was over. One of them may have closed since, and
// be another connection's by now: that takes nothing, or what it would take anyway.
func (l *loop) goOn() {
	l.again, l.before = l.before[:0], l.again
	for _, s := range l.before {
		s.again = false
		l.advance(s)
	}
}

// fire ends the jobs whose delay is over, goes on with replies whose next piece is due, and ends those that hung.
func (l *loop) fire() {
	for s := l.timers.next(); s != nil && s.due <= l.now; s = l.timers.next() {
		l.timers.remove(s)
		switch {
		case s.unsent == nil:
			s.job.End(nil)
		case s.unsent.reply.Abort == fault.Hang:
			l.lose(s, server.CloseAbort)
		case s.unsent.piece == s.unsent.reply.Pieces:
			l.cutOff(s)
		default:
			l.drip(s)
			l.advance(s)
		}
	}
	l.takePosts()
}

// lookAround does what does not come as an event.
func (l *loop) lookAround() {
	l.lookAtEnd()
	switch {
	case l.full.Load() && l.loops.connections.Load() < int64(l.loops.limits.MaxConnections):
		l.full.Store(false)
		l.listenAgain()
	case l.acceptAt > 0 && l.now >= l.acceptAt:
		l.acceptAt = 0
		l.listenAgain()
	}
}

func (l *loop) listenAgain() {
	if l.listen(true) != nil {
		l.acceptLater() // the kernel has no memory for it
	}
}

func (l *loop) acceptLater() {
	l.backOff = min(max(2*l.backOff, 5*time.Millisecond), 100*time.Millisecond)
	l.acceptAt = l.now + l.backOff
}

// lookAtEnd follows what loops has been told about ending.
func (l *loop) lookAtEnd() {
	if l.drainFrom == 0 && l.app.Announcing() {
		l.drainFrom = l.now
	}
	if l.loops.stopping.Load() && !l.stopped {
		l.stopAccepting()
	}
	if l.loops.expired.Load() && !l.aborted {
		l.aborted = true
		for s := range l.table.sessions() {
			s.job.Abort()
			l.cancelled(s)
		}
	}
	if cuts := l.loops.cuts.Load(); cuts != l.cuts {
		l.cuts = cuts
		for s := range l.table.sessions() {
			l.cut(s)
		}
	}
}

func (l *loop) stopAccepting() {
	l.stopped = true
	if l.listens {
		l.accept() // what a listener in memory has taken already; others wait for the next mode
		l.listen(false)
	}
	if l.loops.accepting.Add(-1) == 0 {
		l.loops.wake()
	}
}

// finished reports whether nothing is left to do, nor can come: a loop that still accepts may hand a connection over.
func (l *loop) finished() bool {
	return l.loops.accepting.Load() == 0 && l.count.Load() == 0
}

// standStill does something for the job that takes its time, on the loop itself.
func (l *loop) standStill(job *server.Job, do func()) {
	l.blockOn(job)
	do()
	l.blockOn(nil)
	l.now = l.app.Now()
}

// blockOn says which job the loop stands still for, or nil for none any more. One that starts at the drain deadline ends
// with it.
func (l *loop) blockOn(job *server.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocked = job
	if job != nil && l.loops.expired.Load() {
		job.Abort()
	}
}

// abortBlocked ends the job that the loop stands still for, which cannot do so itself. It runs and is in no queue, so
// that this posts nothing.
func (l *loop) abortBlocked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blocked != nil {
		l.blocked.Abort()
	}
}

// listen starts or stops accepting. A loop that is told to end does not start again.
func (l *loop) listen(on bool) error {
	if on == l.listens || on && l.loops.stopping.Load() {
		return nil
	}
	err := l.poller.listen(on)
	l.listens = on && err == nil
	return err
}

func (l *loop) handle(e event) {
	if e.index == listening {
		l.accept()
		return
	}
	s := l.table.find(e.tag)
	if s == nil {
		return
	}
	if e.left {
		l.leave(s, e.broken)
	}
	if e.readable {
		s.readable = true
	}
	if p, _ := s.where(); e.writable && p == http1.StateWriting { // and not between the pieces of a reply, or while it hangs
		l.writeMore(s)
	}
	l.advance(s)
}

// accept takes connections, unless there are as many as there may be: further ones wait in the kernel's queue, where
// they cost no descriptor. Nothing makes it give up: to be out of descriptors or memory passes.
func (l *loop) accept() {
	for range acceptBatch {
		if !l.loops.enter() {
			l.listen(false)
			l.full.Store(true) // and then look again: one may have closed in between
			return
		}
		socket, backlog, err := l.poller.accept()
		if err != nil {
			l.loops.connections.Add(-1)
			if err != errAgain {
				l.listen(false)
				l.acceptLater()
			}
			return
		}
		l.backOff = 0
		l.app.ConnectionOpened()
		host := l.loops.host(l)
		host.count.Add(1)
		if host == l {
			l.adopt(socket, backlog)
		} else {
			host.send(post{socket: socket, backlog: backlog})
		}
	}
}

// adopt makes an accepted connection this loop's.
func (l *loop) adopt(socket int32, backlog time.Duration) {
	s := l.table.seat(l)
	s.socket, s.backlog = socket, backlog
	s.job.Owner = s
	s.job.Init(l.app)
	s.enter(http1.StateNew, l.now)
	s.due = l.now
	if l.poller.watch(socket, s.tag) != nil {
		l.close(s, server.CloseResource) // the kernel has no memory for it
	}
}

// send is for other goroutines: they have something for the loop.
func (l *loop) send(p post) {
	l.mu.Lock()
	l.posts = append(l.posts, p)
	l.mu.Unlock()
	if l.asleep.Swap(false) {
		l.poller.wake()
	}
}

// takePosts does what was posted. What that leads to is posted for the next turn.
func (l *loop) takePosts() {
	l.mu.Lock()
	posts := l.posts
	l.posts, l.spare = l.spare[:0], posts
	l.mu.Unlock()
	for _, p := range posts {
		switch {
		case p.session == nil:
			l.adopt(p.socket, p.backlog)
		case p.sleep:
			l.startTimer(p.session)
		default:
			l.answer(p.session)
			l.advance(p.session)
		}
	}
}

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
	group  *group
	app    *server.App
	poller Poller
	now    time.Duration // a stamp of the App, precise enough for timeouts
	polled time.Duration // the stamp until which it knows what has happened

	conns     connTable
	timers    timers
	events    []Event
	runQueue  []*conn // those that go on when the others had their turn
	prevQueue []*conn // those before these, to be used again

	buffer   []byte // what is read
	searched int    // how much of what was received last is known to hold no end of a head
	out      []byte // a reply
	reply    server.Reply
	replies  http1.ReplyWriter
	head     http1.Head
	parser   http1.HeadParser

	listening    bool
	inline       bool          // stands still for its jobs, and so for the pauses of their replies
	acceptAt     time.Duration // when to accept again after a failure, 0 for no failure
	backOff      time.Duration // before the next attempt to accept
	sweepAt      time.Duration // when timeouts are next looked at
	inputCheckAt time.Duration // when to look next at what came ahead of replies
	drainFrom    time.Duration // stamp since when closing is announced, 0 while it is not
	stopped      bool          // has accepted for the last time
	aborted      bool          // what was open at the drain deadline has been told
	cuts         int32         // how many of loops.cuts it has seen

	count  atomic.Int64 // sessions, and connections on their way here
	full   atomic.Bool  // waits for a connection to close before it accepts another
	asleep atomic.Bool  // waits in the poller, or is about to: a post has to wake it

	mu           sync.Mutex
	mailbox      []message
	blocking     *server.Job // that the loop stands still for
	spareMailbox []message   // the posts before these, to be used again; of the loop's goroutine
}

// A message is a session whose job has ended or may sleep now, or else a connection to be this loop's.
type message struct {
	conn    *conn
	sleep   bool
	socket  int32
	backlog time.Duration
}

func newLoop(g *group, p Poller) *loop {
	l := &loop{
		group: g, app: g.app, poller: p, buffer: make([]byte, readChunk), parser: http1.NewHeadParser(g.limits.MaxHeaderBytes),
		replies: http1.NewReplyWriter(g.app.ServerName()),
	}
	l.now = g.app.Now()
	return l
}

// run turns until it was told to end and nothing is left to do.
func (l *loop) run() {
	for {
		l.housekeep()
		if l.finished() {
			return
		}
		l.events = l.poller.Wait(l.events[:0], l.nextDeadline(), l.group.offloaded.Load() > 0)
		l.asleep.Store(false)
		l.now = l.app.Now()
		l.polled = l.now
		l.replies.SetTime(time.Now())
		for _, e := range l.events {
			l.handle(e)
		}
		l.resume()
		l.drainMailbox()
		l.runTimers()
		l.sweep()
	}
}

// nextDeadline is when there is something to do although nothing happens. To wait for it announces to those who post that the
// loop has to be woken.
func (l *loop) nextDeadline() time.Duration {
	l.asleep.Store(true)
	l.mu.Lock()
	waiting := len(l.mailbox) > 0
	l.mu.Unlock()
	if waiting || len(l.runQueue) > 0 {
		return l.now
	}
	until := Never
	if c := l.timers.next(); c != nil {
		until = c.due
	}
	if l.conns.open > 0 {
		until = min(until, l.sweepAt)
	}
	if l.acceptAt > 0 {
		until = min(until, l.acceptAt)
	}
	return until
}

// resume gives another turn to those that had not taken all when theirs was over. One of them may have closed since, and
// be another connection's by now: that takes nothing, or what it would take anyway.
func (l *loop) resume() {
	l.runQueue, l.prevQueue = l.prevQueue[:0], l.runQueue
	for _, c := range l.prevQueue {
		c.queued = false
		l.process(c)
	}
}

// runTimers ends the jobs whose delay is over, goes on with replies whose next piece is due, and ends those that hung.
func (l *loop) runTimers() {
	for c := l.timers.next(); c != nil && c.due <= l.now; c = l.timers.next() {
		l.timers.remove(c)
		switch {
		case c.unsent == nil:
			c.job.End(nil)
		case c.unsent.reply.Abort == fault.Hang:
			l.abandon(c, server.CloseAbort)
		case c.unsent.piece == c.unsent.reply.Pieces:
			l.abortAfterPart(c)
		default:
			l.drip(c)
			l.process(c)
		}
	}
	l.drainMailbox()
}

// housekeep does what does not come as an event.
func (l *loop) housekeep() {
	l.checkShutdown()
	switch {
	case l.full.Load() && l.group.connections.Load() < int64(l.group.limits.MaxConnections):
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

// checkShutdown follows what loops has been told about ending.
func (l *loop) checkShutdown() {
	if l.drainFrom == 0 && l.app.Closing() {
		l.drainFrom = l.now
	}
	if l.group.stopping.Load() && !l.stopped {
		l.stopAccepting()
	}
	if l.group.expired.Load() && !l.aborted {
		l.aborted = true
		for c := range l.conns.conns() {
			c.job.Abort()
			l.endCancelled(c)
		}
	}
	if cuts := l.group.cuts.Load(); cuts != l.cuts {
		l.cuts = cuts
		for c := range l.conns.conns() {
			l.interrupt(c)
		}
	}
}

func (l *loop) stopAccepting() {
	l.stopped = true
	if l.listening {
		l.accept() // what a listener in memory has taken already; others wait for the next mode
		l.listen(false)
	}
	if l.group.accepting.Add(-1) == 0 {
		l.group.wake()
	}
}

// finished reports whether nothing is left to do, nor can come: a loop that still accepts may hand a connection over.
func (l *loop) finished() bool {
	return l.group.accepting.Load() == 0 && l.count.Load() == 0
}

// runBlocking does something for the job that takes its time, on the loop itself.
func (l *loop) runBlocking(job *server.Job, do func()) {
	l.setBlocking(job)
	do()
	l.setBlocking(nil)
	l.now = l.app.Now()
}

// setBlocking says which job the loop stands still for, or nil for none any more. One that starts at the drain deadline ends
// with it.
func (l *loop) setBlocking(job *server.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocking = job
	if job != nil && l.group.expired.Load() {
		job.Abort()
	}
}

// abortBlocking ends the job that the loop stands still for, which cannot do so itself. It runs and is in no queue, so
// that this posts nothing.
func (l *loop) abortBlocking() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blocking != nil {
		l.blocking.Abort()
	}
}

// listen starts or stops accepting. A loop that is told to end does not start again.
func (l *loop) listen(on bool) error {
	if on == l.listening || on && l.group.stopping.Load() {
		return nil
	}
	err := l.poller.Listen(on)
	l.listening = on && err == nil
	return err
}

func (l *loop) handle(e Event) {
	if e.Index == Listening {
		l.accept()
		return
	}
	c := l.conns.find(e.Tag)
	if c == nil {
		return
	}
	if e.Disconnected {
		l.disconnect(c, e.Broken)
	}
	if e.Readable {
		c.readable = true
	}
	if p, _ := c.state(); e.Writable && p == http1.StateWriting { // and not between the pieces of a reply, or while it hangs
		l.writeMore(c)
	}
	l.process(c)
}

// accept takes connections, unless there are as many as there may be: further ones wait in the kernel's queue, where
// they cost no descriptor. Nothing makes it give up: to be out of descriptors or memory passes.
func (l *loop) accept() {
	for range acceptBatch {
		if !l.group.takePlace() {
			l.listen(false)
			l.full.Store(true) // and then look again: one may have closed in between
			return
		}
		socket, backlog, err := l.poller.Accept()
		if err != nil {
			l.group.connections.Add(-1)
			if err != ErrAgain {
				l.listen(false)
				l.acceptLater()
			}
			return
		}
		l.backOff = 0
		l.app.ConnectionOpened()
		host := l.group.pickLoop(l)
		host.count.Add(1)
		if host == l {
			l.attach(socket, backlog)
		} else {
			host.post(message{socket: socket, backlog: backlog})
		}
	}
}

// attach makes an accepted connection this loop's.
func (l *loop) attach(socket int32, backlog time.Duration) {
	c := l.conns.add(l)
	c.socket, c.backlog = socket, backlog
	c.job.Owner = c
	c.job.Init(l.app)
	c.setState(http1.StateNew, l.now)
	c.due = l.now
	if l.poller.Watch(socket, c.Tag) != nil {
		l.close(c, server.CloseResource) // the kernel has no memory for it
	}
}

// post is for other goroutines: they have something for the loop.
func (l *loop) post(p message) {
	l.mu.Lock()
	l.mailbox = append(l.mailbox, p)
	l.mu.Unlock()
	if l.asleep.Swap(false) {
		l.poller.Wake()
	}
}

// drainMailbox does what was posted. What that leads to is posted for the next turn.
func (l *loop) drainMailbox() {
	l.mu.Lock()
	posts := l.mailbox
	l.mailbox, l.spareMailbox = l.spareMailbox[:0], posts
	l.mu.Unlock()
	for _, p := range posts {
		switch {
		case p.conn == nil:
			l.attach(p.socket, p.backlog)
		case p.sleep:
			l.startTimer(p.conn)
		default:
			l.answer(p.conn)
			l.process(p.conn)
		}
	}
}

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
	// readChunk is the size of one read.
	readChunk = 16 << 10
	// acceptBatch is how many connections are accepted before the open ones have their turn.
	acceptBatch = 64
)

// A loop is one event loop: a goroutine that owns connections, their timers and its buffers. Other goroutines reach it
// by its mailbox.
//
// The loop's goroutine owns all fields, except for the atomic ones and those guarded by mu.
type loop struct {
	group  *group
	app    *server.App
	poller Poller
	now    time.Duration // a stamp of the App, precise enough for timeouts
	polled time.Duration // the stamp of the last call of Wait: events up to then are known

	conns     connTable
	timers    timers
	events    []Event
	runQueue  []*conn // connections with more input, for the next turn
	prevQueue []*conn // the previous runQueue, to be reused

	buffer   []byte // input
	searched int    // how many bytes of the input are known not to end a head
	out      []byte // output
	reply    server.Reply
	replies  http1.ReplyWriter
	head     http1.Head
	parser   http1.HeadParser

	listening    bool
	inline       bool          // runs jobs and the pauses of their replies itself
	acceptAt     time.Duration // when to accept again after a failure; 0 for no failure
	backOff      time.Duration // the pause before that
	sweepAt      time.Duration // when to check timeouts next
	inputCheckAt time.Duration // when to check the input during requests next
	drainFrom    time.Duration // the stamp at which closing was announced; 0 before
	stopped      bool          // has accepted for the last time
	aborted      bool          // has cancelled its jobs at the drain deadline
	cuts         int32         // how many of group.cuts it has carried out

	count  atomic.Int64 // connections, including those on their way to this loop
	full   atomic.Bool  // waits for a connection to close before it accepts another one
	asleep atomic.Bool  // waits in the poller, or is about to: post has to wake it

	mu           sync.Mutex
	mailbox      []message
	blocking     *server.Job // the job that the loop runs itself, or nil
	spareMailbox []message   // the previous mailbox, to be reused; the loop's goroutine owns it
}

// A message is a conn whose job has ended or may sleep now, or a new connection for the loop.
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

// run serves until the group stops and the loop's connections have closed.
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

// nextDeadline returns the stamp until which the loop may wait for events. From the call on, post wakes the loop.
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

// resume processes the connections with more input. One of them may have closed since then, and its conn may belong to
// another connection. That does no harm: the loop would read that connection's input anyway.
func (l *loop) resume() {
	l.runQueue, l.prevQueue = l.prevQueue[:0], l.runQueue
	for _, c := range l.prevQueue {
		c.queued = false
		l.process(c)
	}
}

// runTimers ends jobs whose delay is over, continues replies whose next piece is due, and ends replies that have hung
// long enough.
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

// housekeep does the things that no event triggers.
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
		l.acceptLater() // the kernel lacks memory
	}
}

func (l *loop) acceptLater() {
	l.backOff = min(max(2*l.backOff, 5*time.Millisecond), 100*time.Millisecond)
	l.acceptAt = l.now + l.backOff
}

// checkShutdown carries out the group's shutdown on this loop.
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
		l.accept() // a Pollable listener may have accepted some; others wait for the next mode
		l.listen(false)
	}
	if l.group.accepting.Add(-1) == 0 {
		l.group.wake()
	}
}

// finished reports whether the loop is without connections and cannot get any. A loop that still accepts may pass one
// on.
func (l *loop) finished() bool {
	return l.group.accepting.Load() == 0 && l.count.Load() == 0
}

// runBlocking calls do, which blocks the loop for the job.
func (l *loop) runBlocking(job *server.Job, do func()) {
	l.setBlocking(job)
	do()
	l.setBlocking(nil)
	l.now = l.app.Now()
}

// setBlocking notes the job that blocks the loop, or nil. It aborts a job that starts after the drain deadline.
func (l *loop) setBlocking(job *server.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocking = job
	if job != nil && l.group.expired.Load() {
		job.Abort()
	}
}

// abortBlocking aborts the job that blocks the loop, because the loop cannot. The job runs and is in no queue: this
// posts nothing.
func (l *loop) abortBlocking() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blocking != nil {
		l.blocking.Abort()
	}
}

// listen starts or stops accepting. It does not start it during a shutdown.
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
	if p, _ := c.state(); e.Writable && p == http1.StateWriting { // not during a pause, and not while it hangs
		l.writeMore(c)
	}
	l.process(c)
}

// accept accepts connections up to the limit. Further ones wait in the kernel's queue, where they cost no descriptor.
// It never gives up, because a lack of descriptors or memory passes.
func (l *loop) accept() {
	for range acceptBatch {
		if !l.group.takePlace() {
			l.listen(false)
			l.full.Store(true) // before the next check: one may have closed in between
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

// attach makes an accepted connection one of this loop.
func (l *loop) attach(socket int32, backlog time.Duration) {
	c := l.conns.add(l)
	c.socket, c.backlog = socket, backlog
	c.job.Owner = c
	c.job.Init(l.app)
	c.setState(http1.StateNew, l.now)
	c.due = l.now
	if l.poller.Watch(socket, c.Tag) != nil {
		l.close(c, server.CloseResource) // the kernel lacks memory
	}
}

// post puts a message in the loop's mailbox. It may be called from any goroutine.
func (l *loop) post(p message) {
	l.mu.Lock()
	l.mailbox = append(l.mailbox, p)
	l.mu.Unlock()
	if l.asleep.Swap(false) {
		l.poller.Wake()
	}
}

// drainMailbox handles all messages. New ones that result from them wait for the next turn.
func (l *loop) drainMailbox() {
	l.mu.Lock()
	messages := l.mailbox
	l.mailbox, l.spareMailbox = l.spareMailbox[:0], messages
	l.mu.Unlock()
	for _, p := range messages {
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

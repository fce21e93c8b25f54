package transport

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"demo-server/server"
	"demo-server/server/http1"
)

// writeChunk is the size of one write. The sweeper sees the progress of a long reply between chunks.
const writeChunk = 64 << 10

// past is a deadline that makes pending reads and writes fail at once.
var past = time.Unix(1, 0)

// A conn is a connection with its job, its timeouts and its entry in the tracker. Read, Write and Close belong to the
// goroutine that serves it. net/http also calls Read on another goroutine, to notice a disconnect.
//
// The serving goroutine owns the fields, unless noted otherwise.
type conn struct {
	net.Conn
	tracker    *connTracker
	index      int32
	generation uint32
	watched    bool // the watcher reports a disconnect

	job     server.Job
	answer  server.Reply  // the job's reply
	backlog time.Duration // the first request's time in the accept queue
	served  bool          // a request has begun
	pending bool          // the job's reply is not complete yet
	failed  bool          // a write failed
	linger  bool          // the client may still be sending: Close must not reset the connection
	aborted bool          // nothing more is written
	closed  atomic.Bool   // Close was called
	framer  framer

	reading     sync.Mutex      // held while a goroutine reads the socket
	ahead       []byte          // bytes that the sweeper has read; guarded by reading
	inputClosed bool            // nothing more is read; guarded by reading
	raw         syscall.RawConn // nil if there is none
	lastAcked   uint64          // bytes of replies that the client's system has acknowledged; for the sweeper
	cause       atomic.Uint32   // why the connection closes, as a server.CloseCause; 0 while unknown

	// requested is the stamp of the beginning of the last request, or of the accept.
	requested atomic.Int64

	// stamp is an http1.Stamp: one store for state and time, several times a request.
	stamp atomic.Int64
}

func (c *conn) setState(p http1.ConnState, since time.Duration) {
	c.stamp.Store(int64(http1.NewStamp(p, since)))
}

// state returns the connection's state and its time.
func (c *conn) state() (http1.ConnState, time.Duration) {
	at := http1.Stamp(c.stamp.Load())
	return at.State(), at.Since()
}

// receive reads the bytes that the sweeper has read, and after them from the socket.
func (c *conn) receive(p []byte) (int, error) {
	c.reading.Lock()
	if len(c.ahead) > 0 || c.inputClosed {
		n, err := c.takeAhead(p)
		c.reading.Unlock()
		return n, err
	}
	n, err := c.Conn.Read(p)
	c.reading.Unlock()
	if err != nil && !timedOut(err) {
		c.noteCause(server.CloseDisconnect)
	}
	return n, err
}

func (c *conn) takeAhead(p []byte) (int, error) {
	if c.inputClosed {
		return 0, io.EOF
	}
	n := copy(p, c.ahead)
	if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
		c.ahead = nil
	}
	return n, nil
}

// timedOut is errors.Is with os.ErrDeadlineExceeded for a connection's error. net/http ends a read this way for each
// request, and errors.Is would take a noticeable part of its time.
func timedOut(err error) bool {
	if operation, ok := err.(*net.OpError); ok {
		err = operation.Err
	}
	return err == os.ErrDeadlineExceeded
}

// noteCause notes why the connection is going to close. The first cause stays, unless a reply is written afterwards.
func (c *conn) noteCause(cause server.CloseCause) { c.cause.CompareAndSwap(0, uint32(cause)) }

// closeCause returns why the connection closes.
func (c *conn) closeCause() server.CloseCause {
	if cause := server.CloseCause(c.cause.Load()); cause != server.CloseReplied {
		return cause
	}
	return c.answer.CloseCause()
}

func (c *conn) Write(p []byte) (int, error) {
	if c.aborted {
		return 0, errAborted
	}
	switch now, _ := c.state(); now {
	case http1.StateWriting:
	case http1.StateHandling:
		c.setState(http1.StateWriting, c.tracker.coarseNow())
	default:
		return c.writeBetween(now, p)
	}
	return c.writeChunks(p)
}

// writeBetween writes bytes outside of a job's reply: 100 Continue, errors that net/http answers itself, or replies
// that fasthttp held back. It has the same timeout as other writes.
func (c *conn) writeBetween(now http1.ConnState, p []byte) (int, error) {
	if !c.framer.head.HasBody() && bytes.Equal(p, http1.Continue) {
		return len(p), nil // fasthttp sends it even to a client without a body
	}
	c.setState(http1.StateWriting, c.tracker.coarseNow())
	n, err := c.writeChunks(p)
	c.setState(now, c.tracker.coarseNow())
	return n, err
}

func (c *conn) writeChunks(p []byte) (int, error) {
	total := 0
	for {
		n, err := c.Conn.Write(p[total:min(len(p), total+writeChunk)])
		total += n
		if err != nil {
			c.failed = true
			c.noteCause(server.CloseDisconnect)
			return total, err
		}
		if total == len(p) {
			return total, nil
		}
		c.setState(http1.StateWriting, c.tracker.coarseNow())
	}
}

// ClientAddr returns the client's address.
func (c *conn) ClientAddr() string { return c.RemoteAddr().String() }

// begin returns the connection's job for its next request.
func (c *conn) begin(method, path, query string) *server.Job {
	c.job.Begin(method, path, query, c.nextRequest())
	return &c.job
}

// refuse ends the job of a request that is not admitted. Nothing more of the request's body is read.
func (c *conn) refuse(method, path, query string, err error) {
	c.framer.refuse()
	c.job.BeginRefused(method, path, query, c.nextRequest())
	c.job.Refuse(err)
}

// nextRequest starts handling the next request, and returns its time in the accept queue.
func (c *conn) nextRequest() (backlog time.Duration) {
	c.finish() // a pipelined request begins before the library reports the end of the last one
	c.setState(http1.StateHandling, c.tracker.coarseNow())
	backlog = c.backlog
	if c.served && backlog > 0 {
		backlog = 0
	}
	c.served, c.pending = true, true
	return backlog
}

// reply returns the finished job's reply, to be written now.
func (c *conn) reply() *server.Reply {
	c.job.Reply(&c.answer)
	c.linger = c.answer.Close
	return &c.answer
}

// finish finishes the job after its reply is written or given up. The server library shows when: the connection becomes
// idle, closes or begins the next request.
func (c *conn) finish() {
	if !c.pending {
		return
	}
	c.pending = false
	c.job.Finish(&c.answer, !c.failed)
	c.setState(http1.StateIdle, c.tracker.coarseNow())
	if !c.failed && !c.aborted && c.cause.Load() != 0 {
		c.cause.Store(0) // the client was answered, for example with 408
	}
}

// interrupt makes all reads and writes fail. The goroutine that serves the connection then closes it.
func (c *conn) interrupt(cause server.CloseCause) {
	c.noteCause(cause)
	c.SetDeadline(past)
}

// CloseWrite sends a FIN and keeps the reading side open.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close finishes a pending job and frees the connection's entry. If the client is still sending, conn keeps reading for
// a moment. Closing at once would reset the connection, and the reset can overtake the reply.
//
// Further calls do nothing: net/http closes a connection again after a failed write.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	c.finish()
	cause := c.closeCause()
	if c.linger && !c.failed && c.CloseWrite() == nil {
		c.linger = false
		c.discardInput()
	}
	err := c.Conn.Close()
	c.tracker.unregister(c, cause)
	return err
}

// discardInput reads and drops input for up to LingerTime.
func (c *conn) discardInput() {
	rest := io.LimitReader(c.Conn, http1.LingerBytes)
	for range http1.WaitSteps {
		c.SetReadDeadline(time.Now().Add(http1.LingerTime / http1.WaitSteps))
		if _, err := io.Copy(io.Discard, rest); !timedOut(err) {
			return
		}
	}
}

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

// writeChunk is how much is written at once: progress on a long reply is seen between chunks.
const writeChunk = 64 << 10

// past is a deadline that makes a pending Read or Write fail at once.
var past = time.Unix(1, 0)

// A conn is a connection with what this package keeps of it: its job, its timeouts' stamp and its seat. Read, Write and
// Close belong to the goroutine that serves it; Read also to net/http's, which waits for the client to leave.
type conn struct {
	net.Conn
	tracker    *connTracker
	index      int32
	generation uint32
	watched    bool // the watcher sees its client leave

	job     server.Job
	answer  server.Reply  // to the job
	backlog time.Duration // in the accept queue, for the first request
	served  bool          // a request was begun on it
	pending bool          // the job's reply is not out yet
	failed  bool          // a write failed
	linger  bool          // the client may still be sending: do not reset it on Close
	aborted bool          // nothing is written any more
	closed  atomic.Bool   // Close was called
	framer  framer

	reading     sync.Mutex      // held while the socket is read, by whoever does
	ahead       []byte          // bytes that the sweeper read, before the connection's reader; of the holder of reading
	inputClosed bool            // nothing is read any more; of the holder of reading
	raw         syscall.RawConn // nil for none
	lastAcked   uint64          // bytes of replies that the client's system has taken; the sweeper's own
	cause       atomic.Uint32   // why it is going to be closed, as a server.CloseCause; 0 while that is not known

	// requested is the stamp of when the last request to be read began, or of the accept.
	requested atomic.Int64

	// at is the stamp, shifted left, and the phase in its low bits: one store for both, several times a request.
	stamp atomic.Int64
}

func (c *conn) setState(p http1.ConnState, since time.Duration) {
	c.stamp.Store(int64(http1.NewStamp(p, since)))
}

// state is what the connection is at, and since when.
func (c *conn) state() (http1.ConnState, time.Duration) {
	at := http1.Stamp(c.stamp.Load())
	return at.State(), at.Since()
}

// receive reads what the sweeper has read, and then from the socket.
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

// timedOut is errors.Is for a connection's error and os.ErrDeadlineExceeded. net/http ends a read so in each request, and
// errors.Is would take a noticeable part of that one's time.
func timedOut(err error) bool {
	if operation, ok := err.(*net.OpError); ok {
		err = operation.Err
	}
	return err == os.ErrDeadlineExceeded
}

// noteCause notes why the connection is going to be closed. The first cause stays, unless a reply goes out after it.
func (c *conn) noteCause(cause server.CloseCause) { c.cause.CompareAndSwap(0, uint32(cause)) }

// closeCause is why the connection closes.
func (c *conn) closeCause() server.CloseCause {
	if cause := server.CloseCause(c.cause.Load()); cause != server.CloseReplied {
		return cause
	}
	return http1.CloseCause(&c.answer)
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

// writeBetween writes what is no reply of a job's: 100 Continue, an error that net/http answers by itself, or replies
// that fasthttp held back. It is timed as every write is.
func (c *conn) writeBetween(now http1.ConnState, p []byte) (int, error) {
	if !c.framer.head.HasBody() && bytes.Equal(p, http1.Continue) {
		return len(p), nil // fasthttp says so also to a client that has nothing to send
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

// ClientAddr is the client's address.
func (c *conn) ClientAddr() string { return c.RemoteAddr().String() }

// begin hands out the connection's job for its next request.
func (c *conn) begin(method, path, query string) *server.Job {
	c.job.Begin(method, path, query, c.nextRequest())
	return &c.job
}

// refuse ends the connection's job for a next request that is not to be admitted. Nothing more of its body is read.
func (c *conn) refuse(method, path, query string, err error) {
	c.framer.refuse()
	c.job.BeginRefused(method, path, query, c.nextRequest())
	c.job.Refuse(err)
}

// nextRequest makes way for the connection's next request, and returns how long that one waited in the accept queue.
func (c *conn) nextRequest() (backlog time.Duration) {
	c.finish() // a pipelined request comes before anybody said that the last reply is out
	c.setState(http1.StateHandling, c.tracker.coarseNow())
	backlog = c.backlog
	if c.served && backlog > 0 {
		backlog = 0
	}
	c.served, c.pending = true, true
	return backlog
}

// reply takes the finished job's reply to be written now.
func (c *conn) reply() *server.Reply {
	c.job.Reply(&c.answer)
	c.linger = c.answer.Close
	return &c.answer
}

// finish finishes the job once its reply is out, or never will be. The server library says when: it turns idle, closes
// or begins the next request.
func (c *conn) finish() {
	if !c.pending {
		return
	}
	c.pending = false
	c.job.Finish(&c.answer, !c.failed)
	c.setState(http1.StateIdle, c.tracker.coarseNow())
	if !c.failed && !c.aborted && c.cause.Load() != 0 {
		c.cause.Store(0) // it was answered, with 408, say
	}
}

// interrupt makes every pending and later read and write fail. The goroutine that serves the connection then closes it.
func (c *conn) interrupt(cause server.CloseCause) {
	c.noteCause(cause)
	c.SetDeadline(past)
}

// CloseWrite sends the FIN and leaves the reading side open.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close finishes what is pending and gives the seat back. A client that is still sending, although its connection is
// to close, is heard out for a moment: closing at once would reset it, and the reset can overtake the reply.
//
// Only the first call counts: net/http closes a connection to which it could not write, and closes it again.
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

// discardInput reads and drops what the client still sends, for a moment.
func (c *conn) discardInput() {
	rest := io.LimitReader(c.Conn, http1.LingerBytes)
	for range http1.WaitSteps {
		c.SetReadDeadline(time.Now().Add(http1.LingerTime / http1.WaitSteps))
		if _, err := io.Copy(io.Discard, rest); !timedOut(err) {
			return
		}
	}
}

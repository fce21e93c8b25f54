package transport

import (
	"bytes"
	"errors"
	"io"

	"demo-server/server"
	"demo-server/server/http1"
)

// A framer splits the input of a connection. The reader of the connection gets one head at a time, and then at most
// that request's body. Input after that is held until the next Read. This package therefore sees every head and limits
// every body before a library does, and a library never holds bytes of the next request.
type framer struct {
	head     http1.Head // of the last request
	body     http1.Body // of the last request
	inBody   bool       // body is incomplete
	err      error      // the error of all further reads, once the position of the next request is unknown
	lastHead []byte     // the last head; empty if it has a body or is long
	partial  []byte     // a copy of an incomplete head
	held     []byte     // input that is not handed out yet
}

var errRefused = errors.New("the request was refused")

// refuse makes the rest of the request's body unreadable. No other goroutine reads before the body is complete.
func (f *framer) refuse() {
	if f.inBody {
		f.err = errRefused
	}
}

// ended returns the error for the end of the input. In the middle of a body, all further reads return it too.
func (f *framer) ended(err error) error {
	if !f.inBody {
		return err
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	f.err = err
	return err
}

// hold copies input that cannot be handed out yet.
func (f *framer) hold(rest []byte) {
	if len(rest) > 0 {
		f.held = append(f.held, rest...)
	}
}

// release drops the first n held bytes. It frees their memory after the last one.
func (f *framer) release(n int) {
	if f.held = f.held[n:]; len(f.held) == 0 {
		f.held = nil
	}
}

// Read reads at most to the end of the request's head or body.
func (c *conn) Read(p []byte) (int, error) {
	f := &c.framer
	for len(p) > 0 {
		if f.err != nil {
			return 0, f.err
		}
		in := f.held[:min(len(p), len(f.held))]
		if len(f.held) == 0 {
			n, err := c.receive(p)
			if n == 0 {
				return 0, f.ended(err)
			}
			in = p[:n]
		}
		from, to, err := c.noteRead(in)
		if len(f.held) > 0 {
			copy(p, in[from:to])
			f.release(to)
		} else {
			f.hold(in[to:])
			if from > 0 {
				copy(p, in[from:to])
			}
		}
		if to > from || err != nil {
			return to - from, err
		}
	}
	return 0, nil
}

// noteRead updates the connection's state for new input, and returns the part of it to hand out. Bytes before that are
// blank lines, and bytes after it belong to the next request.
func (c *conn) noteRead(in []byte) (from, to int, err error) {
	f := &c.framer
	if f.inBody {
		n, complete, err := f.body.Consume(in)
		f.inBody, f.err = !complete, err
		c.noteProgress(http1.StateBody)
		return 0, n, err
	}
	if len(f.partial) == 0 {
		from = http1.BlankLines(in)
	}
	if from == len(in) {
		return from, from, nil // blank lines do not start a request, however many or slow they are
	}
	end := f.takeHead(in[from:], &c.tracker.limits)
	if end < 0 {
		c.noteProgress(http1.StateHead)
		return from, len(in), nil
	}
	c.noteProgress(http1.StateBody)
	return from, from + end, nil
}

// noteProgress enters a reading state. A head's time starts with its first byte.
func (c *conn) noteProgress(next http1.ConnState) {
	at := c.stamp.Load()
	switch now := http1.Stamp(at).State(); {
	case now == http1.StateHandling || now == http1.StateWriting || now == http1.StateHanging:
		return // input of a pipelined request, whose time has not started
	case now == http1.StateIdle:
		c.requested.Store(int64(c.tracker.coarseNow()))
	case now == http1.StateHead && next == http1.StateHead:
		return
	}
	// net/http reads a pipelined byte while another goroutine starts the job of the request before it. The job's state
	// wins.
	c.stamp.CompareAndSwap(at, int64(http1.NewStamp(next, c.tracker.coarseNow())))
}

// maxLastHead is the maximum length of a head that is kept for comparison with the next one.
const maxLastHead = 512

// takeHead returns how many bytes of p belong to the head, or -1 if it is incomplete.
func (f *framer) takeHead(p []byte, limits *server.Limits) int {
	came, whole := len(f.partial), p
	if came == 0 && len(f.lastHead) > 0 && bytes.Equal(p, f.lastHead) {
		return len(p) // clients with kept connections usually repeat the same request
	}
	if came > 0 {
		f.partial = append(f.partial, p...)
		whole = f.partial
	}
	end := http1.HeadEnd(whole, came)
	if end < 0 {
		if came == 0 {
			f.partial = append(f.partial, p...)
		}
		return -1
	}
	f.head.Parse(whole[:end])
	f.err = f.head.Err
	switch f.lastHead = f.lastHead[:0]; {
	case f.err != nil:
	case f.head.HasBody():
		f.body, f.inBody = http1.NewBody(f.head.Length, limits), true
	case end <= maxLastHead:
		f.lastHead = append(f.lastHead, whole[:end]...)
	}
	f.partial = nil
	return end - came
}

// A bodyReader reads the rest of the request's body, and then returns io.EOF.
type bodyReader struct{ conn *conn }

func (r bodyReader) Read(p []byte) (int, error) {
	if !r.conn.framer.inBody {
		return 0, io.EOF
	}
	return r.conn.Read(p)
}

// discardBody reads and drops the rest of the request's body.
func (c *conn) discardBody() error {
	if !c.framer.inBody {
		return nil
	}
	c.setState(http1.StateBody, c.tracker.coarseNow())
	if _, err := io.Copy(io.Discard, bodyReader{c}); err != nil {
		return http1.BodyError(err)
	}
	return nil
}

// headError returns why a head could not be read, or nil if the connection ended without one.
func (c *conn) headError(err error) error {
	switch {
	case c.framer.head.Err != nil:
		return c.framer.head.Err
	case !http1.IsDisconnect(err):
		return http1.ParseError(err)
	case len(c.framer.partial) > 0:
		return server.ErrBadRequest // the client ended in the middle of the head, and may still read
	}
	return nil
}

package transport

import (
	"errors"
	"io"
	"net"
	"time"

	"demo-server/server"
	"demo-server/server/fault"
	"demo-server/server/http1"
)

// This file carries out replies that drip, and aborts, on connections with a goroutine. Event loops do the same with
// timers (eventloop/write.go).

// errAborted is the error of writes to an aborted connection. The library that serves the connection then closes it.
var errAborted = errors.New("broken off, as asked for")

// abort carries out an abort instead of the reply, and reports whether there was one. hang returns after a disconnect,
// or when the reply has hung long enough.
func (c *conn) abort(hang func()) bool {
	if c.answer.Abort == fault.None || c.answer.Cut {
		return false
	}
	c.doAbort(hang)
	return true
}

// abortAfterPart aborts the connection after a part of the reply. Before a reset, it waits for a moment until the
// client's system has that part, which the reset would discard.
func (c *conn) abortAfterPart() {
	if c.answer.Abort == fault.Reset {
		for began := time.Now(); c.undelivered() && time.Since(began) < http1.DeliverTime; {
			if c.job.Pause(http1.DeliverInterval) != nil {
				break
			}
		}
	}
	c.doAbort(nil)
}

// doAbort carries out the reply's abort. The library that serves the connection then closes it.
func (c *conn) doAbort(hang func()) {
	c.noteCause(server.CloseAbort)
	switch c.answer.Abort {
	case fault.Reset:
		c.reset()
	case fault.Hang:
		c.setState(http1.StateHanging, 0)
		c.job.WaitForDisconnect()
		hang()
	}
	c.linger = c.answer.Abort == fault.Close // unread input would turn the FIN into a reset
	c.aborted = true
}

// reset makes Close send a RST.
func (c *conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
}

// hang waits for a disconnect, the drain deadline, or the end of a reply that hangs. Only the goroutine that reads the
// connection may call it.
func (c *conn) hang() {
	if c.watched {
		c.job.Pause(c.answer.Over)
		return
	}
	c.SetReadDeadline(time.Now().Add(c.answer.Over))
	io.Copy(io.Discard, c.Conn)
}

// drip writes the reply's body in pieces, after the head. write has to send its argument at once.
func (c *conn) drip(pause func(time.Duration) error, write func([]byte) error) error {
	began := time.Now()
	for i := range c.answer.Pieces {
		piece, at := c.answer.Piece(i)
		c.setState(http1.StateHandling, c.tracker.coarseNow()) // nothing times out during the pause
		if err := pause(at - time.Since(began)); err != nil {
			c.failed = true
			return err
		}
		c.setState(http1.StateWriting, c.tracker.coarseNow())
		if err := write(piece); err != nil {
			return err
		}
	}
	if c.answer.Cut {
		c.abortAfterPart()
		return errAborted
	}
	return nil
}

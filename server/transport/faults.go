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

// This file does what replies ask for that do not just go out, on connections that have a goroutine: to drip, and to
// break the connection off. The event loop does the same by its timers (session.go).

// errAborted is what every write gets once the connection is to be broken off. The library that serves it closes it
// then, whatever it meant to write.
var errAborted = errors.New("broken off, as asked for")

// abort does what the reply says that is to be none, and reports whether that is so. hang returns when the client has
// left, or at the end of the time that a reply may hang.
func (c *conn) abort(hang func()) bool {
	if c.answer.Abort == fault.None || c.answer.Cut {
		return false
	}
	c.doAbort(hang)
	return true
}

// abortAfterPart breaks the connection off behind a part of the reply. A reset would discard what the client's system has not
// taken yet, so it waits for that, for a moment.
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

// doAbort does what the reply says. The library that serves the connection then closes it.
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
	c.linger = c.answer.Abort == fault.Close // what the client sends unread would make a reset of the FIN
	c.aborted = true
}

// reset makes Close send a RST.
func (c *conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
}

// hang waits until the client leaves, the drain deadline cuts the connection, or the time is over that a reply may hang. It
// is for the goroutine that reads the connection.
func (c *conn) hang() {
	if c.watched {
		c.job.Pause(c.answer.Over)
		return
	}
	c.SetReadDeadline(time.Now().Add(c.answer.Over))
	io.Copy(io.Discard, c.Conn)
}

// drip writes the reply's body in pieces, behind a head that is out. write has to send what it gets at once.
func (c *conn) drip(pause func(time.Duration) error, write func([]byte) error) error {
	began := time.Now()
	for i := range c.answer.Pieces {
		piece, at := c.answer.Piece(i)
		c.setState(http1.StateHandling, c.tracker.coarseNow()) // nothing times out meanwhile
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

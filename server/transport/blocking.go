package transport

import (
	"bufio"
	"cmp"
	"context"
	"net/http"
	"time"

	"demo-server/server"
	"demo-server/server/http1"
	"demo-server/server/listener"
)

// A Blocking serves one connection at a time, and one request on each, on the goroutine that calls it. Create it with
// NewBlocking, call Next until it returns nil, and then Close.
type Blocking struct {
	tracker *connTracker
	app     *server.App
	wait    *pollWaiter

	// One of each is enough for one connection at a time.
	reader  *bufio.Reader
	parser  http1.HeadParser
	replies http1.ReplyWriter
	out     []byte
}

// NewBlocking starts to accept from src for app, until ctx is done.
func NewBlocking(ctx context.Context, src *listener.Source, app *server.App) (*Blocking, error) {
	conns, err := newConnTracker(ctx, src, app)
	if err != nil {
		return nil, err
	}
	wait, err := newPollWaiter(app)
	if err != nil {
		conns.Close()
		conns.drain()
		return nil, err
	}
	app.Accepting()
	return &Blocking{
		tracker: conns, app: app, wait: wait,
		reader: bufio.NewReaderSize(nil, app.Limits().MaxHeaderBytes), replies: http1.NewReplyWriter(app.ServerName()),
	}, nil
}

// A Connection is a connection of a Blocking.
type Connection struct {
	blocking *Blocking
	conn     *conn
}

// Next accepts a connection. It returns nil once ctx is done.
func (b *Blocking) Next() *Connection {
	accepted, err := b.tracker.Accept()
	if err != nil {
		return nil
	}
	return &Connection{blocking: b, conn: accepted.(*conn)}
}

// Close waits for everything that NewBlocking started.
func (b *Blocking) Close() {
	b.tracker.drain()
	b.wait.close()
}

// Read reads the connection's only request. It returns its job to be admitted, or nil if the connection has ended or
// the request is at fault. Write then writes the reply to a faulty request.
func (c *Connection) Read() *server.Job {
	b := c.blocking
	b.reader.Reset(c.conn)
	header := &b.parser.Header
	if err := header.Read(b.reader); err != nil {
		if err = c.conn.headError(err); err != nil {
			c.conn.refuse("", "", "", err)
		}
		return nil
	}
	method := http1.Method(header.Method())
	path, query, err := b.parser.Target()
	if err = cmp.Or(http1.CheckHead(header, &c.conn.framer.head, b.app.Limits().MaxBodyBytes), err); err == nil {
		err = c.readBody()
	}
	if err == nil {
		_, err = b.app.Lookup(method, path)
	}
	if err != nil {
		c.conn.refuse(method, path, query, err)
		return nil
	}
	return c.conn.begin(method, path, query)
}

func (c *Connection) readBody() error {
	if http1.MayContinue(&c.blocking.parser.Header, &c.conn.framer.head) {
		if _, err := c.conn.Write(http1.Continue); err != nil {
			return server.ErrBadRequest
		}
	}
	return c.conn.discardBody()
}

// Run runs a job of one of b's connections on the calling goroutine. If the work holds nothing, it waits in poll(2) on
// the connection, without a Go timer and without another thread that wakes this one.
func (b *Blocking) Run(job *server.Job) { b.wait.run(job.Owner.(*conn), job) }

// Write writes the reply to the connection's request, if there is one, and closes the connection.
func (c *Connection) Write() {
	defer c.conn.Close()
	if !c.conn.pending {
		return
	}
	b := c.blocking
	reply := c.conn.reply()
	if c.conn.abort(func() { b.wait.hang(c.conn) }) {
		return
	}
	b.replies.SetTime(time.Now())
	manner := http1.RequestInfo{Head: b.parser.Header.IsHead(), Close: true}
	head, body := b.replies.Append(b.out[:0], reply, manner)
	b.out = head
	_, err := c.conn.Write(head)
	switch { // the connection remembers a failure
	case err == nil && reply.Pieces > 0:
		c.drip()
	case err == nil && len(body) > 0:
		c.conn.Write(body)
	}
	if c.conn.aborted {
		return
	}
	// Waiting for each client's FIN would cost the one thread a round trip per request. At the drain deadline it would
	// also delay the other clients, which have to read their 503.
	draining := reply.Status == http.StatusServiceUnavailable
	c.conn.linger = reply.Close && reply.Status >= 400 && !draining || c.conn.unread()
}

func (c *Connection) drip() {
	pause := func(d time.Duration) error { return c.blocking.wait.pause(c.conn, d) }
	c.conn.drip(pause, func(piece []byte) error {
		_, err := c.conn.Write(piece)
		return err
	})
}

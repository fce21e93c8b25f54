package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"demo-server/server"
	"demo-server/server/http1"
	"demo-server/server/listener"
)

// idleWorker is how long fasthttp keeps an idle goroutine.
const idleWorker = 100 * time.Millisecond

// FastHTTP serves src for app with fasthttp's server, until ctx is done and every connection has closed. fasthttp
// reuses goroutines and requests. Like net/http it uses one goroutine for each open connection.
//
// fasthttp also starts one goroutine for the Date header, which never ends.
func FastHTTP(ctx context.Context, src *listener.Source, app *server.App, schedule func(*server.Job)) error {
	conns, err := newConnTracker(ctx, src, app)
	if err != nil {
		return err
	}
	app.Schedule(schedule)
	app.Accepting()
	h := &fastHandler{app: app, maxBody: app.Limits().MaxBodyBytes}
	srv := &fasthttp.Server{
		Handler:        h.serve,
		HeaderReceived: h.headerReceived,
		ExpectHandler:  h.expect,
		ErrorHandler:   h.refuse,
		ConnState: func(c net.Conn, state fasthttp.ConnState) {
			if state == fasthttp.StateIdle {
				c.(*conn).finish()
			}
		},
		Name:           app.ServerName(),
		ReadBufferSize: app.Limits().MaxHeaderBytes, // a request's head has to fit
		// Its own limit would close connections, unseen by any metric. Ours lets them wait.
		Concurrency:           app.Limits().MaxConnections + 1,
		MaxIdleWorkerDuration: idleWorker,
		LazyRequestTime:       true,
		SecureErrorLogMessage: true,
		Logger:                log.New(io.Discard, "", 0),
	}
	err = srv.Serve(conns)
	conns.drain()
	err = errors.Join(ignoreClosed(err), ignoreClosed(srv.Shutdown()))
	time.Sleep(idleWorker) // fasthttp's goroutine that ends idle workers notices the end after its next sleep
	return err
}

type fastHandler struct {
	app     *server.App
	maxBody int64
}

func (h *fastHandler) serve(ctx *fasthttp.RequestCtx) {
	c := ctx.Conn().(*conn)
	err := http1.CheckHead(&ctx.Request.Header, &c.framer.head, h.maxBody)
	if err == nil {
		err = c.discardBody()
	}
	method, path := http1.Method(ctx.Method()), http1.Path(ctx.URI())
	if err == nil {
		_, err = h.app.Lookup(method, path)
	}
	if err != nil {
		c.refuse(method, path, http1.Query(ctx.URI()), err)
	} else {
		job := c.begin(method, path, http1.Query(ctx.URI()))
		h.app.Admit(job)
		job.Wait()
	}
	reply := c.reply()
	if c.abort(c.hang) {
		return
	}
	writeReply(&ctx.Response, reply)
	if reply.Pieces > 0 {
		ctx.Response.ImmediateHeaderFlush = true
		ctx.Response.SetBodyStream(&dripping{bytes.NewReader(reply.Body), c}, len(reply.Body))
	}
}

// A dripping is a body that writes itself, instead of being read by fasthttp.
type dripping struct {
	*bytes.Reader
	conn *conn
}

// WriteTo drips directly into the connection, because fasthttp's writer would hold the pieces back. That writer is
// empty by now: fasthttp was told to flush the head.
func (d *dripping) WriteTo(io.Writer) (n int64, err error) {
	err = d.conn.drip(d.conn.job.Pause, func(piece []byte) error {
		written, err := d.conn.Write(piece)
		n += int64(written)
		return err
	})
	return n, err
}

// headerReceived hides the body from fasthttp, which would read some of it before the handler, and would take an
// incomplete chunked body for a complete one. The handler reads the body from the connection.
func (h *fastHandler) headerReceived(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if header.ContentLength() != http1.NoBody {
		header.SetContentLength(0)
	}
	return fasthttp.RequestConfig{}
}

// expect decides whether a client that waits for 100 Continue may continue.
func (h *fastHandler) expect(ctx *fasthttp.RequestCtx) int {
	c := ctx.Conn().(*conn)
	err := http1.CheckHead(&ctx.Request.Header, &c.framer.head, h.maxBody)
	if err == nil {
		return fasthttp.StatusContinue
	}
	c.refuse(http1.Method(ctx.Method()), http1.Path(ctx.URI()), http1.Query(ctx.URI()), err)
	reply := c.reply()
	writeReply(&ctx.Response, reply)
	return reply.Status
}

// refuse answers a request that fasthttp could not parse. fasthttp then closes the connection.
func (h *fastHandler) refuse(ctx *fasthttp.RequestCtx, err error) {
	c := ctx.Conn().(*conn)
	if err = c.headError(err); err == nil {
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}
	c.refuse(http1.Method(ctx.Method()), "", "", err)
	writeReply(&ctx.Response, c.reply())
}

var serverTiming = []byte("Server-Timing")

// writeReply copies a reply into a response. The library or the caller sets Server.
func writeReply(response *fasthttp.Response, reply *server.Reply) {
	response.SetStatusCode(reply.Status)
	response.SetBodyRaw(reply.Body)
	header := &response.Header
	if http1.HasBody(reply.Status) {
		header.SetContentType(server.ContentType)
		if len(reply.Body) == 0 {
			header.SetContentLength(0) // fasthttp does not send it by itself in reply to HEAD
		}
	} else {
		header.SetNoDefaultContentType(true)
	}
	header.SetCanonical(serverTiming, reply.Timing)
	if reply.Allow != "" {
		header.Set("Allow", reply.Allow)
	}
	if reply.RetryAfter != "" {
		header.Set("Retry-After", reply.RetryAfter)
	}
	for _, h := range reply.Headers {
		header.Set(h.Name, h.Value)
	}
	if reply.Close {
		response.SetConnectionClose()
	}
}

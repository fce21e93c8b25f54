package transport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"demo-server/server"
	"demo-server/server/http1"
	"demo-server/server/listener"
)

// NetHTTP serves src for app with net/http behind chi, until ctx is done and every connection has closed. net/http runs
// a goroutine for each connection in every mode. schedule decides where and when a request's job runs, and the
// connection's goroutine waits for it.
func NetHTTP(ctx context.Context, src *listener.Source, app *server.App, schedule func(*server.Job)) error {
	conns, err := newConnTracker(ctx, src, app)
	if err != nil {
		return err
	}
	app.Schedule(schedule)
	app.Accepting()
	h := &netHandler{app: app, server: []string{app.ServerName()}}
	h.router = h.routes()
	srv := &http.Server{
		Handler:                      h,
		DisableGeneralOptionsHandler: true,
		// net/http reads up to 4096 bytes more than this, and takes 0 for a megabyte.
		MaxHeaderBytes: max(1, app.Limits().MaxHeaderBytes-4096),
		ConnContext:    func(ctx context.Context, c net.Conn) context.Context { return newConnContext(ctx, c.(*conn)) },
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateIdle {
				c.(*conn).finish()
			}
		},
		// Its messages are about faults of single clients, which the metrics count.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	err = srv.Serve(conns)
	conns.drain()
	return errors.Join(ignoreClosed(err), srv.Shutdown(context.Background()))
}

// A connContext is the context of a connection's requests. It holds the connection, and chi's routing context. Without
// that, chi would allocate one for each request, and a copy of the request.
type connContext struct {
	context.Context
	conn  *conn
	route chi.Context
	// The last reply's Server-Timing. Header maps hold slices, and this one is reused.
	timing [1]string
}

type connKey struct{}

func newConnContext(ctx context.Context, c *conn) *connContext {
	return &connContext{Context: ctx, conn: c}
}

func (c *connContext) Value(key any) any {
	switch key {
	case connKey{}:
		return c
	case chi.RouteCtxKey:
		return &c.route
	}
	return c.Context.Value(key)
}

type netHandler struct {
	app    *server.App
	router *chi.Mux
	server []string
}

func (h *netHandler) routes() *chi.Mux {
	router := chi.NewRouter()
	for _, route := range h.app.Routes() {
		for _, method := range route.Methods {
			router.Method(method, route.Path, http.HandlerFunc(h.admit))
		}
	}
	router.NotFound(h.unrouted)
	router.MethodNotAllowed(h.unrouted)
	return router
}

// ServeHTTP reads the rest of the request before it is routed. net/http notices a disconnect, or a pipelined request,
// only after the body.
func (h *netHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*connContext)
	head := &c.conn.framer.head
	if head.Ambiguous() || keepsAndCloses(r) {
		w.Header()["Connection"] = closeValue // net/http would keep the connection
	}
	if err := h.check(head, r); err != nil {
		h.refuse(c, w, r, err)
		return
	}
	if r.Body != http.NoBody {
		c.conn.setState(http1.StateBody, c.conn.tracker.coarseNow())
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			h.refuse(c, w, r, c.conn.uploadError(err))
			return
		}
	}
	c.route.Reset()
	h.router.ServeHTTP(w, r)
}

// keepsAndCloses reports whether a request of HTTP/1.0 may ask for both. Then close wins (RFC 9112, section 9.3).
func keepsAndCloses(r *http.Request) bool {
	return r.Close && r.ProtoMinor == 0 && len(r.Header["Connection"]) > 0
}

// check returns what is wrong with a request that net/http has accepted, before its body is read, or nil.
func (h *netHandler) check(head *http1.Head, r *http.Request) error {
	switch {
	case r.ProtoMajor != 1: // HTTP/2's preface, which net/http passes to handlers that understand it
		return server.ErrVersion
	case head.Err != nil:
		return head.Err
	case head.Length > h.app.Limits().MaxBodyBytes:
		return server.ErrBodyTooLarge
	}
	return nil
}

// uploadError returns why net/http could not read the body. net/http's own error is useless: in a trailer it is the
// same for a client that sends too much, too slowly, or nothing more.
func (c *conn) uploadError(err error) error {
	switch f := &c.framer; {
	case f.err != nil:
		return http1.BodyError(f.err)
	case f.inBody && f.body.InTrailer():
		return server.ErrHeaderTooLarge // larger than its buffer of 4 KiB
	}
	return http1.BodyError(err)
}

func (h *netHandler) admit(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*connContext)
	job := c.conn.begin(r.Method, sentPath(r.URL), r.URL.RawQuery)
	if !c.conn.watched && !h.app.AnswersHalfClosed() {
		stop := context.AfterFunc(r.Context(), job.Disconnect)
		defer stop()
	}
	h.app.Admit(job)
	job.Wait()
	h.reply(c, w, r)
}

// unrouted handles requests for which chi found no route. chi answers 405 for an unknown method on an unknown path. It
// also does not know trailing slashes, or servers that answer any path.
func (h *netHandler) unrouted(w http.ResponseWriter, r *http.Request) {
	_, err := h.app.Lookup(r.Method, sentPath(r.URL))
	if err == nil {
		h.admit(w, r)
		return
	}
	h.refuse(r.Context().Value(connKey{}).(*connContext), w, r, err)
}

func (h *netHandler) refuse(c *connContext, w http.ResponseWriter, r *http.Request, err error) {
	c.conn.refuse(r.Method, sentPath(r.URL), r.URL.RawQuery, err)
	h.reply(c, w, r)
}

// sentPath returns the path as it was sent. net/url keeps it only if it would itself write it differently.
func sentPath(u *url.URL) string {
	if u.Path == "/" || u.RawPath != "" {
		return cmp.Or(u.RawPath, u.Path)
	}
	return u.EscapedPath()
}

var (
	contentType = []string{server.ContentType}
	closeValue  = []string{"close"}
)

// selfSized is the maximum length of a body whose length net/http counts itself, which is cheaper than a header from
// us.
const selfSized = 2 << 10

// reply writes the ended job's reply. It fills the header map directly, because the names are already canonical.
func (h *netHandler) reply(c *connContext, w http.ResponseWriter, r *http.Request) {
	reply := c.conn.reply()
	if c.conn.abort(func() { c.conn.job.Pause(c.conn.answer.Over) }) {
		return
	}
	header := w.Header()
	header["Server"] = h.server
	if http1.HasBody(reply.Status) {
		header["Content-Type"] = contentType
	}
	c.timing[0] = string(reply.Timing)
	header["Server-Timing"] = c.timing[:]
	if r.Method == http.MethodHead || len(reply.Body) > selfSized || reply.Pieces > 0 {
		header.Set("Content-Length", strconv.Itoa(len(reply.Body)))
	}
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
		header["Connection"] = closeValue
	}
	w.WriteHeader(reply.Status)
	if reply.Pieces > 0 {
		c.conn.dripThrough(http.NewResponseController(w), w)
		if reply.Cut {
			panic(http.ErrAbortHandler) // net/http closes the connection without logging
		}
		return
	}
	w.Write(reply.Body)
}

// dripThrough drips through net/http's buffer. If it stops early, net/http closes the connection, because the body is
// shorter than its head says.
func (c *conn) dripThrough(controller *http.ResponseController, w io.Writer) {
	if controller.Flush() != nil {
		return
	}
	c.drip(c.job.Pause, func(piece []byte) error {
		if _, err := w.Write(piece); err != nil {
			return err
		}
		return controller.Flush()
	})
}

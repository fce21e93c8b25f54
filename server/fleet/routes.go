package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// List replies with a line for each worker.
func (f *Fleet) List(w http.ResponseWriter, _ *http.Request) {
	var text []byte
	f.mu.Lock()
	for _, known := range f.workers {
		text = fmt.Appendf(text, "%s%d/ %s\n", WorkersPath, known.PID, known.State)
	}
	f.mu.Unlock() // before writing: a slow client must not hold the lock
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(text) // it fails only if the client is gone
}

const (
	replyTimeout = 5 * time.Second // for a worker to reply, and for each further part of its reply
	maxReply     = 256 << 20       // bytes
)

var (
	errSlow    = errors.New("nothing came in time")
	errLong    = fmt.Errorf("the reply has more than %d bytes", maxReply)
	errUpgrade = errors.New("it wants to switch protocols")
	errStarts  = errors.New("it is starting")
)

// Forward passes a request on to the worker in its path. A worker cannot hold the request for ever, even if it hangs or
// never ends its reply.
func (f *Fleet) Forward(w http.ResponseWriter, r *http.Request) {
	pid, _ := strconv.Atoi(r.PathValue("pid")) // no worker has 0
	target := f.find(pid)
	switch {
	case target == nil:
		http.Error(w, "not found: "+WorkersPath+" lists the worker processes", http.StatusNotFound)
		return
	case target.Dial == nil:
		writeForwardError(w, errStarts)
		return
	}
	path := "/" + r.PathValue("*")
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	patience := replyTimeout + profileTime(path, r.URL.Query().Get("seconds"))
	timer := time.AfterFunc(patience, func() { cancel(errSlow) })
	defer timer.Stop()
	proxy := httputil.ReverseProxy{
		Transport: target.client.Transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", "worker"
			p.Out.URL.Path, p.Out.URL.RawPath = path, ""
			p.Out.Header.Del("Authorization") // the token is for the supervisor only
			p.Out.Body, p.Out.ContentLength = http.NoBody, 0
		},
		ModifyResponse: func(response *http.Response) error {
			if response.StatusCode == http.StatusSwitchingProtocols {
				return errUpgrade
			}
			response.Body = &workerBody{ReadCloser: response.Body, timer: timer, patience: patience, left: maxReply}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			writeForwardError(w, cmp.Or(context.Cause(ctx), err))
		},
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

func writeForwardError(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, errSlow) {
		status = http.StatusGatewayTimeout
	}
	http.Error(w, oneLine("the worker process does not answer: "+err.Error()), status)
}

// profileTime returns how long a worker needs for a profile or a trace of so many seconds, or 0 for any other path.
func profileTime(path, seconds string) time.Duration {
	switch {
	case path == "/debug/pprof/profile":
		if n, _ := strconv.Atoi(seconds); n > 0 {
			return time.Duration(min(n, maxProfile)) * time.Second
		}
		return 30 * time.Second // the default of net/http/pprof
	case strings.HasPrefix(path, "/debug/"):
		if s, _ := strconv.ParseFloat(seconds, 64); s > 0 {
			return time.Duration(min(s, maxProfile) * float64(time.Second))
		}
	}
	return 0
}

// maxProfile is the longest profile or trace that a request may ask for, in seconds: a day.
const maxProfile = 24 * 60 * 60

// A workerBody is the body of a worker's reply. Reading fails if the worker pauses for too long or sends too much. The time
// that the client takes does not count.
type workerBody struct {
	io.ReadCloser
	timer    *time.Timer // cancels the request
	patience time.Duration
	left     int64 // bytes that may still come
}

func (b *workerBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.patience)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if b.left -= int64(n); b.left < 0 {
		return 0, errLong
	}
	return n, err
}

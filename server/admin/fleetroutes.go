package admin

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"strconv"

	"github.com/go-chi/chi/v5"
)

// list names the workers, a line each.
func (f *Fleet) list(w http.ResponseWriter, _ *http.Request) {
	var text []byte
	f.mu.Lock()
	for _, m := range f.members {
		text = fmt.Appendf(text, "%s%d/ %s\n", workerPath, m.PID, m.State)
	}
	f.mu.Unlock() // a slow client holds up nobody else
	writeText(w, text)
}

// forward hands a request to the worker that its path names.
func (f *Fleet) forward(w http.ResponseWriter, r *http.Request) {
	pid, _ := strconv.Atoi(chi.URLParam(r, "pid"))
	m := f.find(pid)
	if m == nil {
		http.Error(w, "not found: "+workerPath+" lists the worker processes", http.StatusNotFound)
		return
	}
	proxy := httputil.ReverseProxy{
		Transport: m.client.Transport,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", "worker"
			p.Out.URL.Path, p.Out.URL.RawPath = "/"+chi.URLParam(r, "*"), ""
			p.Out.Header.Del("Authorization") // of this process alone
		},
		ErrorLog: log.New(io.Discard, "", 0),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the worker process does not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
	proxy.ServeHTTP(w, r)
}

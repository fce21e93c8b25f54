// Package admin is the second listener: health, metrics, statistics, profiles and the flight recorder, for whoever runs
// the server.
//
// It only observes, and it is never served by a mode, so that a starved mode can still be looked at. It must not know
// modes, settings, or the state of the process: whether that is ready comes in as a function.
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"demo-server/connlimit"
)

// MaxConnections is how many clients a Server has at most. Whoever budgets open files has to count them in.
const MaxConnections = 16

// Config is what a Server needs to know. Meter and Ready are required.
type Config struct {
	Meter     Meter
	Endpoints []Endpoint  // in addition to the Server's own
	Ready     Readiness   // whether to send traffic here
	Token     string      // asked of every request but probes; empty for none, on loopback only
	Private   bool        // the listener has one peer, which may ask for everything: no token, no guard
	Recorder  *Recorder   // nil where no flight recorder runs
	ErrorLog  *log.Logger // for what no reply can say; nil for the standard logger
}

// A Readiness says whether to send traffic here, and in one printable line why not. The reason names addresses only if it
// is for those who may see everything.
type Readiness func(everything bool) (ready bool, reason string)

// A Meter reads what /metrics and /stats show.
type Meter interface {
	prometheus.Gatherer
	Stats(ready bool, reason string) any // the body of /stats, for JSON
}

// An Endpoint is one row of the route table.
type Endpoint struct {
	Path    string // a pattern of chi; the values of its parameters are in Request.PathValue
	About   string // for the index; empty to leave it out
	Handler http.HandlerFunc
}

// A Server serves the admin endpoints. Create it with New.
type Server struct {
	config   Config
	guard    *guard // nil for a private listener
	listener net.Listener
	http     *http.Server
}

// New returns a Server on listener, which it then owns. Whether the listener is on loopback decides what the Server
// asks of a request: see guard.
func New(listener net.Listener, config Config) *Server {
	if config.ErrorLog == nil {
		config.ErrorLog = log.Default()
	}
	s := &Server{config: config}
	if !config.Private {
		s.guard = newGuard(config.Token, onLoopback(listener.Addr()))
	}
	// There is no WriteTimeout: a profile takes as many seconds as its client asks for.
	s.http = &http.Server{Handler: s.routes(), ErrorLog: config.ErrorLog}
	s.listener = connlimit.HTTP(s.http, listener, maxConnections(config))
	return s
}

// maxConnections leaves room for the supervisor's own questions to a worker, next to all the requests that it may hand on: a
// worker that does not answer them is killed.
func maxConnections(config Config) int {
	if config.Private {
		return MaxConnections + 2
	}
	return MaxConnections
}

// Serve serves until Shutdown, and returns nil then; any other end of the listener is an error.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// Shutdown stops accepting and waits for the replies that are being written. When ctx is done first it cuts them off,
// and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		s.http.Close()
	}
	return err
}

func (s *Server) routes() http.Handler {
	router := chi.NewRouter()
	if s.guard != nil {
		router.Use(s.guard.wrap)
	}
	router.Use(middleware.GetHead)
	router.NotFound(notFound)
	router.MethodNotAllowed(methodNotAllowed)
	endpoints := s.endpoints()
	for _, e := range endpoints {
		router.Get(e.Path, e.Handler)
	}
	router.Get("/", index(endpoints))
	// The profiles that Index lists. Its cmdline is left out, because a command line may hold the token.
	router.Get("/debug/pprof/{profile}", pprof.Index)
	router.Get("/debug/pprof/profile", pprof.Profile)
	router.Get("/debug/pprof/symbol", pprof.Symbol)
	router.Get("/debug/pprof/trace", pprof.Trace)
	return router
}

func (s *Server) endpoints() []Endpoint {
	return append([]Endpoint{
		{pathHealthz, "200 as long as the process lives", healthz},
		{pathReadyz, "200 when ready for traffic, else 503 and why", s.readyz},
		{"/metrics", "Prometheus metrics", s.metrics()},
		{"/stats", "the server's own metrics as JSON", s.stats},
		{"/debug/pprof/", "profiles for go tool pprof", pprof.Index},
		{"/debug/trace", "the last seconds for go tool trace, with --flight-recorder", s.trace},
	}, s.config.Endpoints...)
}

func index(endpoints []Endpoint) http.HandlerFunc {
	var text []byte
	for _, e := range endpoints {
		if e.About != "" {
			text = fmt.Appendf(text, "%-14s %s\n", e.Path, e.About)
		}
	}
	return func(w http.ResponseWriter, _ *http.Request) { writeText(w, text) }
}

func healthz(w http.ResponseWriter, _ *http.Request) { writeText(w, []byte("ok\n")) }

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ready, reason := s.config.Ready(s.showsEverything(r))
	if !ready {
		http.Error(w, reason, http.StatusServiceUnavailable)
		return
	}
	writeText(w, []byte("ready\n"))
}

// brief is the parameter of /readyz with which those who may see everything ask for what others get.
const brief = "brief"

func (s *Server) showsEverything(r *http.Request) bool {
	if r.URL.Query().Has(brief) {
		return false
	}
	if s.guard == nil {
		return true
	}
	status, _ := s.guard.refuses(r)
	return status == 0
}

// metrics answers with what it can read: one collector that fails must not hide the others. The reply is put together in
// memory, because promhttp logs a line for each metric that it cannot write to a client that has left.
func (s *Server) metrics() http.HandlerFunc {
	options := promhttp.HandlerOpts{ErrorLog: s.config.ErrorLog, ErrorHandling: promhttp.ContinueOnError}
	handler := promhttp.HandlerFor(s.config.Meter, options)
	return func(w http.ResponseWriter, r *http.Request) {
		reply := inMemory{ResponseWriter: w}
		handler.ServeHTTP(&reply, r)
		w.Write(reply.body.Bytes()) // an error is the client's: it left
	}
}

func (s *Server) stats(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, s.config.Meter.Stats(s.config.Ready(true)), "  ")
}

// JSON returns a handler that answers with a body as JSON.
func JSON(body func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, body(), "") }
}

func writeJSON(w http.ResponseWriter, body any, indent string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", indent)
	encoder.Encode(body) // an error is the client's: it left
}

// inMemory keeps the body of a reply.
type inMemory struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (m *inMemory) Write(p []byte) (int, error) { return m.body.Write(p) }

func notFound(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "not found: / lists the endpoints", http.StatusNotFound)
}

func methodNotAllowed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "method not allowed: see Allow", http.StatusMethodNotAllowed)
}

func writeText(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(text) // an error is the client's: it left
}

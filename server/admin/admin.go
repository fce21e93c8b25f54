// Package admin is the second listener, for the operator: probes, metrics, statistics, profiles and the flight recorder.
//
// It only observes. No mode serves it, so it answers even if the mode starves. It must not know modes, settings or how
// requests are counted: Config has interfaces and functions for these.
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

// MaxConnections is the largest number of clients of a Server. A budget of open files has to include them.
const MaxConnections = 16

// A Config is what a Server needs. Meter and Ready are required.
type Config struct {
	Meter     Meter
	Endpoints []Endpoint  // in addition to the Server's own
	Ready     Readiness   // for /readyz and /stats
	Token     string      // required for every request except probes; empty for none, on loopback only
	Private   bool        // the listener has one peer, which may see everything: no token, no guard
	Recorder  *Recorder   // nil if no flight recorder runs
	ErrorLog  *log.Logger // for errors that no reply can report; nil for the standard logger
}

// A Readiness reports whether to send traffic here, and if not, why, in one printable line. The reason contains addresses only
// if everything is true.
type Readiness func(everything bool) (ready bool, reason string)

// A Meter provides the contents of /metrics and /stats.
type Meter interface {
	prometheus.Gatherer
	Stats(ready bool, reason string) any // returns the body of /stats, for encoding/json
}

// An Endpoint is one row of the route table.
type Endpoint struct {
	Path    string // a chi pattern; Request.PathValue has its parameters
	About   string // a line for the index; empty to leave the endpoint out
	Handler http.HandlerFunc
}

// A Server serves the admin endpoints. Create it with New.
type Server struct {
	config   Config
	guard    *guard // nil for a private listener
	listener net.Listener
	http     *http.Server
}

// New returns a Server that owns listener. If the listener is not on loopback, requests need the token: see guard.
func New(listener net.Listener, config Config) *Server {
	if config.ErrorLog == nil {
		config.ErrorLog = log.Default()
	}
	s := &Server{config: config}
	if !config.Private {
		s.guard = newGuard(config.Token, onLoopback(listener.Addr()))
	}
	// Without WriteTimeout, because a profile takes as many seconds as its client asks for.
	s.http = &http.Server{Handler: s.routes(), ErrorLog: config.ErrorLog}
	s.listener = connlimit.HTTP(s.http, listener, maxConnections(config))
	return s
}

// maxConnections returns the limit on connections. A worker needs room for the supervisor's own questions in addition to the
// requests that the supervisor forwards, because it is killed if it does not answer them.
func maxConnections(config Config) int {
	if config.Private {
		return MaxConnections + 2
	}
	return MaxConnections
}

// Serve serves until Shutdown and returns nil, or an error if the listener ends for another reason.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// Shutdown stops accepting and waits until all replies are written. If ctx is done first, it closes their connections and
// returns ctx's error.
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
	// The profiles that Index lists, except cmdline: a command line may contain the token.
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

// brief is a parameter of /readyz that leaves addresses out even if the client may see them.
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

// metrics returns the handler of /metrics. If one collector fails, the reply has the metrics of the others. The reply is built
// in memory, because promhttp logs a line for each metric that it cannot write to a disconnected client.
func (s *Server) metrics() http.HandlerFunc {
	options := promhttp.HandlerOpts{ErrorLog: s.config.ErrorLog, ErrorHandling: promhttp.ContinueOnError}
	handler := promhttp.HandlerFor(s.config.Meter, options)
	return func(w http.ResponseWriter, r *http.Request) {
		reply := inMemory{ResponseWriter: w}
		handler.ServeHTTP(&reply, r)
		w.Write(reply.body.Bytes()) // it fails only if the client is gone
	}
}

func (s *Server) stats(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, s.config.Meter.Stats(s.config.Ready(true)), "  ")
}

// JSON returns a handler that replies with the value of body as JSON.
func JSON(body func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, body(), "") }
}

func writeJSON(w http.ResponseWriter, body any, indent string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", indent)
	encoder.Encode(body) // it fails only if the client is gone
}

// An inMemory is a ResponseWriter that keeps the body.
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
	w.Write(text) // it fails only if the client is gone
}

package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"demo-server/connlimit"
)

// idleTimeout is how long an idle connection is kept: longer than any client keeps it.
const idleTimeout = 5 * time.Minute

// StartHTTP serves HTTP on address, whose port may be 0 for a free one. GET /?delay=300ms is answered after the delay,
// from 0 to MaxDelay in Go's syntax. It accepts at most maxConnections connections at a time.
func StartHTTP(address string, maxConnections int) (*Server, error) {
	return listen(address, maxConnections, serveHTTP)
}

func serveHTTP(listener net.Listener, maxConnections int) *Server {
	calls := &waiting{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", calls.hello)
	s := &httpServer{http.Server{Handler: mux, IdleTimeout: idleTimeout}}
	return start(connlimit.HTTP(&s.Server, listener, maxConnections), s, calls)
}

func (w *waiting) hello(reply http.ResponseWriter, r *http.Request) {
	delay, err := askedDelay(r)
	if err != nil {
		http.Error(reply, err.Error(), http.StatusBadRequest)
		return
	}
	if w.wait(r.Context(), delay) == nil {
		io.WriteString(reply, greeting)
	}
}

// askedDelay returns the requested delay; the default is 0.
func askedDelay(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("delay")
	if text == "" {
		return 0, nil
	}
	delay, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("delay %q: want a duration such as 300ms", text)
	}
	return delay, checkDelay(delay)
}

// An httpServer is net/http's server as a serving.
type httpServer struct{ http.Server }

func (s *httpServer) Serve(l net.Listener) error {
	if err := s.Server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *httpServer) finish(ctx context.Context) bool { return s.Shutdown(ctx) == nil }

func (s *httpServer) cut() { s.Server.Close() }

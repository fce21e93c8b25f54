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

// idleTimeout is how long a connection is kept for a next request: longer than any client keeps it.
const idleTimeout = 5 * time.Minute

// StartHTTP serves HTTP on address, of which port 0 is any that is free: GET /?delay=300ms is answered after the delay,
// which is in Go's syntax, from none to MaxDelay. It has at most maxConnections connections at a time.
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

// askedDelay is what a request asks for: no delay where it does not say.
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

// httpServer is net/http's server under the names of serving.
type httpServer struct{ http.Server }

func (s *httpServer) Serve(l net.Listener) error {
	if err := s.Server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *httpServer) finish(ctx context.Context) bool { return s.Shutdown(ctx) == nil }

func (s *httpServer) cut() { s.Server.Close() }

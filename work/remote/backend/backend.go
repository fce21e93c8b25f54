// Package backend holds the servers that work waits for: slow on request, over HTTP and over gRPC. They run on their
// own, so that calls cross a real network and a server can be killed, or inside of demo-server.
//
// It must not know who calls, nor in which mode.
package backend

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// MaxDelay is the longest wait that a call may ask for.
const MaxDelay = 10 * time.Minute

// greeting is what every call that waited to the end is answered with.
const greeting = "Hello World"

// A Server is one of the servers while it runs.
type Server struct {
	addr    net.Addr
	serving serving
	waiting *waiting
	ended   chan struct{} // closed once nothing is served any more
	err     error         // of serving; to be read once ended is closed
}

// serving is what net/http's server and gRPC's have in common, under names that are the same.
type serving interface {
	// Serve accepts until one of the others is called, and then returns nil.
	Serve(net.Listener) error
	// finish lets nobody new in, and returns once the calls under way are answered: true, or false when ctx came first.
	finish(ctx context.Context) bool
	// cut ends everything at once.
	cut()
}

// listen serves on address, with at most maxConnections connections at a time.
func listen(address string, maxConnections int, serve func(net.Listener, int) *Server) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return serve(listener, maxConnections), nil
}

// start serves on listener until the Server is closed.
func start(listener net.Listener, s serving, w *waiting) *Server {
	server := &Server{addr: listener.Addr(), serving: s, waiting: w, ended: make(chan struct{})}
	go func() {
		defer close(server.ended)
		server.err = s.Serve(listener)
	}()
	return server
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Waiting is how many calls wait for their delay to pass.
func (s *Server) Waiting() int { return int(s.waiting.Load()) }

// Stop ends the server in order: nobody new is let in, and the calls under way are answered until ctx is done. To cut off
// what is under way then is an error.
func (s *Server) Stop(ctx context.Context) error {
	if s.serving.finish(ctx) {
		<-s.ended
		return s.err
	}
	s.Close()
	return fmt.Errorf("calls under way at %s were cut off: %w", s.addr, context.Cause(ctx))
}

// Close ends the server at once: its callers see their connections break. The error is what serving ended with before.
func (s *Server) Close() error {
	s.serving.cut()
	<-s.ended
	return s.err
}

// checkDelay returns an error unless a call may ask for such a wait.
func checkDelay(delay time.Duration) error {
	if delay < 0 || delay > MaxDelay {
		return fmt.Errorf("delay %v: want one from 0s to %v", delay, MaxDelay)
	}
	return nil
}

// waiting counts the calls that wait.
type waiting struct{ atomic.Int64 }

// wait returns after the delay, or at once with ctx.Err() when ctx is done, because the caller has gone.
func (w *waiting) wait(ctx context.Context, delay time.Duration) error {
	w.Add(1)
	defer w.Add(-1)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

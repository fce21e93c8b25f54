// Package backend holds the servers that work calls: they answer after a requested delay, over HTTP and over gRPC. They
// run as separate processes, to have a real network and a server that can be killed, or inside demo-server.
//
// It must not know who calls, or in which mode.
package backend

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// MaxDelay is the maximum delay that a call may request.
const MaxDelay = 10 * time.Minute

// greeting is the answer to a call.
const greeting = "Hello World"

// A Server is a running server.
type Server struct {
	addr    net.Addr
	serving serving
	waiting *waiting
	ended   chan struct{} // closed when serving has ended
	err     error         // of serving; valid once ended is closed
}

// A serving is the common interface of net/http's server and gRPC's.
type serving interface {
	// Serve accepts until finish or cut is called, and then returns nil.
	Serve(net.Listener) error
	// finish stops accepting and waits for the calls in progress. It returns false if ctx is done first.
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

// Addr returns the server's address.
func (s *Server) Addr() net.Addr { return s.addr }

// Waiting returns how many calls wait for their delay.
func (s *Server) Waiting() int { return int(s.waiting.Load()) }

// Stop stops accepting, and waits for the calls in progress until ctx is done. If it then has to cut off calls, it
// returns an error.
func (s *Server) Stop(ctx context.Context) error {
	if s.serving.finish(ctx) {
		<-s.ended
		return s.err
	}
	s.Close()
	return fmt.Errorf("calls under way at %s were cut off: %w", s.addr, context.Cause(ctx))
}

// Close ends the server at once, and breaks its callers' connections. It returns the error of serving, if there was
// one.
func (s *Server) Close() error {
	s.serving.cut()
	<-s.ended
	return s.err
}

// checkDelay returns an error if a call may not request delay.
func checkDelay(delay time.Duration) error {
	if delay < 0 || delay > MaxDelay {
		return fmt.Errorf("delay %v: want one from 0s to %v", delay, MaxDelay)
	}
	return nil
}

// A waiting counts the calls that wait.
type waiting struct{ atomic.Int64 }

// wait waits for delay. If ctx is done first, because the caller has disconnected, it returns ctx.Err().
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

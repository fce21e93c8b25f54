// Package remote holds the kinds of work that call a server: an HTTP request, a PostgreSQL query, a gRPC call. Each has
// one client, which all requests share.
//
// It is separate from package work because of the libraries that it needs. Like work, it must not know which mode runs
// it.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"demo-server/work"
	"demo-server/work/remote/backend"
)

// connectionLimit is a Kind.Limit for work that shares a pool of connections.
func connectionLimit(o work.Options) work.Limit { return work.Limit{N: o.PoolSize, Unit: "connection"} }

// spareConnections is how many connections a backend in this process accepts in addition to the pool's: for health
// checks, and for gRPC, whose calls share one.
const spareConnections = 4

// orBackend returns target. If it is empty, it starts a backend in this process, and returns its host:port and the
// backend to close.
func orBackend(target string, start func(address string, maxConnections int) (*backend.Server, error), maxConnections int) (
	string, []io.Closer, error) {
	if target != "" {
		return target, nil, nil
	}
	server, err := start("127.0.0.1:0", maxConnections)
	if err != nil {
		return "", nil, fmt.Errorf("cannot start a server to call: %w", err)
	}
	return server.Addr().String(), []io.Closer{server}, nil
}

// opened returns the results of Kind.Open: client, to be closed before closers. If err is not nil, it closes closers.
func opened(client interface {
	work.Work
	io.Closer
}, err error, closers []io.Closer) (work.Work, []io.Closer, error) {
	if err != nil {
		for _, closer := range closers {
			err = errors.Join(err, closer.Close())
		}
		return nil, nil, err
	}
	return client, append(closers, client), nil
}

// within returns a context that ends with ctx, and no later than limit from now. It does not hold ctx, as a derived
// context does: a library may still dial with it after the call, when ctx is in use for another request.
func within(ctx context.Context, limit time.Duration) (call context.Context, cancel context.CancelFunc) {
	call, cancel = context.WithTimeout(context.Background(), limit)
	left := ctx.Done()
	go func() {
		select {
		case <-left:
			cancel()
		case <-call.Done():
		}
	}()
	return call, cancel
}

// failed returns the failure of a server that did not answer, because of err. It only keeps err's text, because a
// wrapped error may hold a password.
func failed(server string, err error) *work.Failure {
	cause, why := work.Broken, innermost(err).Error()
	var network net.Error
	var dial *net.OpError
	switch {
	case errors.As(err, &network) && network.Timeout(): // includes context.DeadlineExceeded
		cause, why = work.TimedOut, "timed out"
	case errors.As(err, &dial) && dial.Op == "dial":
		cause = work.Refused
	}
	return &work.Failure{Cause: cause, Err: fmt.Errorf("%s does not answer: %s", server, why)}
}

// answered returns the failure of a server that gave another answer than the expected one.
func answered(server string, cause work.Cause, answer string) *work.Failure {
	return &work.Failure{Cause: cause, Err: fmt.Errorf("%s answers: %s", server, answer)}
}

// innermost returns the innermost error. Outer ones add details such as the address, which a failure already has.
func innermost(err error) error {
	for {
		switch wrapper := err.(type) {
		case interface{ Unwrap() []error }: // the last of several attempts
			err = wrapper.Unwrap()[len(wrapper.Unwrap())-1]
		case interface{ Unwrap() error }:
			if wrapper.Unwrap() == nil {
				return err
			}
			err = wrapper.Unwrap()
		default:
			return err
		}
	}
}

// unless returns failure. If ctx is done it returns ctx.Err() instead, because the server is not at fault then.
func unless(ctx context.Context, failure *work.Failure) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return failure
}

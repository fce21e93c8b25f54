// Package remote holds the kinds of work that wait for another server: for a reply of HTTP, a query of PostgreSQL, a call
// of gRPC. Each has one client, which all requests share.
//
// They are not in package work, so that whoever needs no more than its types is not built with their libraries. Like
// work, the package must not know which mode runs it.
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

// connectionLimit is the Kind.Limit of work that shares a pool of connections.
func connectionLimit(o work.Options) work.Limit { return work.Limit{N: o.PoolSize, Unit: "connection"} }

// spareConnections is how many connections a backend in this process takes in addition to those of the pool: for health
// checks, and for gRPC, whose calls share one.
const spareConnections = 4

// orBackend returns target. If it is empty, it starts a backend in this process and returns its host:port, together with
// the backend for closing.
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

// opened returns what Kind.Open has to: client, closed before closers, or err after it has closed these.
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

// within returns a context that ends with ctx, and no later than limit from now. It does not hold ctx itself, as a
// derived one does: a library may go on dialling with it when the call is over, and ctx is used again by then.
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

// failed is the failure of a server that gave no answer, because of err. Of err only the words are kept: what it wraps
// may hold a password.
func failed(server string, err error) *work.Failure {
	cause, why := work.Broken, innermost(err).Error()
	var network net.Error
	var dial *net.OpError
	switch {
	case errors.As(err, &network) && network.Timeout(): // as is context.DeadlineExceeded
		cause, why = work.TimedOut, "timed out"
	case errors.As(err, &dial) && dial.Op == "dial":
		cause = work.Refused
	}
	return &work.Failure{Cause: cause, Err: fmt.Errorf("%s does not answer: %s", server, why)}
}

// answered is the failure of a server that gave another answer than it was asked for.
func answered(server string, cause work.Cause, answer string) *work.Failure {
	return &work.Failure{Cause: cause, Err: fmt.Errorf("%s answers: %s", server, answer)}
}

// innermost is the error without what wraps it, such as the address, which a failure names itself.
func innermost(err error) error {
	for {
		switch wrapper := err.(type) {
		case interface{ Unwrap() []error }: // of several attempts, the last
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

// unless is the failure, unless ctx is done: that ends a call, too, and the server is not at fault then.
func unless(ctx context.Context, failure *work.Failure) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return failure
}

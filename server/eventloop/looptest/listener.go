// Package looptest lets event loops serve connections in memory, for tests in virtual time. Only tests may import it.
package looptest

import (
	"net"
	"time"

	"demo-server/server/eventloop"
	"demo-server/server/listener"
)

// A Listener accepts connections without descriptors for all modes, including those with event loops.
type Listener struct {
	net.Listener
	shared *listener.Source
}

// Wrap returns a Listener that owns l.
func Wrap(l net.Listener) *Listener { return &Listener{Listener: l, shared: listener.NewSource(l)} }

// Duplicate returns a listener that can be closed on its own and is Pollable.
func (l *Listener) Duplicate() (net.Listener, error) {
	own, err := l.shared.Listener()
	if err != nil {
		return nil, err
	}
	return &duplicate{Listener: own, conns: &conns{}}, nil
}

// Close closes the listener and all its duplicates.
func (l *Listener) Close() error { return l.shared.Close() }

// A duplicate is the listener of one run of a mode.
type duplicate struct {
	net.Listener
	conns *conns // of all loops of the run
}

// NewPoller returns a poller for one event loop.
func (d *duplicate) NewPoller(now func() time.Duration) (eventloop.Poller, error) {
	return &poller{now: now, listener: d.Listener, conns: d.conns, woken: make(chan struct{}, 1)}, nil
}

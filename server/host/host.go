// Package host runs a service in a process: it starts the mode that serves the listening socket, and drains both in
// order.
//
// It must not know settings, signals, logs or the admin listener. The caller decides when to stop.
package host

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"demo-server/server"
	"demo-server/server/listener"
)

// A State is the state of the service. Its text is the body of /readyz.
type State string

// The states, in order.
const (
	Starting State = "starting"
	Ready    State = "ready"
	LameDuck State = "lame duck: stopping soon"
	Draining State = "draining"
	Stopped  State = "stopped"
)

// An AcceptQueuePolicy says how to treat the connections in the accept queue when the service stops.
type AcceptQueuePolicy int

// The policies.
const (
	Drain       AcceptQueuePolicy = iota // drop new connections, and serve the waiting ones
	DrainShared                          // serve the waiting ones; the socket's owner drops new connections
	Leave                                // leave the waiting ones to other processes that accept on the socket
)

// A ServeFunc is the Serve of a modes.Instance, which has the contract. It calls app.Accepting once it is open.
type ServeFunc = func(ctx context.Context, src *listener.Source, app *server.App) error

// A Config configures a Host.
type Config struct {
	Source       *listener.Source
	App          *server.App
	Mode         string // for messages
	Serve        ServeFunc
	LameDuck     time.Duration            // how long to serve as before, but without being ready, after the stop
	DrainTimeout time.Duration            // how long requests may take after that
	AcceptQueue  func() AcceptQueuePolicy // called at the stop; nil means Drain
}

// A Host serves one Source with one mode. Create it with New, and call Run once.
type Host struct {
	config Config
	state  atomic.Value
}

// New returns a Host in state Starting.
func New(config Config) *Host {
	h := &Host{config: config}
	h.state.Store(Starting)
	return h
}

// State returns the present state. It may be called from any goroutine.
func (h *Host) State() State { return h.state.Load().(State) }

const (
	// pollInterval is how often the accept queue is checked while it drains. It counts as empty after emptyPolls checks
	// in a row, because the last part of a handshake may take that long to arrive.
	pollInterval = 10 * time.Millisecond
	emptyPolls   = 10
	// refuseTime is how long the accept queue may take after the drain deadline. The connections still in it get 503.
	refuseTime = 5 * time.Second
)

// Run serves until stop is done, and then drains. A request is not lost if it was admitted, or its connection was
// established, and it can finish before the drain deadline. Run calls ready once the mode accepts, unless the mode ends
// or stop is done before. It returns nil after a drain, or the error of a mode that ended before.
func (h *Host) Run(stop context.Context, ready func()) error {
	c := h.config
	accepting, stopAccepting := context.WithCancel(context.Background())
	defer stopAccepting()
	served := make(chan error, 1)
	go func() { served <- c.Serve(accepting, c.Source, c.App) }()

	select {
	case <-c.App.AcceptStarted():
		h.state.Store(Ready)
		ready()
	case err := <-served:
		return h.unexpectedExit(err)
	case <-stop.Done():
	}

	select {
	case err := <-served:
		return h.unexpectedExit(err)
	case <-stop.Done():
	}

	h.state.Store(LameDuck)
	time.Sleep(c.LameDuck)

	h.state.Store(Draining)
	c.App.AnnounceClose()
	deadline := time.AfterFunc(c.DrainTimeout, c.App.ExpireDrain)
	defer deadline.Stop()

	h.drainAcceptQueue()
	stopAccepting()
	err := <-served
	h.close()
	return err
}

func (h *Host) close() {
	h.config.Source.Close()
	h.config.App.Close()
	h.state.Store(Stopped)
}

// unexpectedExit returns the error of a mode that ended before the stop.
func (h *Host) unexpectedExit(err error) error {
	h.close()
	if err == nil {
		return fmt.Errorf("mode %s ended before it was told to", h.config.Mode)
	}
	return fmt.Errorf("mode %s ended: %w", h.config.Mode, err)
}

func (h *Host) acceptQueuePolicy() AcceptQueuePolicy {
	if h.config.AcceptQueue == nil {
		return Drain
	}
	return h.config.AcceptQueue()
}

// drainAcceptQueue lets the mode accept the waiting connections, which closing the socket would reset, and drops new
// ones. If the system can do neither, it returns at once.
func (h *Host) drainAcceptQueue() {
	switch h.acceptQueuePolicy() {
	case Leave:
		return
	case Drain:
		if err := h.config.Source.DropNew(); err != nil {
			return
		}
	}
	end := time.Now().Add(h.config.DrainTimeout + refuseTime)
	for empty := 0; empty < emptyPolls && time.Now().Before(end); {
		time.Sleep(pollInterval)
		queue, ok := h.config.Source.AcceptQueue()
		if ok && queue.Depth > 0 {
			empty = 0
			continue
		}
		empty++
	}
}

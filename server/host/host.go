// Package host is the life of the service in a process: it owns the listening socket and the mode that serves it, and
// it starts and drains them in order.
//
// It must not know settings, signals, logs or the admin listener: its caller tells it when to stop and is told what
// happened.
package host

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"demo-server/server"
	"demo-server/server/listener"
)

// A State is what the service is doing. Its text is what /readyz says.
type State string

// The states, in their order.
const (
	Starting State = "starting"
	Ready    State = "ready"
	LameDuck State = "lame duck: stopping soon"
	Draining State = "draining"
	Stopped  State = "stopped"
)

// A AcceptQueuePolicy is what becomes of the connections that wait in the accept queue when the service stops.
type AcceptQueuePolicy int

// The ways to deal with the accept queue.
const (
	Drain       AcceptQueuePolicy = iota // new connections are kept out, and those that wait are served
	DrainShared                          // those that wait are served: whoever owns the socket keeps new ones out
	Leave                                // others accept on the same socket, or will: what waits in it is theirs
)

// A ServeFunc is the Serve of a modes.Instance, which has the contract. It calls app.Accepting once it is open.
type ServeFunc = func(ctx context.Context, src *listener.Source, app *server.App) error

// A Config is what a Host needs to know.
type Config struct {
	Source       *listener.Source
	App          *server.App
	Mode         string // for messages
	Serve        ServeFunc
	LameDuck     time.Duration            // how long to go on as before, but not ready, once told to stop
	DrainTimeout time.Duration            // how long requests may take from then on
	AcceptQueue  func() AcceptQueuePolicy // asked once told to stop; nil for ServeQueue
}

// A Host serves one Source with one mode. Create it with New and call Run once.
type Host struct {
	config Config
	state  atomic.Value
}

// New returns a Host that is Starting.
func New(config Config) *Host {
	h := &Host{config: config}
	h.state.Store(Starting)
	return h
}

// State is what the service is doing now. It may be called from any goroutine.
func (h *Host) State() State { return h.state.Load().(State) }

const (
	// pollInterval is how often the accept queue is looked at while it drains, and emptyLooks how often in a row it has to
	// be found empty: the last part of a handshake that was under way may take that long to arrive.
	pollInterval = 10 * time.Millisecond
	emptyPolls   = 10
	// refuseTime is how long the accept queue may take after the drain deadline, when all that is left in it gets 503.
	refuseTime = 5 * time.Second
)

// Run serves until stop is done, and then drains: no request that was admitted, or whose connection was established,
// is lost if it can finish before the drain deadline. It calls ready once the mode accepts, unless the mode ends
// or stop is done before. It returns nil after a drain, or the error that ended the mode before.
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

// unexpectedExit is for a mode that nobody told to end.
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

// drainAcceptQueue lets the mode accept the connections that wait, which closing the socket would reset, while new ones
// are kept out. Where the system can do neither, it returns at once.
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

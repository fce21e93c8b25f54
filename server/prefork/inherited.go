package prefork

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
)

// Inherited is what a worker got from its supervisor. Get it with Inherit, once, in the worker's process.
type Inherited struct {
	Listener     net.Listener    // the service's socket, on which others accept as well
	Admin        net.Listener    // accepts the supervisor's connections, and no other process can connect
	WorkerConfig json.RawMessage // the plan's, as JSON

	orders  *json.Decoder
	reports *json.Encoder
}

// ErrNoSupervisor is what Inherit returns in a process that no Supervisor started.
var ErrNoSupervisor = errors.New("no supervisor started this process")

// Inherit takes over what a Supervisor handed to this process.
func Inherit() (*Inherited, error) {
	listener, err := inheritListener(listenerFile)
	if err != nil {
		return nil, err
	}
	admin, err := inheritAdmin(adminFile)
	if err != nil {
		return nil, err
	}
	i := &Inherited{
		Listener: listener, Admin: admin,
		orders:  json.NewDecoder(os.NewFile(ordersFile, "orders")),
		reports: json.NewEncoder(os.NewFile(reportsFile, "reports")),
	}
	first := briefing{WorkerConfig: &i.WorkerConfig}
	if err := i.orders.Decode(&first); err != nil {
		return nil, fmt.Errorf("the supervisor's first words: %w", err)
	}
	return i, nil
}

func inheritListener(descriptor uintptr) (net.Listener, error) {
	file := os.NewFile(descriptor, "listener")
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, ErrNoSupervisor
	}
	file.Close() // the listener has a duplicate
	return listener, nil
}

// Ready tells the supervisor that requests are answered.
func (i *Inherited) Ready() { i.report(report{Type: reportReady}) }

// Failed tells the supervisor why this process is about to end.
func (i *Inherited) Failed(err error) { i.report(report{Type: reportFailed, Error: err.Error()}) }

// report reports. Where nobody listens any more, Order tells so too.
func (i *Inherited) report(r report) { i.reports.Encode(r) }

// Order waits for the supervisor's order. Its death is one to retire: whoever serves on must not do so unseen.
func (i *Inherited) Order() Order {
	var order Order
	if err := i.orders.Decode(&order); err != nil {
		return Retire
	}
	return order
}

// Drained tells the supervisor that nothing is left to do, and returns when that has read the last figures.
func (i *Inherited) Drained() {
	i.report(report{Type: reportDrained})
	for {
		var more Order
		if err := i.orders.Decode(&more); err != nil {
			return
		}
	}
}

package prefork

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
)

// An Inherited holds everything that a worker inherits from its supervisor. Call Inherit once, in the worker's process,
// to get it.
type Inherited struct {
	Listener     net.Listener    // the service's socket, on which other workers accept too
	Admin        net.Listener    // accepts connections from the supervisor only
	WorkerConfig json.RawMessage // the plan's, as JSON

	orders  *json.Decoder
	reports *json.Encoder
}

// ErrNoSupervisor means that no Supervisor started this process.
var ErrNoSupervisor = errors.New("no supervisor started this process")

// Inherit returns what the Supervisor of this process has passed to it.
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

// Ready reports to the supervisor that requests are answered.
func (i *Inherited) Ready() { i.report(report{Type: reportReady}) }

// Failed reports to the supervisor why this process is about to exit.
func (i *Inherited) Failed(err error) { i.report(report{Type: reportFailed, Error: err.Error()}) }

// report sends a report. It ignores errors, because Order notices the supervisor's death too.
func (i *Inherited) report(r report) { i.reports.Encode(r) }

// Order waits for the supervisor's order. The supervisor's death counts as the order to retire, because a worker must
// not serve without supervision.
func (i *Inherited) Order() Order {
	var order Order
	if err := i.orders.Decode(&order); err != nil {
		return Retire
	}
	return order
}

// Drained reports to the supervisor that the worker has drained. It returns when the supervisor has read the last
// figures.
func (i *Inherited) Drained() {
	i.report(report{Type: reportDrained})
	for {
		var more Order
		if err := i.orders.Decode(&more); err != nil {
			return
		}
	}
}

package prefork

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"time"
)

// A State is the state of a worker.
type State string

// The states, in order.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Draining State = "draining"
)

// A Worker describes a worker process.
type Worker struct {
	PID     int
	State   State
	Started time.Time
	Dial    func() (net.Conn, error) // connects to its Inherited.Admin, without waiting; safe for concurrent use
}

// A worker is a Worker with the supervisor's ends of its pipes. The Supervisor's lock guards its fields.
type worker struct {
	Worker
	generation *generation
	place      *place
	command    *exec.Cmd
	orders     *os.File
	reports    *os.File
	channel    *net.UnixConn // to its admin listener
	messages   chan any      // to send to the worker; has room for all of them, because a worker may not read

	cpu    string        // the CPU time at the last check
	silent time.Duration // how long it has neither answered nor used any since

	closed    bool      // messages is closed
	ready     bool      // it has been ready
	since     time.Time // when it became ready, if it was to serve then
	ended     bool      // its process has exited
	failure   error     // why it has to exit, if known
	drained   bool      // it has done as it was told
	dismissed bool      // it was killed because it is not needed
}

// launch starts command as a worker on the socket.
func launch(command *exec.Cmd, socket *os.File, e *generation, p *place) (*worker, error) {
	channel, itsChannel, err := newChannel()
	if err != nil {
		return nil, err
	}
	defer itsChannel.Close()
	w := &worker{generation: e, place: p, command: command, channel: channel}
	w.messages = make(chan any, 2) // a briefing and an order
	w.Started, w.State = time.Now(), Starting
	w.Dial = func() (net.Conn, error) { return dial(channel) }
	w.messages <- briefing{e.WorkerConfig}
	if err := w.start(socket, itsChannel); err != nil {
		channel.Close()
		return nil, err
	}
	w.PID = command.Process.Pid
	return w, nil
}

// start starts the process, and closes the worker's ends in this one.
func (w *worker) start(socket, itsChannel *os.File) error {
	itsOrders, orders, err := os.Pipe()
	if err != nil {
		return err
	}
	defer itsOrders.Close()
	reports, itsReports, err := os.Pipe()
	if err != nil {
		orders.Close()
		return err
	}
	defer itsReports.Close()
	w.orders, w.reports = orders, reports
	w.command.ExtraFiles = []*os.File{socket, itsChannel, itsOrders, itsReports}
	if err := w.command.Start(); err != nil {
		orders.Close()
		reports.Close()
		return err
	}
	return nil
}

// sendMessages sends the worker's messages. Closing the pipe is the last one.
func (w *worker) sendMessages() {
	defer w.orders.Close()
	encoder := json.NewEncoder(w.orders)
	for message := range w.messages {
		encoder.Encode(message) // an error means that the worker has exited
	}
}

// readReports passes each of the worker's reports to hear. It returns nil at the end, and errBadReports if the worker
// sends anything else, or more than maxReports.
func (w *worker) readReports(handle func(report)) error {
	defer w.reports.Close()
	pipe := &io.LimitedReader{R: w.reports, N: maxReports}
	for reports := json.NewDecoder(pipe); ; {
		var r report
		err := reports.Decode(&r)
		switch {
		case err == nil:
			handle(r)
		case pipe.N > 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			return nil
		default:
			return errBadReports
		}
	}
}

// order sends the worker its order. It is called once.
func (w *worker) order(order Order) {
	w.State = Draining
	w.messages <- order
}

// letGo lets a drained worker exit.
func (w *worker) letGo() {
	w.drained = true
	w.closeMessages()
}

// forget closes this process's resources for a worker that has exited.
func (w *worker) forget() {
	w.closeMessages()
	w.channel.Close()
}

// closeMessages ends the messages to the worker. It may be called more than once.
func (w *worker) closeMessages() {
	if !w.closed {
		w.closed = true
		close(w.messages)
	}
}

func (w *worker) killProcess() { w.command.Process.Kill() } // an error means that the process has exited

// served reports whether the worker was ready for long enough.
func (w *worker) served() bool { return w.State == Ready && time.Since(w.since) >= minServing }

// kill kills a worker that has failed. The worker's own reason takes precedence over err.
func (w *worker) kill(err error) {
	if w.failure == nil {
		w.failure = err
	}
	w.killProcess()
}

// dismiss kills a worker that is not needed.
func (w *worker) dismiss() {
	w.dismissed = true
	w.killProcess()
}

// maxReports limits the bytes of reports from a worker. A normal worker sends three lines.
const maxReports = 64 << 10

// errBadReports means that a worker does not speak the protocol.
var errBadReports = errors.New("sent reports that make no sense")

// errUnexpectedExit means that a worker exited without an order and without a reason.
var errUnexpectedExit = errors.New("ended without having been told to")

// cause returns why the worker died, if its process exited with err.
func (w *worker) cause(err error) error {
	switch {
	case w.failure != nil:
		return w.failure
	case err == nil:
		return errUnexpectedExit
	}
	return err
}

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

// A State is what a worker is doing.
type State string

// The states, in their order.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Draining State = "draining"
)

// A Worker is what is known of a worker process.
type Worker struct {
	PID     int
	State   State
	Started time.Time
	Dial    func() (net.Conn, error) // connects to its Inherited.Admin, without waiting; safe for concurrent use
}

// A worker is a Worker and the supervisor's ends of its pipes.
type worker struct {
	Worker
	generation *generation
	place      *place
	command    *exec.Cmd
	orders     *os.File
	reports    *os.File
	channel    *net.UnixConn // to its admin listener
	messages   chan any      // to be said to it: nobody waits for a worker that does not listen

	cpu    string        // the CPU time that it had used at the last look
	silent time.Duration // how long it has not answered nor used any since

	closed    bool      // words is closed
	ready     bool      // it has been
	since     time.Time // when it became so, if it was to serve then
	ended     bool      // its process has
	failure   error     // why it has to end, where that is known
	drained   bool      // it has done what it was told to
	dismissed bool      // it was killed because nobody needs it
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

// start starts the process, and closes in this one what is the worker's.
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

// sendMessages says to the worker what it has to hear, until there is no more. To close the pipe is the last word.
func (w *worker) sendMessages() {
	defer w.orders.Close()
	encoder := json.NewEncoder(w.orders)
	for word := range w.messages {
		encoder.Encode(word) // an error means that it has ended
	}
}

// readReports hands each of the worker's reports to hear. It returns nil once there can be no more, and errGarbled if what
// comes is not reports, or more of them than a worker has to make.
func (w *worker) readReports(hear func(report)) error {
	defer w.reports.Close()
	pipe := &io.LimitedReader{R: w.reports, N: maxReports}
	for reports := json.NewDecoder(pipe); ; {
		var r report
		err := reports.Decode(&r)
		switch {
		case err == nil:
			hear(r)
		case pipe.N > 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			return nil
		default:
			return errBadReports
		}
	}
}

// order gives the worker its order. It is called once.
func (w *worker) order(order Order) {
	w.State = Draining
	w.messages <- order
}

// letGo lets a worker end that has drained.
func (w *worker) letGo() {
	w.drained = true
	w.closeMessages()
}

// forget closes what the worker's process leaves behind in this one.
func (w *worker) forget() {
	w.closeMessages()
	w.channel.Close()
}

// closeMessages ends what is said to the worker. It may be called more than once.
func (w *worker) closeMessages() {
	if !w.closed {
		w.closed = true
		close(w.messages)
	}
}

func (w *worker) killProcess() { w.command.Process.Kill() } // an error means that it has ended

// served reports whether the worker was of any use.
func (w *worker) served() bool { return w.State == Ready && time.Since(w.since) >= minServing }

// kill kills a worker that does wrong. What it has to say of that itself counts more than err.
func (w *worker) kill(err error) {
	if w.failure == nil {
		w.failure = err
	}
	w.killProcess()
}

// dismiss kills a worker that nobody needs.
func (w *worker) dismiss() {
	w.dismissed = true
	w.killProcess()
}

// maxReports is how many bytes of reports a worker may send in its life. A usual one sends three lines.
const maxReports = 64 << 10

// errBadReports is for a worker that does not speak the protocol.
var errBadReports = errors.New("sent reports that make no sense")

// errUnexpectedExit is for a worker that nobody told to end, and that has nothing to say of it.
var errUnexpectedExit = errors.New("ended without having been told to")

// cause is why the worker died, where its process ended with err.
func (w *worker) cause(err error) error {
	switch {
	case w.failure != nil:
		return w.failure
	case err == nil:
		return errUnexpectedExit
	}
	return err
}

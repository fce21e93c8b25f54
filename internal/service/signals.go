package service

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// duplicateWindow is the time after the first signal in which another one counts as the same: timeout(1) signals its
// child and immediately after that the process group of the child.
const duplicateWindow = 20 * time.Millisecond

// ErrInterrupted is what RunUntilSignal returns after a second signal. It has been logged.
var ErrInterrupted = errors.New("second signal: exiting immediately")

// stopSignals returns the signals that end a process in order. SIGHUP comes when its terminal closes, and is ignored by
// a process that was started with nohup.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// endsAtOnce reports whether a second signal ends the process immediately. SIGHUP does not, because systemd and shells
// send it directly after another signal.
func endsAtOnce(s os.Signal) bool { return s != syscall.SIGHUP }

// UntilSignal returns a context that ends at the first signal that ends a process in order.
func UntilSignal(ctx context.Context) (running context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(ctx, stopSignals()...)
}

// UntilSecondSignal returns a context that ends at a signal that ends a process immediately.
func UntilSecondSignal(ctx context.Context) (running context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// Signals catches signals from NewSignals on, because none may be lost during a start.
type Signals struct {
	received chan os.Signal
	actions  map[os.Signal]func()
	logger   *zap.Logger
}

// NewSignals catches the signals that end a process in order, and the keys of actions. Run calls the actions until the
// process ends. The caller closes the Signals.
func NewSignals(actions map[os.Signal]func(), logger *zap.Logger) *Signals {
	s := &Signals{received: make(chan os.Signal, 8), actions: actions, logger: logger}
	signal.Notify(s.received, stopSignals()...)
	for action := range actions {
		signal.Notify(s.received, action)
	}
	return s
}

// Close stops catching signals.
func (s *Signals) Close() { signal.Stop(s.received) }

// Run calls run with a context that ends at the first signal that ends a process, and returns the error of run. It
// calls first with that signal before the context ends, and then notifies systemd. At a second signal, it calls second
// and returns ErrInterrupted while run continues.
func (s *Signals) Run(run func(stop context.Context) error, first, second func(os.Signal)) error {
	stopping, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- run(stopping) }()
	var stoppedAt time.Time
	for {
		select {
		case err := <-ended:
			return err
		case received := <-s.received:
			action := s.actions[received]
			switch {
			case action != nil && stopping.Err() == nil:
				action()
			case action != nil || time.Since(stoppedAt) < duplicateWindow:
			case stopping.Err() == nil:
				stoppedAt = time.Now()
				first(received)
				stop()
				Notify(s.logger, daemon.SdNotifyStopping)
			case endsAtOnce(received):
				second(received)
				return ErrInterrupted
			}
		}
	}
}

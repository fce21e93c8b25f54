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

// duplicateWindow is how soon after the first signal another one counts as the same: timeout(1) signals its child and
// then at once the process group of the child.
const duplicateWindow = 20 * time.Millisecond

// ErrInterrupted is what RunUntilSignal returns after a second signal. It has been logged.
var ErrInterrupted = errors.New("stopped at once by a second signal")

// stopSignals returns the signals that end a process in order. SIGHUP comes when its terminal closes, and is ignored by
// a process that was started with nohup.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// endsAtOnce reports whether a second signal ends the process at once. SIGHUP does not: systemd and shells send it right
// after another signal.
func endsAtOnce(s os.Signal) bool { return s != syscall.SIGHUP }

// UntilSignal returns a context that ends at the first signal that ends a process in order.
func UntilSignal(ctx context.Context) (running context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(ctx, stopSignals()...)
}

// UntilSecondSignal returns a context that ends at a signal that ends a process at once.
func UntilSecondSignal(ctx context.Context) (running context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// Signals are caught from NewSignals on, so that none that comes during a start is lost.
type Signals struct {
	received chan os.Signal
	actions  map[os.Signal]func()
	logger   *zap.Logger
}

// NewSignals catches the signals that end a process in order, and the keys of actions, which Run calls until the first of
// the former. The caller closes the Signals.
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

// Run calls run with a context that ends at the first signal that ends a process, and returns the error of run. first is
// called with that signal before the context ends, and systemd is notified after that. A second one calls second and makes Run return ErrInterrupted, while
// run goes on.
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

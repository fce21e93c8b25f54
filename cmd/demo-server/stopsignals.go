package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopSignals are the signals that end a process in order. SIGHUP comes when its terminal closes, and means nothing to a
// process that was started with nohup.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// insists reports whether a second signal means to stop at once. SIGHUP does not: systemd and shells send it right after
// another one.
func insists(s os.Signal) bool { return s != syscall.SIGHUP }

// untilSignal returns a context that ends when a signal comes to stop.
func untilSignal(ctx context.Context) (running context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(ctx, stopSignals()...)
}

// untilInsisted returns a context that ends when a signal comes to stop at once.
func untilInsisted(ctx context.Context) (running context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"demo-server/internal/obslog"
	"demo-server/work"
)

const (
	// logAfter is how long a start waits before it logs that.
	logAfter = 500 * time.Millisecond
	// checkAgain is the pause between checks at the start, and checkEvery the pause after that.
	checkAgain = 100 * time.Millisecond
	checkEvery = time.Second
)

// errDependency replaces the real error for clients that must not learn the dependency.
var errDependency = errors.New("the dependency does not answer")

// A dependency is a server or a disk that the work needs, with the result of its last check. Without a work.Dependent,
// it is always up.
type dependency struct {
	work    work.Dependent // nil for none
	timeout time.Duration  // of a check, and of all checks at the start together
	logger  *zap.Logger
	fails   atomic.Pointer[error] // of the last check; nil if it succeeded
}

func newDependency(w work.Work, timeout time.Duration, logger *zap.Logger) *dependency {
	dependent, _ := w.(work.Dependent)
	return &dependency{work: dependent, timeout: timeout, logger: logger}
}

// err returns the error of the last check, or nil.
func (d *dependency) err() error {
	if err := d.fails.Load(); err != nil {
		return *err
	}
	return nil
}

// waitReady waits until d is up or stop is done. It returns an error if d is not up in time.
func (d *dependency) waitReady(stop context.Context) error {
	if d.work == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(stop, d.timeout)
	defer cancel()
	defer time.AfterFunc(logAfter, d.logWaiting).Stop()
	for d.check(ctx); d.err() != nil && ctx.Err() == nil; d.check(ctx) {
		select {
		case <-time.After(checkAgain):
		case <-ctx.Done():
		}
	}
	if err := d.err(); err != nil && stop.Err() == nil {
		return fmt.Errorf("%w (tried for %s, see --dial-timeout)", err, d.timeout)
	}
	return nil
}

// logWaiting logs that the server waits for d, with the error if there is one already.
func (d *dependency) logWaiting() {
	d.logger.Info("waiting for the dependency", zap.Duration("dial_timeout", d.timeout), zap.Error(d.err()))
}

// check checks d once.
func (d *dependency) check(ctx context.Context) {
	err := d.work.Check(ctx)
	switch {
	case err == nil:
		d.fails.Store(nil)
	case errors.Is(ctx.Err(), context.Canceled): // we gave up, which says nothing about d
	case ctx.Err() != nil && d.err() != nil: // the earlier error says more than a timeout
	default:
		shown := errors.New(obslog.OneLine(err.Error())) // the dependency controls parts of the text
		d.fails.Store(&shown)
	}
}

// watchDuring checks d periodically while do runs.
func (d *dependency) watchDuring(do func() error) error {
	if d.work == nil {
		return do()
	}
	watching, unwatch := context.WithCancel(context.Background())
	var watcher sync.WaitGroup
	watcher.Go(func() { d.watch(watching) })
	defer watcher.Wait()
	defer unwatch()
	return do()
}

// watch checks d until ctx is done, and logs changes.
func (d *dependency) watch(ctx context.Context) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			d.recheck(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (d *dependency) recheck(ctx context.Context) {
	before := d.err()
	asking, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	d.check(asking)
	switch after := d.err(); {
	case before == nil && after != nil:
		d.logger.Warn("dependency is down", zap.Error(after))
	case before != nil && after == nil:
		d.logger.Info("dependency is up again")
	}
}

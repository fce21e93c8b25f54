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
	// logAfter is how long to wait at the start without a word.
	logAfter = 500 * time.Millisecond
	// checkAgain is the pause between checks at the start, and checkEvery that from then on.
	checkAgain = 100 * time.Millisecond
	checkEvery = time.Second
)

// errDependency is what to say to those who may not know what the server depends on.
var errDependency = errors.New("what the work depends on does not answer")

// A dependency is what the server's work waits for, and whether it answers. Work that depends on nothing has one that
// always does.
type dependency struct {
	work    work.Dependent // nil for none
	timeout time.Duration  // of a check, and of all of them at the start
	logger  *zap.Logger
	fails   atomic.Pointer[error] // what the last check said; nil where it went well
}

func newDependency(w work.Work, timeout time.Duration, logger *zap.Logger) *dependency {
	dependent, _ := w.(work.Dependent)
	return &dependency{work: dependent, timeout: timeout, logger: logger}
}

// err is why it does not answer, or nil.
func (d *dependency) err() error {
	if err := d.fails.Load(); err != nil {
		return *err
	}
	return nil
}

// waitReady returns once it answers, or when stop is done, or with the reason why it has not answered in time.
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

// logWaiting logs that it is waited for, and why as far as that is known.
func (d *dependency) logWaiting() {
	d.logger.Info("waiting until what the work depends on answers", zap.Duration("dial_timeout", d.timeout), zap.Error(d.err()))
}

// check asks once.
func (d *dependency) check(ctx context.Context) {
	err := d.work.Check(ctx)
	switch {
	case err == nil:
		d.fails.Store(nil)
	case errors.Is(ctx.Err(), context.Canceled): // nobody asks any more, which is not its fault
	case ctx.Err() != nil && d.err() != nil: // the end of the time says less than what was said before
	default:
		shown := errors.New(obslog.OneLine(err.Error())) // the other side has a say in its text
		d.fails.Store(&shown)
	}
}

// watchDuring checks from time to time while do runs.
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

// watch checks until ctx is done, and logs when the answer has changed.
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
		d.logger.Warn("not ready: what the work depends on does not answer", zap.Error(after))
	case before != nil && after == nil:
		d.logger.Info("ready again: what the work depends on answers")
	}
}

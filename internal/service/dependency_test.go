package service

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"demo-server/internal/testkit"
	"demo-server/server/host"
	"demo-server/work"
)

// patient is work with a check that the test controls.
type patient struct {
	*work.Sleep
	state  atomic.Pointer[check]
	checks atomic.Int64
}

type check func(ctx context.Context) error

func newPatient(c check) *patient {
	p := &patient{}
	p.state.Store(&c)
	return p
}

func (p *patient) Check(ctx context.Context) error {
	p.checks.Add(1)
	return (*p.state.Load())(ctx)
}

var errDown = errors.New("down")

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// upAfter returns a check that fails for d, and then succeeds.
func upAfter(d time.Duration) check {
	began := time.Now()
	return func(context.Context) error {
		if time.Since(began) < d {
			return errDown
		}
		return nil
	}
}

// TestAwait checks that a server starts once its dependency is up, and gives up after the timeout.
func TestAwait(t *testing.T) {
	const timeout = 5 * time.Second
	for _, row := range []struct {
		name  string
		check func() check
		stop  time.Duration // time until a signal
		took  time.Duration
		err   string // part of the error, or empty
	}{
		{"up", func() check { return upAfter(0) }, time.Hour, 0, ""},
		{"up in time", func() check { return upAfter(time.Second) }, time.Hour, time.Second, ""},
		{"down", func() check { return upAfter(time.Hour) }, time.Hour, timeout, "down"},
		{"silent", func() check { return hang }, time.Hour, timeout, "deadline exceeded"},
		{
			"down, then silent", func() check {
				down := upAfter(time.Second)
				return func(ctx context.Context) error {
					if err := down(ctx); err != nil {
						return err
					}
					return hang(ctx)
				}
			}, time.Hour, timeout, "down",
		},
		{"stopped while down", func() check { return upAfter(time.Hour) }, time.Second, time.Second, ""},
		{"stopped while silent", func() check { return hang }, time.Second, time.Second, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logger, lines := testkit.NewLogger(zap.InfoLevel)
				needs := newDependency(newPatient(row.check()), timeout, logger)
				stop, cancel := context.WithTimeout(t.Context(), row.stop)
				defer cancel()
				began := time.Now()
				err := needs.waitReady(stop)
				if took := time.Since(began); took != row.took {
					t.Errorf("took %v, want %v", took, row.took)
				}
				if told := lines.Len() == 1; told != (row.took > logAfter) {
					t.Errorf("waited %v with %d lines of log", row.took, lines.Len())
				}
				if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
					t.Errorf("got %v, want %q", err, row.err)
				}
			})
		})
	}
}

// TestBeside checks that a serving server notices a change within a second, or when a check times out.
func TestBeside(t *testing.T) {
	const timeout = 5 * time.Second
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(upAfter(0))
		needs := newDependency(p, timeout, zap.NewNop())
		become := func(c check, within time.Duration, up bool) {
			p.state.Store(&c)
			time.Sleep(within)
			synctest.Wait()
			if err := needs.err(); (err == nil) != up {
				t.Errorf("after %v it says %v, want up: %v", within, err, up)
			}
		}
		err := needs.watchDuring(func() error {
			time.Sleep(checkEvery / 2)
			become(func(context.Context) error { return errDown }, checkEvery, false)
			become(func(context.Context) error { return nil }, checkEvery, true)
			become(hang, checkEvery+timeout, false)
			become(func(context.Context) error { return nil }, timeout+checkEvery, true)
			return errDown
		})
		if err != errDown {
			t.Errorf("got %v, want what it ran beside said", err)
		}
		checks := p.checks.Load()
		time.Sleep(time.Minute)
		if p.checks.Load() != checks {
			t.Error("it still checks")
		}
	})
}

// hostile is a text that would end the line, clear the screen, move the cursor or reverse the text.
const hostile = "/\r\n00:00:00.000 ERROR forged\x1b[2J\x7f\u009b2J\u202e\u2028\xff\"\\"

// TestDependencyShown checks that the reason is one harmless line, and names the dependency only to clients that may
// see everything.
func TestDependencyShown(t *testing.T) {
	needs := newDependency(newPatient(func(context.Context) error { return errors.New("10.0.0.1 says: " + hostile) }), time.Second, zap.NewNop())
	needs.check(t.Context())
	for _, row := range []struct {
		state      host.State
		everything bool
		want       string
	}{
		{host.Ready, true, "10.0.0.1 says: /??00:00:00.000 ERROR forged?[2J??2J???\"\\"},
		{host.Ready, false, "the dependency does not answer"},
		{host.Starting, true, "starting: 10.0.0.1 says: /??00:00:00.000 ERROR forged?[2J??2J???\"\\"},
		{host.Starting, false, "starting: the dependency does not answer"},
		{host.Draining, true, "draining"},
		{host.Draining, false, "draining"},
	} {
		ready, reason := readiness(row.state, needs.err(), row.everything)
		if want := strings.ReplaceAll(row.want, "?", "\ufffd"); ready || reason != want {
			t.Errorf("%s, everything %v: got %v, %q, want %q", row.state, row.everything, ready, reason, want)
		}
	}
}

// TestNoDependency checks that work without a dependency never waits.
func TestNoDependency(t *testing.T) {
	needs := newDependency(work.NewSleep(), time.Second, zap.NewNop())
	if err := errors.Join(needs.waitReady(t.Context()), needs.watchDuring(func() error { return nil }), needs.err()); err != nil {
		t.Error(err)
	}
}

package service

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// The first signal stops the process in order. A second one ends it immediately, unless it duplicates the first or is a
// SIGHUP. Actions run before that.
func TestSignals(t *testing.T) {
	const action = syscall.SIGALRM
	type step struct {
		after  time.Duration
		signal os.Signal
	}
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
		err   error
	}{
		{"one", []step{{0, syscall.SIGTERM}}, []string{"first"}, nil},
		{"duplicate", []step{{0, syscall.SIGTERM}, {duplicateWindow - 1, syscall.SIGTERM}}, []string{"first"}, nil},
		{"two", []step{{0, syscall.SIGTERM}, {duplicateWindow, os.Interrupt}}, []string{"first", "second"}, ErrInterrupted},
		{"SIGHUP after another", []step{{0, syscall.SIGTERM}, {time.Second, syscall.SIGHUP}}, []string{"first"}, nil},
		{"two after SIGHUP", []step{{0, syscall.SIGHUP}, {time.Second, syscall.SIGTERM}}, []string{"first", "second"}, ErrInterrupted},
		{"action", []step{{0, action}, {0, action}, {0, syscall.SIGTERM}, {time.Second, action}}, []string{"action", "action", "first"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				s := &Signals{
					received: make(chan os.Signal), logger: zap.NewNop(), actions: map[os.Signal]func(){action: func() { got = append(got, "action") }},
				}
				go func() {
					for _, step := range c.steps {
						time.Sleep(step.after)
						s.received <- step.signal
					}
				}()
				err := s.Run(func(stop context.Context) error {
					<-stop.Done()
					time.Sleep(time.Minute)
					return nil
				}, func(os.Signal) { got = append(got, "first") }, func(os.Signal) { got = append(got, "second") })
				if !errors.Is(err, c.err) || !slices.Equal(got, c.want) {
					t.Errorf("got %v and %v, want %v and %v", got, err, c.want, c.err)
				}
				time.Sleep(time.Hour) // until run ends, which continues after a second signal
			})
		})
	}
}

package work_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"demo-server/work"
)

// A leaver leaves at the worst moment: when the thread has looked for the last time before its call, and the first
// signal comes before the call does.
type leaver struct {
	context.Context
	leave   func()
	signals <-chan os.Signal
	once    sync.Once
}

func (l *leaver) Err() (err error) {
	err = l.Context.Err()
	l.once.Do(func() {
		l.leave()
		<-l.signals
	})
	return err
}

// TestBlockIsInterruptedAgain: a signal that comes before the call does not end it, so there has to be another.
func TestBlockIsInterruptedAgain(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGURG)
	defer signal.Stop(signals)
	block := work.NewBlock(1)
	for range 20 { // the runtime sends the same signal, which may be the one that is seen
		ctx, leave := context.WithCancel(t.Context())
		err := block.Do(&leaver{Context: ctx, leave: leave, signals: signals}, 10*time.Second)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%v, want %v: it slept to its end", err, context.Canceled)
		}
	}
}

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

// A leaver is cancelled at the worst moment: after the thread's last check before its call. The first signal then
// arrives before the call.
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

// TestBlockIsInterruptedAgain checks that there is another signal after one that arrived before the call.
func TestBlockIsInterruptedAgain(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGURG)
	defer signal.Stop(signals)
	block := work.NewBlock(1)
	for range 20 { // the signal seen may be one of the runtime's
		ctx, leave := context.WithCancel(t.Context())
		err := block.Do(&leaver{Context: ctx, leave: leave, signals: signals}, 10*time.Second)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%v, want %v: it slept to its end", err, context.Canceled)
		}
	}
}

package http1

import (
	"testing"
	"time"

	"demo-server/server"
)

func TestSweepInterval(t *testing.T) {
	for _, row := range []struct {
		change func(*server.Limits)
		want   time.Duration
	}{
		{func(*server.Limits) {}, 250 * time.Millisecond},
		{func(l *server.Limits) { l.ReadTimeout = 800 * time.Millisecond }, 100 * time.Millisecond},
		{func(l *server.Limits) { l.WriteTimeout = 80 * time.Millisecond }, 10 * time.Millisecond},
		{func(l *server.Limits) { l.IdleTimeout = time.Millisecond }, 5 * time.Millisecond},
	} {
		l := server.Limits{
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, ReadRequestTimeout: 30 * time.Second,
			WriteTimeout: 20 * time.Second, IdleTimeout: time.Minute,
		}
		row.change(&l)
		timeouts := NewTimeouts(&l)
		if got := timeouts.SweepInterval(); got != row.want {
			t.Errorf("%+v: every %v, want %v", l, got, row.want)
		}
	}
}

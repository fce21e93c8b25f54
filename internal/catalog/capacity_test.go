package catalog

import (
	"testing"
	"time"

	"demo-server/configs"
)

// The capacity of a server is the lower one of its mode and its work.
func TestDescribe(t *testing.T) {
	for _, c := range []struct {
		settings configs.Settings
		want     string
	}{
		{configs.Settings{Mode: "pool", Delay: 2 * time.Second}, "100 workers / 2s = 50 requests/s"},
		{configs.Settings{Mode: "pool", Delay: 2 * time.Second, Processes: 1}, "100 workers / 2s = 50 requests/s"},
		{configs.Settings{Mode: "pool", Delay: 2 * time.Second, Processes: 3}, "3 × 100 workers / 2s = 150 requests/s"},
		{configs.Settings{Mode: "pool"}, "100 workers"},
		{configs.Settings{Mode: "single", Delay: 3 * time.Second}, "1 at a time / 3s = 0.3333 requests/s"},
		{configs.Settings{Mode: "single", Delay: time.Second, Processes: 2}, "2 × 1 at a time / 1s = 2 requests/s"},
		{configs.Settings{Mode: "goroutine", Delay: time.Second, MaxConnections: 500, Processes: 2}, "2 × 500 connections / 1s = 1000 requests/s"},
		{configs.Settings{Mode: "eventloop", Delay: time.Second, Loops: 2}, "2 loops / 1s = 2 requests/s"},

		{configs.Settings{Mode: "goroutine", Work: "sql", PoolSize: 10, Delay: 2 * time.Second}, "10 connections / 2s = 5 requests/s"},
		{configs.Settings{Mode: "pool", Work: "mutex", Slots: 1, Delay: time.Second, Processes: 3}, "3 × 1 slot / 1s = 3 requests/s"},
		{configs.Settings{Mode: "thread", Work: "block", Delay: 2 * time.Second}, "1000 threads / 2s = 500 requests/s"},
		{configs.Settings{Mode: "eventloop", Work: "block", Patched: true, Delay: 2 * time.Second}, "8 helpers / 2s = 4 requests/s"},
		{configs.Settings{Mode: "single", Work: "block"}, "1 at a time"},
	} {
		s := withDefaults(c.settings)
		if got := Describe(&s); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", s.Mode, s.Work, got, c.want)
		}
	}
	computing := withDefaults(configs.Settings{Mode: "goroutine", Work: "cpu", Delay: time.Second})
	one := Describe(&computing)
	computing.Processes = 2
	if two := Describe(&computing); one != two {
		t.Errorf("two processes have %q, and one has %q: want the same cores", two, one)
	}
}

// withDefaults sets the settings that a test omits.
func withDefaults(s configs.Settings) configs.Settings {
	if s.Work == "" {
		s.Work = "sleep"
	}
	s.Workers, s.MaxThreads, s.LoopHelpers = 100, 1000, 8
	return s
}

package bench

import (
	"cmp"
	"testing"
	"time"
)

// TestUncountable checks for each cause of too few replies that the remedy works and the next smaller value does not.
func TestUncountable(t *testing.T) {
	short := Config{Generator: Builtin, Concurrency: 100, Duration: time.Second, Repeat: 6, Budget: time.Minute}
	free, one, cpu := ofMode("goroutine", 0), ofMode("single", 1), ofMode("goroutine", 1000)
	cpu.Cores = 2
	noDelay, unknown := free, free
	noDelay.Delay, unknown.Known = 0, false
	cases := []struct {
		name   string
		row    Row
		probes bool
		change func(*Config)
		want   Uncountable
	}{
		{"a duration shorter than the delay", free, false, func(*Config) {}, Uncountable{Duration: 4 * time.Second}},
		{"one round", free, false, func(c *Config) { c.Duration = 2 * time.Second }, Uncountable{Duration: 4 * time.Second}},
		{"two rounds by a hair", free, false, func(c *Config) { c.Duration = 3 * time.Second },
			Uncountable{Duration: 4 * time.Second}},
		{"two rounds", free, false, func(c *Config) { c.Duration = 4 * time.Second }, Uncountable{}},
		{"one at a time", one, false, func(*Config) {}, Uncountable{Duration: 4 * time.Second}},
		{"shared cores", cpu, false, func(*Config) {}, Uncountable{Duration: 4 * time.Minute}},
		{"a warm-up", free, false, func(c *Config) { c.Warmup = 10 * time.Second }, Uncountable{Duration: 15 * time.Second}},
		{"a low rate", free, false, func(c *Config) { c.Rate, c.Duration = 0.1, 10*time.Second },
			Uncountable{Duration: 15 * time.Second}},
		{"too few requests", free, false, func(c *Config) { c.Requests = 100 }, Uncountable{Requests: 150}},
		{"too few requests at a rate", free, false, func(c *Config) { c.Rate, c.Requests = 10, 1 }, Uncountable{Requests: 2}},
		{"a budget that is too short", free, false, func(c *Config) { c.Requests, c.Budget = 5000, time.Second },
			Uncountable{Budget: 5 * time.Second}},
		{"requests and budget", free, false, func(c *Config) { c.Requests, c.Budget = 1, time.Second },
			Uncountable{Requests: 150, Budget: 5 * time.Second}},
		{"a timeout", free, false, func(c *Config) { c.Duration, c.Timeout = 10*time.Second, time.Second },
			Uncountable{Timeout: 3 * time.Second}},
		{"wrk, one whole round", free, false, func(c *Config) { c.Generator = WRK }, Uncountable{}},
		{"wrk, rounds that are too short for it", free, false, func(c *Config) {
			c.Generator, c.Duration = WRK, 100*time.Millisecond
			c.Rows[0].Delay = 150 * time.Millisecond
		}, Uncountable{Duration: 400 * time.Millisecond}},
		{"ab, one whole round", free, false, func(c *Config) { c.Generator = AB }, Uncountable{}},
		{"ab, the first request alone", free, true, func(c *Config) { c.Generator = AB },
			Uncountable{Duration: 4 * time.Second}},
		{"ab, a budget for the first request alone", free, true, func(c *Config) {
			c.Generator, c.Requests, c.Budget = AB, 100, 3*time.Second
		}, Uncountable{Budget: 5 * time.Second}},
		{"without a delay", noDelay, false, func(*Config) {}, Uncountable{}},
		{"an unknown server", unknown, false, func(*Config) {}, Uncountable{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			config := short
			config.Rows = []Row{c.row}
			c.change(&config)
			got := uncountable(config, c.probes)
			if got != (Uncountable{}) && got.Name != c.row.Name {
				t.Errorf("names the row %q, want %q", got.Name, c.row.Name)
			}
			got.Name = ""
			config.checkRemedy(t, got, c.probes)
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// uncountable returns the remedy of the plan for its only row.
func uncountable(c Config, probes bool) Uncountable {
	rows := NewPlan(c, probes).Uncountable()
	if rows == nil {
		return Uncountable{}
	}
	return rows[0]
}

// checkRemedy checks that each value of the remedy is needed, and that the next smaller one is not enough.
func (c Config) checkRemedy(t *testing.T, u Uncountable, probes bool) {
	t.Helper()
	all := c
	all.Duration, all.Requests = cmp.Or(u.Duration, c.Duration), cmp.Or(u.Requests, c.Requests)
	all.Budget, all.Timeout = cmp.Or(u.Budget, c.Budget), cmp.Or(u.Timeout, c.Timeout)
	if u != (Uncountable{}) && uncountable(all, probes) != (Uncountable{}) {
		t.Errorf("%+v is not enough", u)
	}
	for name, lower := range map[string]func(*Config) bool{
		"duration": func(c *Config) bool { return lower(&c.Duration, u.Duration, typedTimes) },
		"requests": func(c *Config) bool { return lower(&c.Requests, u.Requests, typedCounts) },
		"budget":   func(c *Config) bool { return lower(&c.Budget, u.Budget, typedTimes) },
		"timeout":  func(c *Config) bool { return lower(&c.Timeout, u.Timeout, typedTimes) },
	} {
		less := all
		if lower(&less) && uncountable(less, probes) == (Uncountable{}) {
			t.Errorf("a smaller %s would do: %+v", name, less)
		}
	}
}

// lower sets value to the one below it on the scale. It returns false if the remedy leaves the value alone.
func lower[T int | time.Duration](value *T, remedy T, s scale[T]) bool {
	if remedy == 0 {
		return false
	}
	values := s.between(0, remedy-1)
	if len(values) == 0 {
		return false
	}
	*value = values[len(values)-1]
	return true
}

package catalog

import (
	"fmt"
	"strconv"
	"time"

	"demo-server/configs"
	"demo-server/units"
)

// A Capacity is the number of requests that all processes together work on at the same time.
type Capacity struct {
	N     int    // 0 for no limit
	Words string // such as "50 workers", or "2 × 50 workers" in two processes; "" for no limit
}

// PerDelay returns the capacity with the time that each request occupies it, such as "50 workers / 2s".
func (c Capacity) PerDelay(delay time.Duration) string {
	if c.N == 0 || delay == 0 {
		return c.Words
	}
	return fmt.Sprintf("%s / %s", c.Words, delay)
}

// less reports whether c is below another capacity.
func (c Capacity) less(other Capacity) bool { return c.N > 0 && (other.N == 0 || c.N < other.N) }

// OfMode returns the capacity that the mode has for the kind of work.
func OfMode(s *configs.Settings) Capacity {
	limit := Limit(s)
	switch {
	case limit.N == 0:
		return Capacity{}
	case limit.Unit == "":
		return perProcess(s, limit.N, fmt.Sprintf("%d at a time", limit.N))
	}
	return perProcess(s, limit.N, units.Count(limit.N, limit.Unit))
}

// OfWork returns the capacity that the kind of work has in every mode. shared reports whether further requests share it
// instead of waiting.
func OfWork(s *configs.Settings) (c Capacity, shared bool) {
	limit := Kind(s).Limit(WorkOptions(s))
	switch {
	case limit.N == 0:
		return Capacity{}, false
	case limit.Shared:
		return Capacity{limit.N, units.Count(limit.N, limit.Unit)}, true
	}
	return perProcess(s, limit.N, units.Count(limit.N, limit.Unit)), false
}

// OfServer returns the lowest of the capacities of the mode, of the work and of the setting max-connections.
func OfServer(s *configs.Settings) Capacity {
	lowest := OfMode(s)
	if work, _ := OfWork(s); work.less(lowest) {
		lowest = work
	}
	if s.MaxConnections == 0 {
		return lowest
	}
	if connections := perProcess(s, s.MaxConnections, units.Count(s.MaxConnections, "connection")); connections.less(lowest) {
		lowest = connections
	}
	return lowest
}

func perProcess(s *configs.Settings, n int, words string) Capacity {
	if s.Processes > 1 {
		words = fmt.Sprintf("%d × %s", s.Processes, words)
	}
	return Capacity{Processes(s) * n, words}
}

// Describe returns the capacity of the server with the rate that follows from it, such as
// "50 workers / 2s = 25 requests/s".
func Describe(s *configs.Settings) string {
	c := OfServer(s)
	switch {
	case c.N == 0:
		return fmt.Sprintf("max-connections, %d", Processes(s)*MaxConnections(s))
	case s.Delay == 0:
		return c.Words
	}
	return fmt.Sprintf("%s = %s requests/s", c.PerDelay(s.Delay), plainRate(float64(c.N)/s.Delay.Seconds()))
}

// plainRate formats a rate with four digits, or more if its whole part has more, and never with an exponent.
func plainRate(rate float64) string {
	if rate >= 1000 {
		return strconv.FormatFloat(rate, 'f', 0, 64)
	}
	return strconv.FormatFloat(rate, 'g', 4, 64)
}

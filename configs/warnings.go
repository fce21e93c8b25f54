package configs

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"demo-server/units"
)

// Warnings says in one line each which of the settings are legal but may surprise.
func (s *Settings) Warnings() []string {
	var warnings []string
	for _, warning := range []string{s.warnDrain(), s.warnQueue(), s.warnReach(), s.warnAdmin(), s.warnRead()} {
		if warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return append(warnings, s.warnIdle()...)
}

// pool reports whether requests queue at all.
func (s *Settings) pool() bool { return s.Mode == "pool" }

func (s *Settings) warnDrain() string {
	drain := units.FormatDuration(s.DrainTimeout)
	switch {
	case s.Delay > s.DrainTimeout:
		return fmt.Sprintf("a request works %s (delay): a drain-timeout of %s cuts it off with 503",
			units.FormatDuration(s.Delay), drain)
	case s.pool() && s.chosen("queue-timeout", "drain-timeout") && s.Delay+s.QueueTimeout > s.DrainTimeout:
		return fmt.Sprintf("a request may wait %s (queue-timeout) and work %s (delay): a drain-timeout of %s cuts it off with 503",
			units.FormatDuration(s.QueueTimeout), units.FormatDuration(s.Delay), drain)
	}
	return ""
}

// chosen reports whether one of the named settings has another value than its default: nobody has to be warned of defaults.
func (s *Settings) chosen(names ...string) bool {
	return slices.ContainsFunc(s.table(nil), func(setting Setting) bool {
		return slices.Contains(names, setting.Name) && setting.text() != setting.Default
	})
}

// warnQueue compares the time that the last one in a full queue waits with the time that it may wait.
func (s *Settings) warnQueue() string {
	if !s.pool() {
		return ""
	}
	rounds := (s.Queue + s.Workers - 1) / s.Workers
	wait := time.Duration(rounds) * s.Delay
	if wait <= s.QueueTimeout {
		return ""
	}
	return fmt.Sprintf("the tail of a full queue of %d waits %s for %d workers and a delay of %s: queue-timeout refuses it"+
		" after %s", s.Queue, units.FormatDuration(wait), s.Workers, units.FormatDuration(s.Delay), units.FormatDuration(s.QueueTimeout))
}

func (s *Settings) warnReach() string {
	if isLoopback(s.Host) {
		return ""
	}
	return fmt.Sprintf("host %s: other machines can reach the server", s.Host)
}

func (s *Settings) warnAdmin() string {
	host, _, err := net.SplitHostPort(s.AdminAddr)
	if err != nil || isLoopback(host) || s.AdminToken != "" {
		return ""
	}
	return fmt.Sprintf("admin-addr %s: other machines can reach it, and admin-token is empty: everything but /healthz and"+
		" /readyz will be refused", s.AdminAddr)
}

// warnRead names timeouts that the one for the whole request overtakes.
func (s *Settings) warnRead() string {
	total := s.ReadRequestTimeout
	for _, part := range []struct {
		name    string
		timeout time.Duration
	}{{"read-header-timeout", s.ReadHeaderTimeout}, {"read-timeout", s.ReadTimeout}} {
		if part.timeout > total {
			return fmt.Sprintf("a %s of %s has no effect beyond the %s that a whole request has (read-request-timeout)",
				part.name, units.FormatDuration(part.timeout), units.FormatDuration(total))
		}
	}
	return ""
}

// A use says what a setting is for: a mode, kinds of work, or either; or worker processes.
type use struct {
	mode      string
	works     []string
	processes bool
}

// onlyFor says what settings are for that are not for everything.
var onlyFor = map[string]use{
	"workers": {mode: "pool"}, "queue": {mode: "pool"}, "queue-timeout": {mode: "pool"},
	"max-threads": {mode: "thread", works: []string{"block", "file"}},
	"loops":       {mode: "eventloop"}, "loop-helpers": {mode: "eventloop"}, "patched": {mode: "eventloop"},
	"slots": {works: []string{"mutex"}}, "dir": {works: []string{"file"}}, "target": {works: []string{"http", "grpc"}},
	"pool-size": {works: []string{"http", "sql"}}, "dsn": {works: []string{"sql"}},
	"worker-timeout": {processes: true},
	"dial-timeout":   {works: []string{"file", "http", "sql", "grpc"}},
}

// warnIdle names settings that were chosen, but not for this mode, nor for this work.
func (s *Settings) warnIdle() (warnings []string) {
	for _, setting := range s.table(nil) {
		source := s.Source(setting.Name)
		// A printed file spells out the defaults too: nobody chose those, nor what an empty variable takes away.
		chosen := source.Kind > FromFile && setting.text() != "" || setting.text() != setting.Default
		use, some := onlyFor[setting.Name]
		if some && chosen && !s.puts(use) {
			warnings = append(warnings, fmt.Sprintf("%s %s (%s) has no effect %s",
				setting.Name, setting.shown(), source, s.beside(use)))
		}
	}
	return warnings
}

// puts reports whether the settings put another one to its use.
func (s *Settings) puts(u use) bool {
	return u.mode == s.Mode || slices.Contains(u.works, s.Work) || u.processes && s.Processes > 0
}

// beside says where a setting has no effect.
func (s *Settings) beside(u use) string {
	switch {
	case u.processes:
		return "without processes"
	case u.works == nil:
		return "in mode " + s.Mode
	case u.mode == "":
		return "with work " + s.Work + s.unlessAsked(u)
	}
	return fmt.Sprintf("in mode %s with work %s%s", s.Mode, s.Work, s.unlessAsked(u))
}

// unlessAsked names the kinds of work that bring a setting to its use where a request asks for them.
func (s *Settings) unlessAsked(u use) string {
	asked := slices.DeleteFunc(s.Asked(), func(kind string) bool { return !slices.Contains(u.works, kind) })
	if len(asked) == 0 {
		return ""
	}
	return ", but on requests that ask for work " + strings.Join(asked, " or ")
}

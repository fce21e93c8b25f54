package configs

import (
	"fmt"
	"net"
	"time"
)

// Warnings says in one line each which of the settings are legal but may surprise.
func (s *Settings) Warnings() []string {
	var warnings []string
	for _, warning := range []string{s.warnDrain(), s.warnQueue(), s.warnReach(), s.warnAdmin()} {
		if warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return append(warnings, s.warnIdle()...)
}

// pool reports whether requests queue at all.
func (s *Settings) pool() bool { return s.Mode == "pool" }

func (s *Settings) warnDrain() string {
	drain := formatDuration(s.DrainTimeout)
	switch {
	case s.Delay > s.DrainTimeout:
		return fmt.Sprintf("a request works %s (delay): a drain-timeout of %s cuts it off with 503",
			formatDuration(s.Delay), drain)
	case s.pool() && s.Delay+s.QueueTimeout > s.DrainTimeout:
		return fmt.Sprintf("a request may wait %s (queue-timeout) and work %s (delay): a drain-timeout of %s cuts it off with 503",
			formatDuration(s.QueueTimeout), formatDuration(s.Delay), drain)
	}
	return ""
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
		" after %s", s.Queue, formatDuration(wait), s.Workers, formatDuration(s.Delay), formatDuration(s.QueueTimeout))
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

// onlyFor says which mode a setting is for, where it is for one alone.
var onlyFor = map[string]string{
	"workers": "pool", "queue": "pool", "queue-timeout": "pool", "max-threads": "thread",
	"loops": "eventloop", "loop-helpers": "eventloop", "patched": "eventloop",
}

// warnIdle names settings that were chosen, but not for this mode.
func (s *Settings) warnIdle() (warnings []string) {
	for _, setting := range s.table(nil) {
		source := s.Source(setting.Name)
		// A printed file spells out the defaults too: nobody chose those.
		chosen := source.Kind > FromFile || setting.text() != setting.Default
		if mode := onlyFor[setting.Name]; mode != "" && mode != s.Mode && chosen {
			warnings = append(warnings, fmt.Sprintf("%s %s (%s) has no effect in mode %s",
				setting.Name, setting.text(), source, s.Mode))
		}
	}
	return warnings
}

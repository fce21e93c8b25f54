package configs

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"demo-server/units"
)

// Warnings returns a line for each setting of s that is valid but may surprise.
func (c Catalog) Warnings(s *Settings) []string {
	var warnings []string
	for _, warning := range []string{c.warnDrain(s), c.warnQueue(s), s.warnExposed(), s.warnAdmin(), s.warnRead()} {
		if warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return append(warnings, c.warnUnused(s)...)
}

func (c Catalog) warnDrain(s *Settings) string {
	places, _ := c.queuePlaces(s)
	drain := units.FormatDuration(s.DrainTimeout)
	switch {
	case s.Delay > s.DrainTimeout:
		return fmt.Sprintf("a request works %s (delay): a drain-timeout of %s cuts it off with 503",
			units.FormatDuration(s.Delay), drain)
	case places > 0 && s.chosen("queue-timeout", "drain-timeout") && s.Delay+s.QueueTimeout > s.DrainTimeout:
		return fmt.Sprintf("a request may wait %s (queue-timeout) and work %s (delay): a drain-timeout of %s cuts it off with 503",
			units.FormatDuration(s.QueueTimeout), units.FormatDuration(s.Delay), drain)
	}
	return ""
}

// chosen reports whether one of the named settings differs from its default. Defaults need no warning.
func (s *Settings) chosen(names ...string) bool {
	return slices.ContainsFunc(s.table(Catalog{}), func(setting Setting) bool {
		return slices.Contains(names, setting.Name) && setting.text() != setting.Default
	})
}

// warnQueue returns a warning if the last request of a full queue waits longer than it may.
func (c Catalog) warnQueue(s *Settings) string {
	places, unit := c.queuePlaces(s)
	if places == 0 {
		return ""
	}
	rounds := (s.Queue + places - 1) / places
	wait := time.Duration(rounds) * s.Delay
	if wait <= s.QueueTimeout {
		return ""
	}
	return fmt.Sprintf("the tail of a full queue of %d waits %s for %d %ss and a delay of %s: queue-timeout refuses it after %s",
		s.Queue, units.FormatDuration(wait), places, unit, units.FormatDuration(s.Delay), units.FormatDuration(s.QueueTimeout))
}

func (s *Settings) warnExposed() string {
	if isLoopback(s.Host) {
		return ""
	}
	return fmt.Sprintf("host %s: other machines can reach the server", s.Host)
}

func (s *Settings) warnAdmin() string {
	name, _, err := net.SplitHostPort(s.AdminAddr)
	if err != nil || isLoopback(name) || s.AdminToken != "" {
		return ""
	}
	return fmt.Sprintf("admin-addr %s: other machines can reach it, and admin-token is empty: everything but /healthz and"+
		" /readyz will be refused", s.AdminAddr)
}

// warnRead names timeouts that never expire because the one for the whole request is shorter.
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

// warnUnused returns a warning for each setting that was chosen, but that neither the mode nor the work reads.
func (c Catalog) warnUnused(s *Settings) (warnings []string) {
	for _, setting := range s.table(Catalog{}) {
		source := s.Source(setting.Name)
		// A printed file contains the defaults as well, and an empty variable chooses nothing.
		chosen := source.Kind > FromFile && setting.text() != "" || setting.text() != setting.Default
		if why := c.unused(s, setting.Name); chosen && why != "" {
			warnings = append(warnings, fmt.Sprintf("%s %s (%s) has no effect %s", setting.Name, setting.shown(), source, why))
		}
	}
	return warnings
}

// unused returns why a setting has no effect, as "in mode single", or "" if it has one.
func (c Catalog) unused(s *Settings, setting string) string {
	modes, works := readers(c.Modes, setting), readers(c.Works, setting)
	switch {
	case setting == "worker-timeout" && s.Processes == 0:
		return "without processes"
	case modes == nil && works == nil || slices.Contains(modes, s.Mode) || slices.Contains(works, s.Work):
		return ""
	case works == nil:
		return "in mode " + s.Mode
	case modes == nil:
		return "with work " + s.Work + c.unlessRequested(s, works)
	}
	return fmt.Sprintf("in mode %s with work %s%s", s.Mode, s.Work, c.unlessRequested(s, works))
}

// unlessRequested names the given kinds of work that a request may ask for.
func (c Catalog) unlessRequested(s *Settings, works []string) string {
	requested := slices.DeleteFunc(c.Requestable(s), func(kind string) bool { return !slices.Contains(works, kind) })
	if len(requested) == 0 {
		return ""
	}
	return ", except on requests that ask for work " + strings.Join(requested, " or ")
}

package configs

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"demo-server/units"
)

// ownChecks are the checks that need only the settings.
var ownChecks = []Check{
	{"admin-addr", []string{"host", "port"}, (*Settings).adminClash},
	{"delay", []string{"max-delay"}, (*Settings).delayAboveCap},
	{"body", []string{"max-size"}, (*Settings).bodyAboveCap},
	{"worker-timeout", nil, (*Settings).workerTimeoutTooShort},
}

// crossCheck reports values that are valid by themselves, but not together.
func (l *loader) crossCheck(more []Check) {
	for _, check := range slices.Concat(ownChecks, more) {
		if l.wrong[check.Setting] || slices.ContainsFunc(check.DependsOn, func(name string) bool { return l.wrong[name] }) {
			continue
		}
		err := check.Func(l.settings)
		if err == nil {
			continue
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			l.mistakes = append(l.mistakes, Mistake{
				Source: l.settings.Source(check.Setting), Setting: check.Setting, Problem: line,
			})
		}
	}
}

func (s *Settings) adminClash() error {
	name, port, err := net.SplitHostPort(s.AdminAddr)
	if err != nil || s.Port == 0 || !samePort(port, s.Port) || !overlap(name, s.Host) {
		return nil
	}
	return fmt.Errorf("%s is taken by host %s and port %d; want another port", Quote(s.AdminAddr), s.Host, s.Port)
}

func (s *Settings) delayAboveCap() error {
	if s.Delay <= s.MaxDelay {
		return nil
	}
	return fmt.Errorf("%s is above max-delay, which is %s", units.FormatDuration(s.Delay), units.FormatDuration(s.MaxDelay))
}

func (s *Settings) bodyAboveCap() error {
	if int64(len(s.Body)) <= s.MaxSize {
		return nil
	}
	return fmt.Errorf("is %d bytes long; max-size is %s", len(s.Body), units.FormatSize(s.MaxSize))
}

// leastWorkerTimeout is twice the interval at which the supervisor checks its workers.
const leastWorkerTimeout = 2 * time.Second

func (s *Settings) workerTimeoutTooShort() error {
	if s.WorkerTimeout == 0 || s.WorkerTimeout >= leastWorkerTimeout {
		return nil
	}
	return fmt.Errorf("%s is too short, as workers are asked once a second; want 0s, or %s at least",
		units.FormatDuration(s.WorkerTimeout), units.FormatDuration(leastWorkerTimeout))
}

func samePort(text string, port int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n == port
}

// overlap reports whether two listeners on the same port of both hosts would clash.
func overlap(a, b string) bool {
	return loopbackAddress(a) == loopbackAddress(b) || covers(a, b) || covers(b, a)
}

// loopbackAddress returns host, or the address of the name localhost.
func loopbackAddress(host string) string {
	if host == "localhost" {
		return "127.0.0.1"
	}
	return host
}

// covers reports whether all is a wildcard that includes host. 0.0.0.0 includes IPv4 only.
func covers(all, host string) bool {
	if all == "" {
		return true
	}
	wildcard, err := netip.ParseAddr(all)
	if err != nil || !wildcard.IsUnspecified() {
		return false
	}
	address, err := netip.ParseAddr(host)
	return wildcard.Is6() || err != nil || !address.Is6()
}

// isLoopback reports whether only this machine can reach a listener on host.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(loopbackAddress(host))
	return err == nil && address.IsLoopback()
}

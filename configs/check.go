package configs

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// crossCheck finds values that are good each, but not together.
func (l *loader) crossCheck() {
	if l.wrong["host"] || l.wrong["port"] || l.wrong["admin-addr"] {
		return
	}
	s := l.settings
	host, port, err := net.SplitHostPort(s.AdminAddr)
	if err != nil || s.Port == 0 || !samePort(port, s.Port) || !overlap(host, s.Host) {
		return
	}
	l.mistakes = append(l.mistakes, Mistake{
		Source: s.Source("admin-addr"), Setting: "admin-addr", Value: Quote(s.AdminAddr),
		Problem: fmt.Sprintf("is taken by host %s and port %d", s.Host, s.Port), Want: "want another port",
	})
}

func samePort(text string, port int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n == port
}

// overlap reports whether listening on one port of both hosts would clash.
func overlap(a, b string) bool {
	return loopbackAddress(a) == loopbackAddress(b) || covers(a, b) || covers(b, a)
}

// loopbackAddress is host, or what the name localhost stands for.
func loopbackAddress(host string) string {
	if host == "localhost" {
		return "127.0.0.1"
	}
	return host
}

// covers reports whether all is a wildcard that includes host: 0.0.0.0 only stands for all of IPv4.
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

// isLoopback reports whether only this machine reaches a listener on host.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(loopbackAddress(host))
	return err == nil && address.IsLoopback()
}

package service

import (
	"fmt"
	"strings"

	"go.uber.org/zap"

	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/work/kinds"
)

// A greeting announces that the server is ready.
type greeting struct {
	mode     string
	url      string
	bound    string
	work     string
	try      string
	admin    string // URL; empty for no admin listener
	settings *configs.Settings
}

// greetingOf returns the greeting of a server that listens at url.
func greetingOf(settings *configs.Settings, url, admin string) greeting {
	return greeting{
		mode: settings.Mode, url: url, bound: catalog.Describe(settings), work: settings.Work, try: try(settings, url), admin: admin,
		settings: settings,
	}
}

// banner returns the greeting for people, in plain lines of at most 80 columns unless the address is very long.
func (g greeting) banner() string {
	var text strings.Builder
	line := func(label, value string) { fmt.Fprintf(&text, "  %-7s %s\n", label, value) }
	processes := ""
	if n := g.settings.Processes; n > 0 {
		processes = fmt.Sprintf(", --processes=%d", n)
	}
	fmt.Fprintf(&text, "demo-server: mode %s%s, ready on %s\n", g.mode, processes, g.url)
	line("bound", g.bound)
	if g.work != kinds.All[0].Name {
		line("work", g.work)
	}
	line("try", g.try)
	if g.admin != "" {
		line("admin", g.admin)
	}
	line("stop", "Ctrl-C")
	return text.String()
}

// fields returns the greeting for programs.
func (g greeting) fields(address string) []zap.Field {
	fields := []zap.Field{
		zap.String("mode", g.mode), zap.String("address", address), zap.String("bound", g.bound), zap.String("work", g.work),
		zap.Int("max_connections", catalog.MaxConnections(g.settings)), zap.String("try", g.try),
	}
	if g.settings.Processes > 0 {
		fields = append(fields, zap.Int("processes", g.settings.Processes))
	}
	if g.admin != "" {
		fields = append(fields, zap.String("admin", g.admin))
	}
	return fields
}

package main

import (
	"bytes"
	"strings"
	"testing"

	"demo-server/configs"
	"demo-server/internal/obslog"
	"demo-server/internal/testkit"
)

// TestBanner: on a terminal a server greets in plain lines of at most 80 columns, in every mode and with each kind of work.
func TestBanner(t *testing.T) {
	for _, flags := range []string{
		"", "--mode=pool", "--mode=single", "--mode=thread --work=block", "--mode=eventloop --work=block", "--processes=64 --mode=pool",
		"--work=cpu", "--preset=small-pool", "--mode=eventloop --patched=false --loops=16",
	} {
		settings := settingsOf(t, flags)
		text := greetingOf(settings, "http://127.0.0.1:65535/", "http://127.0.0.1:65534/").banner()
		for line := range strings.Lines(text) {
			if len(line) > 81 || strings.ContainsAny(line, "{\x1b") {
				t.Errorf("%q: %d columns: %s", flags, len(line)-1, line)
			}
		}
		if strings.Count(text, "\n") > 7 || !strings.Contains(text, "http://127.0.0.1:65535/") {
			t.Errorf("%q:\n%s", flags, text)
		}
	}
}

// TestGreets: programs get a line of fields, and so does whoever asks for one.
func TestGreets(t *testing.T) {
	for _, row := range []struct {
		level, format string
		terminal      bool
		want          bool
	}{
		{"info", "auto", true, true}, {"info", "console", true, true}, {"info", "json", true, false}, {"warn", "auto", true, false},
		{"info", "auto", false, false}, {"info", "console", false, false},
	} {
		log := obslog.New(row.level, row.format, &bytes.Buffer{}, row.terminal)
		if got := log.Greets(); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
		log.Close()
	}
}

// TestNoColor: a terminal that wants no colors gets none.
func TestNoColor(t *testing.T) {
	for value, colors := range map[string]bool{"": true, "1": false} {
		t.Setenv("NO_COLOR", value)
		var out testkit.Buffer
		log := obslog.New("info", "auto", &out, true)
		log.Logger().Info("hello")
		log.Close()
		if got := strings.Contains(out.String(), "\x1b["); got != colors {
			t.Errorf("NO_COLOR=%q: %q, want colors: %v", value, out.String(), colors)
		}
	}
}

// settingsOf are the settings that flags give.
func settingsOf(t *testing.T, flags string) *configs.Settings {
	t.Helper()
	settings, err := readLine(newParser().Model.Node, strings.Fields("serve "+flags), nil).loadSettings()
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

package service

import (
	"strings"
	"testing"

	"demo-server/configs"
	"demo-server/internal/catalog"
)

// TestBanner checks that the banner has plain lines of at most 80 columns, in every mode and with each kind of work.
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

// settingsOf returns the settings for flags of the form --name=value.
func settingsOf(t *testing.T, flags string) *configs.Settings {
	t.Helper()
	in := configs.Inputs{Catalog: catalog.Configs()}
	for flag := range strings.FieldsSeq(flags) {
		name, value, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		in.Flags = append(in.Flags, configs.Flag{Name: name, Value: value})
	}
	settings, err := configs.Load(in)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

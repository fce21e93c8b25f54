package configs

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzFile checks that no file makes Load panic, and that printing a valid one gives the same settings again.
func FuzzFile(f *testing.F) {
	for _, name := range presetNames() {
		f.Add(readPreset(name))
	}
	for _, yaml := range []string{"", "{}", "mode: [", "body: |+\n  a\n\n", "a: &a [*a]", "? x", "---\n---", "body: \"\\x00\"", "mode: pool\nmode: x"} {
		f.Add([]byte(yaml))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(string) ([]byte, error) { return data, nil }
		settings, err := Load(Inputs{Catalog: catalog, Flags: flags("config=f"), ReadFile: read})
		if err != nil {
			oneLineEach(t, err)
			return
		}
		catalog.Warnings(settings)
		roundTrip(t, settings)
	})
}

// FuzzValue does the same for the value of each setting.
func FuzzValue(f *testing.F) {
	settings := catalog.Table()
	for i := range settings {
		for _, text := range []string{"", "0", "1", "2s", "4KiB", "-1", "auto", "[::1]:9000", "a # b", "99999999999999999999", settings[i].Default} {
			f.Add(uint(i), text)
		}
	}
	f.Fuzz(func(t *testing.T, row uint, text string) {
		setting := settings[row%uint(len(settings))]
		if setting.Selector {
			return
		}
		loaded, err := Load(Inputs{Catalog: catalog, Flags: []Flag{{setting.Name, text}}})
		if err != nil {
			oneLineEach(t, err)
			return
		}
		roundTrip(t, loaded)
	})
}

// oneLineEach checks that an error is Mistakes, with one line each.
func oneLineEach(t *testing.T, err error) {
	t.Helper()
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) == 0 {
		t.Fatalf("%T is not Mistakes: %v", err, err)
	}
	for _, mistake := range mistakes {
		line := mistake.String()
		if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("mistake is not one line of text: %q", line)
		}
	}
}

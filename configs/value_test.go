package configs

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each case has a text, and the text that the value prints for it, or its problem.
func TestValues(t *testing.T) {
	cases := []struct{ setting, given, want string }{
		{"delay", "0", "0s"},
		{"delay", "60s", "1m"},
		{"delay", "0.5s", "500ms"},
		{"delay", "601s", "is too high"},
		{"delay", "2.5", "has no unit"},
		{"delay", "-1", "is not a duration"},
		{"delay", "2 s", "is not a duration"},
		{"delay", "", "is not a duration"},
		{"delay", "9999999h", "is not a duration"},
		{"read-timeout", "1ns", "1ns"},
		{"read-timeout", "0", "is too low"},
		{"read-timeout", "1h0m0s", "1h"},
		{"read-timeout", "1h0m1s", "is too high"},
		{"workers", "007", "7"},
		{"workers", "1e3", "is not a whole number"},
		{"workers", "-99999999999999999999", "is too low"},
		{"max-body-bytes", "0", "0"},
		{"max-body-bytes", "0KiB", "0"},
		{"max-body-bytes", "1025", "1025"},
		{"max-body-bytes", "2048", "2KiB"},
		{"max-body-bytes", "1024MiB", "1GiB"},
		{"max-body-bytes", "-1", "is not a size"},
		{"max-body-bytes", "1.5MiB", "is not a size"},
		{"max-body-bytes", "KiB", "is not a size"},
		{"max-body-bytes", "9999999999GiB", "is too high"},
		{"max-body-bytes", "99999999999999999999", "is too high"},
		{"host", "localhost", "localhost"},
		{"host", "::1", "::1"},
		{"host", "", "is not a host"},
		{"host", "[::1]", "is not a host"},
		{"host", "127.0.0.1:80", "is not a host"},
		{"host", "a b", "is not a host"},
		{"admin-addr", "auto", "auto"},
		{"admin-addr", "", ""},
		{"admin-addr", "9000", "127.0.0.1:9000"},
		{"admin-addr", ":9000", ":9000"},
		{"admin-addr", "[::1]:9000", "[::1]:9000"},
		{"admin-addr", "localhost:0", "localhost:0"},
		{"admin-addr", "localhost", "is not an address"},
		{"admin-addr", "localhost:http", "is not an address"},
		{"admin-addr", "localhost:70000", "is not an address"},
		{"admin-addr", "::1:9000", "is not an address"},
		{"admin-token", "s3cret", "s3cret"},
		{"admin-token", "é", "cannot be sent in a header"},
		{"flight-recorder", "true", "true"},
		{"flight-recorder", "1", "is neither true nor false"},
		{"on-disconnect", "Cancel", "is not known"},
		{"body", string(make([]byte, 10<<20+1)), "is 10485761 bytes long"},
	}
	for _, c := range cases {
		t.Run(c.setting+" "+c.given[:min(len(c.given), 20)], func(t *testing.T) {
			setting := newLoader(catalog).byName[c.setting]
			var got string
			if problem := setting.set(c.given); problem != nil {
				got = problem.what
			} else {
				got = setting.text()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"goroutine", "pool", "single", "fasthttp"}
	for name, want := range map[string]string{
		"pol": "pool", "POOL": "pool", "gorutine": "goroutine", "fasthtpp": "fasthttp", "threads": "", "": "", "x": "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("nearest to %q is %q, want %q", name, got, want)
		}
	}
}

func TestQuoteIsShort(t *testing.T) {
	for given, want := range map[string]string{
		"":                  `""`,
		"a\nb":              `"a\nb"`,
		string60("é"):       `"` + string60("é") + `"`,
		string60("é") + "x": `"` + string60("é") + `"…`,
	} {
		if got := Quote(given); got != want {
			t.Errorf("Quote(%q) = %s, want %s", given, got, want)
		}
	}
}

func string60(s string) (long string) {
	for range 60 {
		long += s
	}
	return long
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s := load(t, Inputs{Flags: []Flag{{"admin-token", "s3cret"}}})
	if s.AdminToken != "s3cret" {
		t.Fatal("the token is lost")
	}
	text, _ := s.AdminToken.MarshalText()
	got := fmt.Sprintf("%v %s %q %#v %x %s", s.AdminToken, s.AdminToken, s.AdminToken, s.AdminToken, s.AdminToken, text)
	const want = `(redacted) (redacted) "(redacted)" (redacted) 28726564616374656429 (redacted)`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAdminAddress(t *testing.T) {
	cases := []struct {
		port    int
		addr    string
		want    string
		derived bool
	}{
		{7779, AdminAuto, "127.0.0.1:7780", true},
		{0, AdminAuto, "127.0.0.1:0", true},
		{65535, AdminAuto, "127.0.0.1:0", true},
		{7779, "", "", false},
		{7779, "[::1]:9000", "[::1]:9000", false},
	}
	for _, c := range cases {
		got, derived := (&Settings{Port: c.port, AdminAddr: c.addr}).AdminAddress()
		if got != c.want || derived != c.derived {
			t.Errorf("port %d, %q: got %q, %v, want %q, %v", c.port, c.addr, got, derived, c.want, c.derived)
		}
	}
}

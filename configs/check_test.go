package configs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flags turns "name=value" words into flags.
func flags(words ...string) (flags []Flag) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		flags = append(flags, Flag{name, value})
	}
	return flags
}

func TestAdminClash(t *testing.T) {
	cases := []struct {
		host, admin string
		clash       bool
	}{
		{"127.0.0.1", "127.0.0.1:7779", true},
		{"127.0.0.1", "7779", true},
		{"127.0.0.1", "localhost:07779", true},
		{"127.0.0.1", ":7779", true},
		{"127.0.0.1", "0.0.0.0:7779", true},
		{"0.0.0.0", "127.0.0.1:7779", true},
		{"::", "127.0.0.1:7779", true},
		{"0.0.0.0", "server.example:7779", true},
		{"0.0.0.0", "[::1]:7779", false},
		{"127.0.0.1", "127.0.0.2:7779", false},
		{"127.0.0.1", "127.0.0.1:7780", false},
		{"127.0.0.1", "", false},
	}
	for _, c := range cases {
		t.Run(c.host+" "+c.admin, func(t *testing.T) {
			_, err := Load(Inputs{Catalog: catalog, Flags: flags("host="+c.host, "admin-addr="+c.admin)})
			if (err != nil) != c.clash {
				t.Errorf("got %v, want a clash: %v", err, c.clash)
			}
		})
	}
	_, err := Load(Inputs{Catalog: catalog, Flags: flags("admin-addr=7779")})
	const want = `flag --admin-addr: "127.0.0.1:7779" is taken by host 127.0.0.1 and port 7779; want another port`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
	load(t, Inputs{Flags: flags("port=0", "admin-addr=127.0.0.1:0")})
}

// TestChecks checks values that are valid by themselves, but not together.
func TestChecks(t *testing.T) {
	noMutex := Check{"fault", []string{"work", "slots"}, func(s *Settings) error {
		if s.Work != "mutex" {
			return nil
		}
		return errors.New("one thing\nand another")
	}}
	for _, c := range []struct {
		name  string
		flags []Flag
		want  string
	}{
		{"delay", flags("delay=61s"), "flag --delay: 1m1s is above max-delay, which is 1m"},
		{"delay under a higher cap", flags("delay=61s", "max-delay=2m"), ""},
		{"delay above a lower cap", flags("max-delay=1s"), "default: delay: 2s is above max-delay, which is 1s"},
		{"body", flags("max-size=3", "body=four"), "flag --body: is 4 bytes long; max-size is 3"},
		{"a worker timeout", flags("worker-timeout=2s"), ""},
		{"no worker timeout", flags("worker-timeout=0s"), ""},
		{"a short worker timeout", flags("worker-timeout=1999ms"),
			"flag --worker-timeout: 1.999s is too short, as workers are asked once a second; want 0s, or 2s at least"},
		{"a cap that is wrong is no cap", flags("delay=61s", "max-delay=x"),
			`flag --max-delay: "x" is not a duration; want a duration from 0s to 10m, such as 2s or 300ms`},
		{"a check of the caller's, a line for each mistake", flags("work=mutex", "fault=x"),
			"flag --fault: one thing\nflag --fault: and another"},
		{"which is not made of what is wrong", flags("work=mutex", "slots=0"),
			`flag --slots: "0" is too low; want a whole number from 1 to 1000000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, checked := "", catalog
			checked.Checks = []Check{noMutex}
			if _, err := Load(Inputs{Catalog: checked, Flags: c.flags}); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := Load(Inputs{Catalog: catalog, Flags: flags("delay=61s"), Partial: true}); err != nil {
		t.Errorf("held against settings that are to come: %v", err)
	}
}

// TestRequestable checks that a request may ask for work with side effects only if it is the server's own.
func TestRequestable(t *testing.T) {
	for _, c := range []struct {
		flags []Flag
		want  []string
	}{
		{nil, []string{"sleep", "block", "cpu", "mutex"}},
		{flags("work=sql"), []string{"sleep", "block", "cpu", "mutex", "sql"}},
		{flags("work=sql", "overrides=false"), nil},
		{flags("work=file", "overrides=false", "fault=work=cpu:1"), []string{"sleep", "block", "cpu", "mutex", "file"}},
	} {
		if diff := cmp.Diff(c.want, catalog.Requestable(load(t, Inputs{Flags: c.flags}))); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.flags, diff)
		}
	}
}

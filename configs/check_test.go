package configs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flags makes flags of "name=value" words.
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
			_, err := Load(Inputs{Modes: modes, Flags: flags("host="+c.host, "admin-addr="+c.admin)})
			if (err != nil) != c.clash {
				t.Errorf("got %v, want a clash: %v", err, c.clash)
			}
		})
	}
	_, err := Load(Inputs{Modes: modes, Flags: flags("admin-addr=7779")})
	const want = `flag --admin-addr: "127.0.0.1:7779" is taken by host 127.0.0.1 and port 7779; want another port`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
	load(t, Inputs{Flags: flags("port=0", "admin-addr=127.0.0.1:0")})
}

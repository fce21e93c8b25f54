package benchspec

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench"
	"demo-server/configs"
	"demo-server/internal/catalog"
	"demo-server/modes"
)

// testInput is a command line without flags in an empty environment.
type testInput struct{}

func (testInput) Given(string) string          { return "" }
func (testInput) Wrong(string) bool            { return false }
func (testInput) SettingFlags() []configs.Flag { return nil }
func (testInput) Environ() []string            { return nil }
func (testInput) Settings(more ...configs.Flag) (*configs.Settings, error) {
	return configs.Load(configs.Inputs{Flags: more, Catalog: catalog.Configs()})
}

// TestLooksUpOnce checks that the load goes to the addresses that were checked, even if the next lookup returns others.
func TestLooksUpOnce(t *testing.T) {
	cases := []struct {
		name       string
		addresses  []string
		remote     bool
		wrong      string
		wantLoaded []string
	}{
		{"this machine", []string{"127.0.0.1"}, false, "", []string{"127.0.0.1:80"}},
		{"both protocols", []string{"::1", "127.8.9.1", "::ffff:127.0.0.1"}, false, "", []string{"[::1]:80", "127.8.9.1:80", "127.0.0.1:80"}},
		{"another", []string{"192.0.2.1"}, false, "192.0.2.1 is not this machine; --allow-remote puts load on it where you may", nil},
		{"both", []string{"127.0.0.1", "192.0.2.1"}, false,
			`"rebind.test" has addresses of this machine and of others (192.0.2.1); give the one that is meant`, nil},
		{"any", []string{"0.0.0.0"}, false, "0.0.0.0 is not this machine; --allow-remote puts load on it where you may", nil},
		{"another, allowed", []string{"192.0.2.1"}, true, "", []string{"192.0.2.1:80"}},
		{"none", nil, true, `the name "rebind.test" is not known: no such host`, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lookups := 0
			t.Cleanup(func() { lookup = net.DefaultResolver.LookupNetIP })
			lookup = func(context.Context, string, string) (found []netip.Addr, err error) {
				if lookups++; c.addresses == nil || lookups > 1 {
					return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
				}
				for _, address := range c.addresses {
					found = append(found, netip.MustParseAddr(address))
				}
				return found, nil
			}
			r := Run{
				Rows: Rows{Modes: ModeList{"single"}, AllowRemote: c.remote, Against: make([]ExternalServer, 1)},
				Load: Load{Concurrency: 1, Duration: 10 * time.Second, With: bench.Builtin},
			}
			if err := r.Against[0].UnmarshalText([]byte("mine=http://rebind.test/")); err != nil {
				t.Fatal(err)
			}
			errs := r.Check(testInput{}, false)
			var want, wrong, got []string
			for _, err := range errs {
				wrong = append(wrong, err.Error())
			}
			if c.wrong != "" {
				want = []string{`flag --against "mine=http://rebind.test/": ` + c.wrong}
			}
			if diff := cmp.Diff(want, wrong); diff != "" {
				t.Error(diff)
			}
			if c.wrong != "" {
				return
			}
			rows, err := r.rows(testInput{})
			if err != nil {
				t.Fatal(err)
			}
			for _, address := range rows[1].Addresses {
				got = append(got, address.String())
			}
			if diff := cmp.Diff(c.wantLoaded, got); diff != "" || lookups != 1 {
				t.Errorf("%d lookups, want 1\n%s", lookups, diff)
			}
		})
	}
}

// "all" skips a mode that this system cannot run, but naming it is a mistake.
func TestPickModes(t *testing.T) {
	all := []modes.Mode{
		{Name: "pool", Supported: func() error { return nil }},
		{Name: "single", Supported: func() error { return errors.New("it needs ppoll") }},
	}
	for _, c := range []struct {
		text, wrong string
		want        []string
	}{
		{"all", "", []string{"pool"}},
		{"pool", "", []string{"pool"}},
		{"pool,single", "single cannot run here: it needs ppoll", []string{"pool", "single"}},
	} {
		got, err := pickModes(c.text, all)
		wrong := ""
		if err != nil {
			wrong = err.Error()
		}
		if diff := cmp.Diff(c.want, got); diff != "" || wrong != c.wrong {
			t.Errorf("%s: %q, want %q\n%s", c.text, wrong, c.wrong, diff)
		}
	}
}

func TestMargin(t *testing.T) {
	for text, want := range map[string]Margin{
		"2%": 0.02, "0.02": 0.02, "0.1%": 0.001, "50%": 0.5, "0.5": 0.5,
		"2": 0, "0": 0, "0.09%": 0, "51%": 0, "NaN": 0, "-2%": 0, "%": 0, "2%%": 0, "": 0,
	} {
		var got Margin
		err := got.UnmarshalText([]byte(text))
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %g, %v; want %g", text, got, err, want)
		}
	}
}

func TestRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"50": 50, "0.1": 0.1, "1e6": 1_000_000,
		"0.001": 0.001, "0.0009": 0, "1e-300": 0, "0": 0, "-1": 0, "1000001": 0, "Inf": 0, "NaN": 0, "50/s": 0, "": 0,
	} {
		var got Rate
		err := got.UnmarshalText([]byte(text))
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %g, %v; want %g", text, got, err, want)
		}
	}
}

// TestRowWithSecret checks that rows refuse secrets, because their names contain their settings.
func TestRowWithSecret(t *testing.T) {
	var v Variant
	if err := v.UnmarshalText([]byte("pool:dsn=postgres://me:hush@127.0.0.1/demo")); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v, want an error without the password", err)
	}
}

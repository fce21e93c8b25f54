package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench"
	"demo-server/bench/result"
	"demo-server/modes"
)

// benchOf reads the flags of bench as the command does.
func benchOf(t *testing.T, environ []string, flags ...string) (*benchRunCommand, *line) {
	t.Helper()
	parser := newParser()
	l := readLine(parser.Model.Node, append([]string{"bench"}, flags...), environ)
	if _, err := parser.Parse(l.words()); err != nil {
		t.Fatal(err)
	}
	b := target(l.command).(*benchRunCommand)
	b.check(l)
	if l.mistakes != nil {
		t.Fatal(l.mistakes)
	}
	return b, l
}

// Which rows run, and what they are called.
func TestBenchNames(t *testing.T) {
	mine := "--against=mine=http://127.0.0.1:8080/"
	for _, c := range []struct{ flags, want []string }{
		{nil, modes.Names()},
		{[]string{"--modes=all"}, modes.Names()},
		{[]string{"--modes=pool,single"}, []string{"pool", "single"}},
		{[]string{"--modes=pool,pool"}, []string{"pool", "pool#2"}},
		{[]string{"--modes=pool", "--modes=single"}, []string{"single"}},
		{[]string{"--row=pool"}, []string{"pool"}},
		{[]string{"--row=pool:workers=50"}, []string{"pool(50)"}},
		{[]string{"--row=pool:queue=5,workers=10"}, []string{"pool(queue=5,workers=10)"}},
		{[]string{"--row=pool:queue=5"}, []string{"pool(queue=5)"}},
		{[]string{"--row=goroutine:workers=50"}, []string{"goroutine(workers=50)"}},
		{[]string{"--row=pool:workers=5", "--row=pool:workers=5", "--row", "pool:workers=5"},
			[]string{"pool(5)", "pool(5)#2", "pool(5)#3"}},
		{[]string{"--row=pool", "--modes=single,pool", mine}, []string{"single", "pool", "pool#2", "mine"}},
		{[]string{"--row=pool", mine}, []string{"pool", "mine"}},
		{[]string{mine}, append(modes.Names(), "mine")},
		{[]string{"--modes=pool,single", "--work=cpu"}, []string{"pool", "single"}},
		{[]string{"--modes=pool,single", "--work=cpu,sleep", mine},
			[]string{"pool × cpu", "single × cpu", "pool × sleep", "single × sleep", "mine"}},
		{[]string{"--modes=pool,pool", "--row=pool:workers=5", "--work=cpu,sleep"}, []string{
			"pool × cpu", "pool#2 × cpu", "pool(5) × cpu", "pool × sleep", "pool#2 × sleep", "pool(5) × sleep"}},
		{[]string{"--modes=pool", "--row=pool:work=mutex", "--work=cpu,sleep"},
			[]string{"pool × cpu", "pool(work=mutex) × mutex", "pool × sleep"}},
		{[]string{"--modes=pool", "--work=all"}, []string{
			"pool × sleep", "pool × block", "pool × cpu", "pool × mutex", "pool × file", "pool × http", "pool × grpc"}},
		{[]string{"--modes=pool", "--work=all", "--dsn=postgres://127.0.0.1/demo"}, []string{
			"pool × sleep", "pool × block", "pool × cpu", "pool × mutex", "pool × file", "pool × http", "pool × sql", "pool × grpc"}},
	} {
		b, l := benchOf(t, nil, c.flags...)
		rows, err := b.rows(l)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range rows {
			got = append(got, row.Name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v:\n%s", c.flags, diff)
		}
	}
}

// A row knows what bounds its server, and has the flags that make it so.
func TestBenchRows(t *testing.T) {
	about, choose := map[string]string{}, map[string]string{}
	for _, mode := range modes.All(modes.Options{}) {
		about[mode.Name], choose[mode.Name] = mode.Summary, mode.Choose
	}
	preset := []string{"DEMO_SERVER_PRESET=small-pool", "DEMO_SERVER_MODE=pool", "DEMO_SERVER_ADMIN_TOKEN=s3cret"}
	none := map[string]string{}
	cases := []struct {
		name    string
		environ []string
		flags   []string
		want    bench.Row
	}{
		{
			name: "no bound", flags: []string{"--modes=goroutine", "--delay=1s", "--body=hi"},
			want: bench.Row{
				Name: "goroutine", Mode: "goroutine", Args: []string{"--delay=1s", "--body=hi"}, Settings: none,
				Delay: time.Second, Body: "hi", Queue: -1,
			},
		},
		{
			name: "one at a time", flags: []string{"--modes=single"},
			want: bench.Row{
				Name: "single", Mode: "single", Settings: none,
				Delay: 2 * time.Second, Body: "Hello World", Places: 1, Bound: "1 at a time / 2s", Queue: -1,
			},
		},
		{
			name: "its own settings after those of all", flags: []string{"--workers=7", "--row=pool:workers=50,delay=3s"},
			want: bench.Row{
				Name: "pool(workers=50,delay=3s)", Mode: "pool", Args: []string{"--workers=7", "--workers=50", "--delay=3s"},
				Settings: map[string]string{"workers": "50", "delay": "3s"},
				Delay:    3 * time.Second, Body: "Hello World", Places: 50, Bound: "50 workers / 3s", Queue: 1024,
				QueueTimeout: 30 * time.Second,
			},
		},
		{
			// The child reads the environment itself: what it says is no flag. A secret that it has no use for it does not get.
			name: "environment", environ: append(preset, "DEMO_SERVER_DSN=postgres://hush@127.0.0.1/", "PGPASSWORD=hush", "HOME=/"), flags: []string{"--row=pool:workers=1", "--delay=0s"},
			want: bench.Row{
				Name: "pool(1)", Mode: "pool", Args: []string{"--delay=0s", "--workers=1"},
				Environ:  preset[:2],
				Settings: map[string]string{"workers": "1"}, Body: "Hello World", Places: 1, Bound: "1 worker", Queue: 20,
				QueueTimeout: 5 * time.Second,
			},
		},
		{
			// Flags are for all to read, so that a secret is none.
			name: "a secret that it needs", environ: []string{"DEMO_SERVER_DSN=postgres://old@127.0.0.1/", "PGPASSWORD=hush"},
			flags: []string{"--modes=goroutine", "--dsn=postgres://me:hush@127.0.0.1/", "--work=sql", "--pool-size=3"},
			want: bench.Row{
				Name: "goroutine", Mode: "goroutine", Work: "sql", Args: []string{"--pool-size=3", "--work=sql"},
				Environ:  []string{"PGPASSWORD=hush", "DEMO_SERVER_DSN=postgres://me:hush@127.0.0.1/"},
				Settings: map[string]string{"work": "sql"}, Delay: 2 * time.Second, Body: "Hello World", Slots: 3,
				Bound: "3 connections / 2s", Queue: -1,
			},
		},
		{
			name: "a preset of its own", flags: []string{"--row=goroutine:preset=throughput"},
			want: bench.Row{
				Name: "goroutine(preset=throughput)", Mode: "goroutine", Args: []string{"--preset=throughput"},
				Settings: map[string]string{"preset": "throughput"}, Body: "Hello World", Queue: -1,
			},
		},
		{
			name: "port", flags: []string{"--modes=goroutine", "--port=8080"},
			want: bench.Row{
				Name: "goroutine", Mode: "goroutine", Args: []string{"--port=8080"}, Settings: none,
				Delay: 2 * time.Second, Body: "Hello World", Queue: -1,
			},
		},
		{
			name: "the work is the bound", flags: []string{"--row=pool:workers=12,queue=5,queue-timeout=1s", "--work=mutex", "--slots=3", "--delay=2s"},
			want: bench.Row{
				Name: "pool(workers=12,queue=5,queue-timeout=1s)", Mode: "pool", Work: "mutex",
				Args:     []string{"--slots=3", "--delay=2s", "--workers=12", "--queue=5", "--queue-timeout=1s", "--work=mutex"},
				Settings: map[string]string{"workers": "12", "queue": "5", "queue-timeout": "1s", "work": "mutex"},
				Delay:    2 * time.Second, Body: "Hello World", Places: 12, Slots: 3, Bound: "3 slots / 2s", Queue: 5, QueueTimeout: time.Second,
			},
		},
		{
			name: "the mode is the bound", flags: []string{"--modes=single", "--work=http"},
			want: bench.Row{
				Name: "single", Mode: "single", Work: "http", Args: []string{"--work=http"}, Settings: map[string]string{"work": "http"},
				Delay: 2 * time.Second, Body: "Hello World", Places: 1, Slots: 10, Bound: "1 at a time / 2s", Queue: -1,
			},
		},
		{
			name: "the helpers are the bound", flags: []string{"--modes=eventloop", "--work=block"},
			want: bench.Row{
				Name: "eventloop", Mode: "eventloop", Work: "block", Args: []string{"--work=block"}, Settings: map[string]string{"work": "block"},
				Delay: 2 * time.Second, Body: "Hello World", Places: 8, Slots: 1000, Bound: "8 helpers / 2s", Queue: 1024, QueueTimeout: 30 * time.Second,
			},
		},
		{
			name: "the pools of several processes", flags: []string{"--modes=goroutine", "--work=http", "--pool-size=5", "--processes=2"},
			want: bench.Row{
				Name: "goroutine", Mode: "goroutine", Work: "http", Args: []string{"--pool-size=5", "--processes=2", "--work=http"},
				Settings: map[string]string{"work": "http"},
				Delay:    2 * time.Second, Body: "Hello World", Slots: 10, Bound: "2 × 5 connections / 2s", Queue: -1,
				Processes: 2,
			},
		},
		{
			name: "what theory knows nothing of", flags: []string{"--modes=goroutine", "--fault=status=503:20"},
			want: bench.Row{
				Name: "goroutine", Mode: "goroutine", Work: "sleep", Args: []string{"--fault=status=503:20"}, Settings: map[string]string{},
				Delay: 2 * time.Second, Body: "Hello World", Queue: -1, Fault: "status=503:20",
			},
		},
		{
			name: "cores are shared", flags: []string{"--modes=thread", "--work=cpu"},
			want: bench.Row{
				Name: "thread", Mode: "thread", Work: "cpu", Args: []string{"--work=cpu"}, Settings: map[string]string{"work": "cpu"},
				Delay: 2 * time.Second, Body: "Hello World", Places: 1000, Cores: cores(nil).places, Most: 1000, WhyMost: "it refuses more at a time",
				Bound: counted("core", cores(nil).places) + " / 2s",
			},
		},
		{
			name: "article", environ: []string{"DEMO_SERVER_DELAY=5s"}, flags: []string{"--modes=goroutine", "--article"},
			want: bench.Row{
				Name: "goroutine", Mode: "goroutine", Args: []string{"--delay=2s"}, Environ: []string{"DEMO_SERVER_DELAY=5s"}, Settings: none,
				Delay: 2 * time.Second, Body: "Hello World", Queue: -1,
			},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, l := benchOf(t, c.environ, c.flags...)
			rows, err := b.rows(l)
			if err != nil {
				t.Fatal(err)
			}
			c.want.Kind, c.want.Known, c.want.About = result.KindMode, true, about[c.want.Mode]
			c.want.When, c.want.Work = choose[c.want.Mode], orSleep(c.want.Work)
			if diff := cmp.Diff([]bench.Row{c.want}, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func orSleep(work string) string {
	if work == "" {
		return "sleep"
	}
	return work
}

// Of a server that is running already nothing is known.
func TestBenchAgainst(t *testing.T) {
	mine, six := "http://127.0.0.1:8080/a?b=c", "http://[::1]"
	b, l := benchOf(t, nil, "--modes=single", "--against=mine="+mine, "--against=6="+six)
	rows, err := b.rows(l)
	if err != nil {
		t.Fatal(err)
	}
	want := []bench.Row{
		{Name: "mine", Kind: result.KindAgainst, About: "a server at " + mine, URL: mine,
			Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8080")}},
		{Name: "6", Kind: result.KindAgainst, About: "a server at " + six, URL: six,
			Addresses: []netip.AddrPort{netip.MustParseAddrPort("[::1]:80")}},
	}
	if diff := cmp.Diff(want, rows[1:], cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// TestBenchLooksUpOnce: the addresses that were checked are those that get the load, even if the name has others a moment
// later.
func TestBenchLooksUpOnce(t *testing.T) {
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
			flags := []string{"bench", "--modes=single", "--against=mine=http://rebind.test/", fmt.Sprintf("--allow-remote=%t", c.remote)}
			parser := newParser()
			l := readLine(parser.Model.Node, flags, nil)
			if _, err := parser.Parse(l.words()); err != nil {
				t.Fatal(err)
			}
			b := target(l.command).(*benchRunCommand)
			b.check(l)
			var want, got []string
			if c.wrong != "" {
				want = []string{`flag --against "mine=http://rebind.test/": ` + c.wrong}
			}
			if diff := cmp.Diff(want, l.mistakes); diff != "" {
				t.Error(diff)
			}
			if c.wrong != "" {
				return
			}
			rows, err := b.rows(l)
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

// Some flags change what others mean.
func TestBenchConfig(t *testing.T) {
	usual := bench.Config{
		Generator: bench.Builtin, Concurrency: 100, Duration: 10 * time.Second, Repeat: 6, Budget: time.Minute,
		Seed: 1, Margin: 0.02,
	}
	with := func(change func(*bench.Config)) bench.Config {
		config := usual
		change(&config)
		return config
	}
	cases := []struct {
		flags []string
		want  bench.Config
	}{
		{nil, usual},
		{[]string{"-c", "7", "-z=1m"}, with(func(c *bench.Config) { c.Concurrency, c.Duration = 7, time.Minute })},
		{[]string{"-n=7"}, with(func(c *bench.Config) { c.Requests, c.Duration = 7, 0 })},
		{[]string{"-n=0"}, usual},
		{[]string{"--rate=0.5"}, with(func(c *bench.Config) {
			c.Rate, c.Concurrency = 0.5, min(mostConnections(), 100_000)
		})},
		{[]string{"--rate=5", "-c=7"}, with(func(c *bench.Config) { c.Rate, c.Concurrency = 5, 7 })},
		{[]string{"--with=wrk"}, with(func(c *bench.Config) { c.Generator, c.Keepalive = bench.WRK, true })},
		{[]string{"--with=ab", "-n=100", "--keepalive"}, with(func(c *bench.Config) {
			c.Generator, c.Requests, c.Duration, c.Keepalive = bench.AB, 100, 0, true
		})},
		{[]string{"--same-body"}, with(func(c *bench.Config) { c.SameBody = true })},
		{[]string{"--article"}, with(func(c *bench.Config) {
			c.Requests, c.Duration, c.Repeat, c.Budget, c.Reasonable = 5000, 0, 1, 10*time.Minute, 10*time.Minute
		})},
		{[]string{"--article", "--repeat=3", "--budget=5m", "--with=ab"}, with(func(c *bench.Config) {
			c.Generator, c.Requests, c.Duration, c.Repeat = bench.AB, 5000, 0, 3
			c.Budget, c.Reasonable = 5*time.Minute, 10*time.Minute
		})},
		{[]string{"--timeout=3s", "--warmup=1s", "--seed=0", "--margin=0.05"}, with(func(c *bench.Config) {
			c.Timeout, c.Warmup, c.Seed, c.Margin = 3*time.Second, time.Second, 0, 0.05
		})},
	}
	for _, c := range cases {
		b, l := benchOf(t, nil, append(c.flags, "--modes=single")...)
		got, err := b.config(l)
		if err != nil {
			t.Fatal(err)
		}
		if got.Binary == "" || got.Version == "" || len(got.Rows) != 1 || got.Command[0] != program || got.Command[1] != "bench" {
			t.Errorf("%v: incomplete: %+v", c.flags, got)
		}
		got.Binary, got.Version, got.Rows, got.Command = "", "", nil, nil
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v:\n%s", c.flags, diff)
		}
	}
}

// A mode that this system cannot run is left out of all, but a mistake where it is named.
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
	for text, want := range map[string]margin{
		"2%": 0.02, "0.02": 0.02, "0.1%": 0.001, "50%": 0.5, "0.5": 0.5,
		"2": 0, "0": 0, "0.09%": 0, "51%": 0, "NaN": 0, "-2%": 0, "%": 0, "2%%": 0, "": 0,
	} {
		var got margin
		err := got.UnmarshalText([]byte(text))
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %g, %v; want %g", text, got, err, want)
		}
	}
}

func TestRate(t *testing.T) {
	for text, want := range map[string]rate{
		"50": 50, "0.1": 0.1, "1e6": 1_000_000,
		"0.001": 0.001, "0.0009": 0, "1e-300": 0, "0": 0, "-1": 0, "1000001": 0, "Inf": 0, "NaN": 0, "50/s": 0, "": 0,
	} {
		var got rate
		err := got.UnmarshalText([]byte(text))
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %g, %v; want %g", text, got, err, want)
		}
	}
}

// TestBenchKeepsSecrets: the command line is kept in the result, and a row's settings are its name.
func TestBenchKeepsSecrets(t *testing.T) {
	_, l := benchOf(t, nil, "--modes=pool", "--dsn=postgres://me:hush@127.0.0.1/demo", "--work=sql", "--dsn", "postgres://me:hush@127.0.0.1/demo")
	want := []string{"demo-server", "bench", "--modes=pool", "--dsn=(redacted)", "--work=sql", "--dsn", "(redacted)"}
	if diff := cmp.Diff(want, l.whole()); diff != "" {
		t.Error(diff)
	}
	var v variant
	if err := v.UnmarshalText([]byte("pool:dsn=postgres://me:hush@127.0.0.1/demo")); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v, want an error without the password", err)
	}
}

// TestForgetSettings: all that bench starts inherits what is left.
func TestForgetSettings(t *testing.T) {
	for _, name := range []string{"DEMO_SERVER_DSN", "DEMO_SERVER_ADMIN_TOKEN", "PGPASSWORD", "NOTIFY_SOCKET", "LISTEN_FDS", "OTHER"} {
		t.Setenv(name, "hush")
	}
	forgetSettings()
	var kept []string
	for _, variable := range os.Environ() {
		if strings.HasSuffix(variable, "=hush") {
			kept = append(kept, variable)
		}
	}
	if diff := cmp.Diff([]string{"OTHER=hush"}, kept); diff != "" {
		t.Error(diff)
	}
}

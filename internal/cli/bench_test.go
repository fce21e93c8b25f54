package cli

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"demo-server/bench"
	"demo-server/bench/result"
	"demo-server/configs"
	"demo-server/cores"
	"demo-server/internal/benchspec"
	"demo-server/internal/catalog"
	"demo-server/modes"
	"demo-server/units"
	"demo-server/work/kinds"
)

// benchOf parses the flags of bench as the command does.
func benchOf(t *testing.T, environ []string, flags ...string) (*benchspec.Run, *commandLine) {
	t.Helper()
	run := new(benchspec.Run)
	c := newBenchOf(run)
	c.run = func(*streams, *configs.Settings, *commandLine) error { return nil }
	l := newCommandLine(flags, environ)
	command := c.build(l, &streams{})
	command.SetArgs(l.args)
	command.SilenceErrors, command.SilenceUsage = true, true
	if err := command.Execute(); err != nil {
		t.Fatal(err)
	}
	return run, l
}

// TestBenchNames checks which rows run, and their names.
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
		{[]string{"mine=http://127.0.0.1:8080/"}, append(modes.Names(), "mine")},
		{[]string{"--modes=pool", "http://127.0.0.1:8080"}, []string{"pool", "127.0.0.1:8080"}},
		{[]string{"http://127.0.0.1/?a=b", "--modes=pool", "http://[::1]:8080/"}, []string{"pool", "127.0.0.1:80", "[::1]:8080"}},
		{[]string{"--modes=pool", "--against=http://127.0.0.1:8080/a?b=c", mine, "http://127.0.0.1:8080", "2=http://127.0.0.1:8080/"},
			[]string{"pool", "127.0.0.1:8080/a?b=c", "mine", "127.0.0.1:8080/", "2"}},
		{[]string{"--modes=pool,single", "--work=cpu", "--quick"}, []string{"pool", "single"}},
		{[]string{"--modes=pool,single", "--work=cpu,sleep", mine, "--quick"},
			[]string{"pool × cpu", "single × cpu", "pool × sleep", "single × sleep", "mine"}},
		{[]string{"--modes=pool,pool", "--row=pool:workers=5", "--work=cpu,sleep", "--quick"}, []string{
			"pool × cpu", "pool#2 × cpu", "pool(5) × cpu", "pool × sleep", "pool#2 × sleep", "pool(5) × sleep"}},
		{[]string{"--modes=pool", "--row=pool:work=mutex", "--work=cpu,sleep", "--quick"},
			[]string{"pool × cpu", "pool(work=mutex) × mutex", "pool × sleep"}},
		{[]string{"--modes=pool", "--work=all", "--quick"}, []string{
			"pool × sleep", "pool × block", "pool × cpu", "pool × mutex", "pool × file", "pool × http", "pool × grpc"}},
		{[]string{"--modes=pool", "--work=all", "--quick", "--dsn=postgres://127.0.0.1/demo"}, []string{
			"pool × sleep", "pool × block", "pool × cpu", "pool × mutex", "pool × file", "pool × http", "pool × sql", "pool × grpc"}},
	} {
		run, l := benchOf(t, nil, c.flags...)
		config, err := run.Config(l)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range config.Rows {
			got = append(got, row.Name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v:\n%s", c.flags, diff)
		}
	}
}

// TestBenchRows checks that a row knows the limit of its server, and has the flags for it.
func TestBenchRows(t *testing.T) {
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
			// The child reads the environment itself, so it does not become flags. It does not get secrets that it does
			// not need.
			name: "environment", environ: append(preset, "DEMO_SERVER_DSN=postgres://hush@127.0.0.1/", "PGPASSWORD=hush", "HOME=/"), flags: []string{"--row=pool:workers=1", "--delay=0s"},
			want: bench.Row{
				Name: "pool(1)", Mode: "pool", Args: []string{"--delay=0s", "--workers=1"},
				Environ:  preset[:2],
				Settings: map[string]string{"workers": "1"}, Body: "Hello World", Places: 1, Bound: "1 worker", Queue: 20,
				QueueTimeout: 5 * time.Second,
			},
		},
		{
			// A secret is not a flag, because all users of the machine can read flags.
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
			name: "cores are shared", flags: []string{"--modes=thread", "--work=cpu", "--delay=100ms"},
			want: bench.Row{
				Name: "thread", Mode: "thread", Work: "cpu", Args: []string{"--delay=100ms", "--work=cpu"}, Settings: map[string]string{"work": "cpu"},
				Delay: 100 * time.Millisecond, Body: "Hello World", Places: 1000, Cores: cores.Usable(), Most: 1000, WhyMost: "it refuses more at a time",
				Bound: fmt.Sprintf("%d %s / 100ms", cores.Usable(), units.Plural(cores.Usable(), "core")),
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
			run, l := benchOf(t, c.environ, c.flags...)
			config, err := run.Config(l)
			if err != nil {
				t.Fatal(err)
			}
			mode := modes.Named(c.want.Mode)
			c.want.Kind, c.want.Known, c.want.About, c.want.When = result.KindMode, true, mode.Summary, mode.Choose
			c.want.Work = orSleep(c.want.Work)
			c.want.WorkAbout = kinds.Named(c.want.Work).Summary
			if diff := cmp.Diff([]bench.Row{c.want}, config.Rows); diff != "" {
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

// TestBenchQuick checks that any other source of the delay wins over --quick.
func TestBenchQuick(t *testing.T) {
	const quickDelay = 200 * time.Millisecond
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte("delay: 400ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		environ []string
		flags   []string
		want    []time.Duration // of each row
	}{
		{"its own", nil, []string{"--modes=pool,single"}, []time.Duration{quickDelay, quickDelay}},
		{"a flag", nil, []string{"--modes=pool,single", "--delay=50ms"}, []time.Duration{50 * time.Millisecond, 50 * time.Millisecond}},
		{"the default as a flag", nil, []string{"--modes=pool", "--delay=2s", "-z=10s"}, []time.Duration{2 * time.Second}},
		{"the environment", []string{"DEMO_SERVER_DELAY=300ms"}, []string{"--modes=pool"}, []time.Duration{300 * time.Millisecond}},
		{"a file", nil, []string{"--modes=pool", "--config=" + file}, []time.Duration{400 * time.Millisecond}},
		{"a preset", nil, []string{"--modes=pool", "--preset=throughput"}, []time.Duration{0}},
		{"rows", nil, []string{"--row=pool", "--row=pool:delay=1s", "--row=goroutine:preset=throughput", "--row=pool:workers=50"},
			[]time.Duration{quickDelay, time.Second, 0, quickDelay}},
		{"work", nil, []string{"--modes=pool", "--work=sleep,http"}, []time.Duration{quickDelay, quickDelay}},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, l := benchOf(t, c.environ, append(c.flags, "--quick")...)
			config, err := run.Config(l)
			if err != nil {
				t.Fatal(err)
			}
			var got []time.Duration
			for _, row := range config.Rows {
				got = append(got, row.Delay)
				if flag := "--delay=" + quickDelay.String(); slices.Contains(row.Args, flag) != (row.Delay == quickDelay) {
					t.Errorf("%s has a delay of %s, and its server the flags %q", row.Name, row.Delay, row.Args)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBenchAgainst checks that nothing is known about an external server.
func TestBenchAgainst(t *testing.T) {
	mine, six := "http://127.0.0.1:8080/a?b=c", "http://[::1]"
	run, l := benchOf(t, nil, "--modes=single", "--against=mine="+mine, "--against=6="+six)
	config, err := run.Config(l)
	if err != nil {
		t.Fatal(err)
	}
	want := []bench.Row{
		{Name: "mine", Kind: result.KindAgainst, About: "a server at " + mine, URL: mine,
			Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8080")}},
		{Name: "6", Kind: result.KindAgainst, About: "a server at " + six, URL: six,
			Addresses: []netip.AddrPort{netip.MustParseAddrPort("[::1]:80")}},
	}
	if diff := cmp.Diff(want, config.Rows[1:], cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// TestBenchConfig checks flags that change the defaults of others.
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
			c.Rate, c.Concurrency = 0.5, min(catalog.PossibleConnections(), 100_000)
		})},
		{[]string{"--rate=5", "-c=7"}, with(func(c *bench.Config) { c.Rate, c.Concurrency = 5, 7 })},
		{[]string{"--generator=wrk"}, with(func(c *bench.Config) { c.Generator, c.Keepalive = bench.WRK, true })},
		{[]string{"--generator=ab", "-n=100", "--keepalive"}, with(func(c *bench.Config) {
			c.Generator, c.Requests, c.Duration, c.Keepalive = bench.AB, 100, 0, true
		})},
		{[]string{"--same-body"}, with(func(c *bench.Config) { c.SameBody = true })},
		{[]string{"--article"}, with(func(c *bench.Config) {
			c.Requests, c.Duration, c.Repeat, c.Budget, c.Reasonable = 5000, 0, 1, 10*time.Minute, 10*time.Minute
		})},
		{[]string{"--article", "--repeat=3", "--budget=5m", "--generator=ab"}, with(func(c *bench.Config) {
			c.Generator, c.Requests, c.Duration, c.Repeat = bench.AB, 5000, 0, 3
			c.Budget, c.Reasonable = 5*time.Minute, 10*time.Minute
		})},
		{[]string{"--quick"}, with(func(c *bench.Config) { c.Duration, c.Repeat = 2500*time.Millisecond, 2 })},
		{[]string{"--quick", "-z=1s", "--repeat=3", "-c=7"}, with(func(c *bench.Config) {
			c.Duration, c.Repeat, c.Concurrency = time.Second, 3, 7
		})},
		{[]string{"--quick", "-n=700"}, with(func(c *bench.Config) { c.Requests, c.Duration, c.Repeat = 700, 0, 2 })},
		{[]string{"--quick", "--rate=5", "-c=7"}, with(func(c *bench.Config) {
			c.Duration, c.Repeat, c.Rate, c.Concurrency = 2500*time.Millisecond, 2, 5, 7
		})},
		{[]string{"--quick", "--generator=wrk"}, with(func(c *bench.Config) {
			c.Duration, c.Repeat, c.Generator, c.Keepalive = 2500*time.Millisecond, 2, bench.WRK, true
		})},
		{[]string{"--modes=goroutine", "--timeout=3s", "--warmup=1s", "--seed=0", "--margin=0.05"}, with(func(c *bench.Config) {
			c.Timeout, c.Warmup, c.Seed, c.Margin = 3*time.Second, time.Second, 0, 0.05
		})},
	}
	for _, c := range cases {
		run, l := benchOf(t, nil, append([]string{"--modes=single"}, c.flags...)...)
		got, err := run.Config(l)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Rows) != 1 {
			t.Errorf("%v: incomplete: %+v", c.flags, got)
		}
		got.Rows = nil
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v:\n%s", c.flags, diff)
		}
	}
}

// TestBenchKeepsSecrets checks that the command line in the result does not contain secrets.
func TestBenchKeepsSecrets(t *testing.T) {
	_, l := benchOf(t, nil, "--modes=pool", "--dsn=postgres://me:hush@127.0.0.1/demo", "--work=sql", "--dsn", "postgres://me:hush@127.0.0.1/demo")
	want := []string{"demo-server", "--modes=pool", "--dsn=(redacted)", "--work=sql", "--dsn", "(redacted)"}
	if diff := cmp.Diff(want, l.redactedArgs()); diff != "" {
		t.Error(diff)
	}
}

// TestForgetSettings checks the environment that the children of bench inherit.
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

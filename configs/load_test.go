package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// catalog resembles the program's, with fewer modes.
var catalog = Catalog{
	Modes: []Choice{
		{Name: "goroutine"}, {Name: "pool", Settings: []string{"workers", "queue", "queue-timeout"}}, {Name: "single"}, {Name: "fasthttp"},
		{Name: "thread", Settings: []string{"max-threads"}},
		{Name: "eventloop", Settings: []string{"loops", "loop-helpers", "patched", "queue", "queue-timeout"}},
	},
	Works: []Choice{
		{Name: "sleep"}, {Name: "block", Settings: []string{"max-threads"}}, {Name: "cpu"}, {Name: "mutex", Settings: []string{"slots"}},
		{Name: "file", Settings: []string{"max-threads", "dir", "dial-timeout"}, SideEffects: true},
		{Name: "http", Settings: []string{"target", "pool-size", "dial-timeout"}, SideEffects: true},
		{Name: "sql", Settings: []string{"pool-size", "dsn", "dial-timeout"}, SideEffects: true},
		{Name: "grpc", Settings: []string{"target", "dial-timeout"}, SideEffects: true},
	},
	QueuePlaces: func(s *Settings) (int, string) {
		switch {
		case s.Mode == "pool":
			return s.Workers, "worker"
		case s.Mode == "eventloop" && s.Work == "block":
			return s.LoopHelpers, "helper"
		}
		return 0, ""
	},
}

// files returns a ReadFile that reads from a map.
func files(contents map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		text, found := contents[name]
		if !found {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
}

// load loads settings, and fails the test if there is a mistake.
func load(t *testing.T, in Inputs) *Settings {
	t.Helper()
	in.Catalog = catalog
	settings, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func TestDefaults(t *testing.T) {
	want := &Settings{
		Mode: "goroutine", Delay: 2 * time.Second, Body: "Hello World", OnDisconnect: OnDisconnectCancel, HalfClose: HalfCloseDisconnect,
		Work: "sleep", Slots: 1, PoolSize: 10, DialTimeout: 5 * time.Second,
		Overrides: true, MaxDelay: time.Minute, MaxSize: 10 << 20,
		Host: "127.0.0.1", Port: 7779, AdminAddr: AdminAuto,
		Workers: 100, Queue: 1024, QueueTimeout: 30 * time.Second, MaxThreads: 1000, LoopHelpers: 8, Patched: true,
		MaxHeaderBytes: 8192, MaxBodyBytes: 1 << 20,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, ReadRequestTimeout: 30 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, WorkerTimeout: 30 * time.Second, DrainTimeout: 30 * time.Second,
		LogLevel: "info", LogFormat: "auto", AccessLog: "off",
	}
	if diff := cmp.Diff(want, load(t, Inputs{}), cmpopts.IgnoreUnexported(Settings{})); diff != "" {
		t.Error(diff)
	}
}

// Each case sets workers in some sources, and names the source that must win.
func TestPrecedence(t *testing.T) {
	const (
		preset = "DEMO_SERVER_PRESET=small-pool" // workers: 10
		file   = "DEMO_SERVER_CONFIG=demo.yaml"  // workers: 20
		env    = "DEMO_SERVER_WORKERS=30"
	)
	flag := []Flag{{"workers", "40"}}
	cases := map[string]struct {
		environ []string
		flags   []Flag
		want    int
		source  string
	}{
		"default alone":           {nil, nil, 100, "default"},
		"preset over default":     {[]string{preset}, nil, 10, "preset small-pool"},
		"file over default":       {[]string{file}, nil, 20, "file demo.yaml:2:10"},
		"file over preset":        {[]string{file, preset}, nil, 20, "file demo.yaml:2:10"},
		"environment over preset": {[]string{env, preset}, nil, 30, "environment DEMO_SERVER_WORKERS"},
		"environment over file":   {[]string{env, file}, nil, 30, "environment DEMO_SERVER_WORKERS"},
		"flag over preset":        {[]string{preset}, flag, 40, "flag --workers"},
		"flag over file":          {[]string{file}, flag, 40, "flag --workers"},
		"flag over environment":   {[]string{env}, flag, 40, "flag --workers"},
		"flag over all":           {[]string{env, file, preset}, flag, 40, "flag --workers"},
		"last flag":               {nil, []Flag{{"workers", "50"}, {"workers", "60"}}, 60, "flag --workers"},
		"selectors as flags": {
			[]string{"DEMO_SERVER_PRESET=article", "DEMO_SERVER_CONFIG=missing.yaml"},
			[]Flag{{"preset", "small-pool"}, {"config", "demo.yaml"}}, 20, "file demo.yaml:2:10",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			read := files(map[string]string{"demo.yaml": "# ours\nworkers: 20\n"})
			got := load(t, Inputs{Flags: c.flags, Environ: c.environ, ReadFile: read})
			if got.Workers != c.want || got.Source("workers").String() != c.source {
				t.Errorf("workers %d from %q, want %d from %q", got.Workers, got.Source("workers"), c.want, c.source)
			}
		})
	}
}

func TestEmptyVariables(t *testing.T) {
	got := load(t, Inputs{Environ: []string{
		"DEMO_SERVER_CONFIG=", "DEMO_SERVER_PRESET=", "DEMO_SERVER_PORT=", "DEMO_SERVER_HOST=",
		"DEMO_SERVER_BODY=", "DEMO_SERVER_ADMIN_ADDR=",
	}})
	if got.Port != 7779 || got.Host != "127.0.0.1" {
		t.Errorf("empty variables changed host %q or port %d", got.Host, got.Port)
	}
	if got.Body != "" || got.AdminAddr != "" {
		t.Errorf("body %q and admin address %q are not empty", got.Body, got.AdminAddr)
	}
}

// TestKubernetesVariables checks that variables that Kubernetes sets for Services are ignored, and that similar typos
// are not.
func TestKubernetesVariables(t *testing.T) {
	services := []string{
		// A Service named demo-server, with ports named http and metrics.
		"DEMO_SERVER_SERVICE_HOST=10.96.0.7", "DEMO_SERVER_SERVICE_PORT=7779", "DEMO_SERVER_SERVICE_PORT_HTTP=7779",
		"DEMO_SERVER_SERVICE_PORT_METRICS_2=7780", "DEMO_SERVER_PORT=tcp://10.96.0.7:7779",
		"DEMO_SERVER_PORT_7779_TCP=tcp://10.96.0.7:7779", "DEMO_SERVER_PORT_7779_TCP_PROTO=tcp",
		"DEMO_SERVER_PORT_7779_TCP_PORT=7779", "DEMO_SERVER_PORT_7779_TCP_ADDR=10.96.0.7",
		// Services named demo-server-pool, demo-server-dns and demo-server-signalling, on other protocols too.
		"DEMO_SERVER_POOL_SERVICE_HOST=fd00::7", "DEMO_SERVER_POOL_PORT=tcp://[fd00::7]:80",
		"DEMO_SERVER_DNS_PORT=udp://10.96.0.8:53", "DEMO_SERVER_DNS_PORT_53_UDP=udp://10.96.0.8:53",
		"DEMO_SERVER_DNS_PORT_53_UDP_ADDR=10.96.0.8", "DEMO_SERVER_SIGNALLING_PORT=sctp://10.96.0.9:36412",
	}
	got := load(t, Inputs{Environ: append([]string{"DEMO_SERVER_WORKERS=7"}, services...)})
	if got.Port != 7779 || got.Source("port").Kind != FromDefault || got.Workers != 7 {
		t.Errorf("port %d from %s, %d workers; want the default, and 7", got.Port, got.Source("port"), got.Workers)
	}
	var names []string
	for _, variable := range services {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
	}
	if diff := cmp.Diff(names, got.Ignored()); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
	for _, typo := range []string{
		"DEMO_SERVER_PORTS=7779", "DEMO_SERVER_POOL_PORT=7779", "DEMO_SERVER_PORT=http://10.96.0.7", "DEMO_SERVER_PORT=7779x",
		"DEMO_SERVER_SERVICE=x", "DEMO_SERVER_SERVICE_HOSTS=10.0.0.1", "DEMO_SERVER_PORT_TCP=x", "DEMO_SERVER_DELAY=tcp://10.96.0.7:1",
	} {
		if _, err := Load(Inputs{Catalog: catalog, Environ: []string{typo}}); err == nil {
			t.Errorf("%s is accepted", typo)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := Load(Inputs{
		Catalog: catalog,
		Flags: []Flag{
			{"preset", "small-pol"}, {"config", "demo.yaml"}, {"mode", "pol"}, {"mode", "pool"}, {"wrokers", "3"},
			{"admin-token", "two words"}, {"delay", "-1s"}, {"port", "99999999999999999999"}, {"body", "\xff"},
		},
		Environ: []string{
			"PATH=/bin", "DEMO_SERVER_DELAY=2", "DEMO_SERVER_MDOE=pool", "DEMO_SERVER_PORT=http",
			"DEMO_SERVER_FLIGHT_RECORDER=yes", "DEMO_SERVER_Body=x",
		},
		ReadFile: files(map[string]string{"demo.yaml": `mode: pool
workers: 0
queue-timeout: 0s
mode: single
idle-timeout: 61m
max-header-bytes: 4KB
max-body-bytes: 2GiB
preset: article
log-levl: info
log-level: information
host: [a, b]
drain-timeout:
body: !!binary aGk=
admin-addr: &here 1.2.3.4
lame-duck: *here
? {a: b}
: c
`}),
	})
	const want = `flag --wrokers: unknown flag; did you mean --workers?
flag --preset: "small-pol" is not known; did you mean "small-pool"? known: article, gunicorn-sync, small-pool, throughput
flag --mode: "pol" is not known; did you mean "pool"? known: goroutine, pool, single, fasthttp, thread, eventloop
flag --admin-token: (redacted) cannot be sent in a header; want at most 1024 visible ASCII characters, and no space
flag --delay: "-1s" is too low; want a duration from 0s to 10m
flag --port: "99999999999999999999" is too high; want a whole number from 0 to 65535
flag --body: "\xff" is not valid UTF-8; want text
environment DEMO_SERVER_MDOE: unknown variable; did you mean DEMO_SERVER_MODE?
environment DEMO_SERVER_Body: unknown variable; did you mean DEMO_SERVER_BODY?
environment DEMO_SERVER_DELAY: "2" has no unit; write 2s
environment DEMO_SERVER_PORT: "http" is not a whole number; want a whole number from 0 to 65535
environment DEMO_SERVER_FLIGHT_RECORDER: "yes" is neither true nor false; write true or false
file demo.yaml:4:1: mode is on line 1 already; a key may stand once
file demo.yaml:8:1: preset cannot be set in a file; use --preset or DEMO_SERVER_PRESET
file demo.yaml:9:1: unknown key "log-levl"; did you mean log-level?
file demo.yaml:11:7: host: a list instead of a value; want one plain value, or "" for an empty one
file demo.yaml:12:15: drain-timeout: nothing instead of a value; want one plain value, or "" for an empty one
file demo.yaml:13:7: body: a tag instead of a value; want one plain value, or "" for an empty one
file demo.yaml:15:12: lame-duck: an alias instead of a value; want one plain value, or "" for an empty one
file demo.yaml:16:3: a mapping instead of a key; want the name of a setting
file demo.yaml:2:10: workers: "0" is too low; want a whole number from 1 to 1000000
file demo.yaml:3:16: queue-timeout: "0s" is too low; want a duration above 0s and up to 1h
file demo.yaml:5:15: idle-timeout: "61m" is too high; want a duration above 0s and up to 1h
file demo.yaml:6:19: max-header-bytes: "4KB" is not a size; want a size from 4KiB to 1MiB, in bytes or with KiB, MiB or GiB
file demo.yaml:7:17: max-body-bytes: "2GiB" is too high; want a size from 0 to 1GiB, in bytes or with KiB, MiB or GiB
file demo.yaml:10:12: log-level: "information" is not known; known: debug, info, warn, error
file demo.yaml:14:13: admin-addr: "1.2.3.4" is not an address; want HOST:PORT, :PORT, PORT, auto, or nothing for no admin listener`
	if err == nil {
		t.Fatal("no mistake found")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

// Each case has one mistake that ends the reading of a file, or that needs its own file.
func TestFileMistakes(t *testing.T) {
	const indent = "mode: pool\n  delay: 2s\n"
	cases := []struct{ name, yaml, want string }{
		{"list", "- mode", "file f:1:1: a list instead of settings; want lines such as mode: pool"},
		{"scalar", "mode", "file f:1:1: a single value instead of settings; want lines such as mode: pool"},
		{"indent", indent, "file f:2:8: is not YAML: mapping values are not allowed in this context"},
		{"bytes", "body: \xff", "file f: is not YAML: invalid leading UTF-8 octet (value: 255)"},
		{"two documents", "mode: pool\n---\nmode: single\n", "file f:2:1: a second YAML document starts here; want one"},
		{"too large", "#" + string(make([]byte, 1<<20)), "file f: is too large; want at most 1MiB"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(Inputs{
				Catalog: catalog, Flags: []Flag{{"config", "f"}}, ReadFile: files(map[string]string{"f": c.yaml}),
			})
			if diff := cmp.Diff(c.want, fmt.Sprint(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEmptyFiles(t *testing.T) {
	for _, yaml := range []string{"", "{}", "# nothing\n", "---\n", "---\n...\n", "\ufeff"} {
		t.Run(yaml, func(t *testing.T) {
			load(t, Inputs{Flags: []Flag{{"config", "f"}}, ReadFile: files(map[string]string{"f": yaml})})
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	_, err := Load(Inputs{Catalog: catalog, Flags: []Flag{{"config", t.TempDir() + "/none"}}})
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) != 1 {
		t.Fatalf("got %v, want one mistake", err)
	}
	if got := mistakes[0]; got.Source.Kind != FromFile || got.Problem != "cannot be read: no such file or directory" {
		t.Errorf("got %+v", got)
	}
}

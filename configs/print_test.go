package configs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPresetsLoad(t *testing.T) {
	for _, preset := range Presets() {
		t.Run(preset.Name, func(t *testing.T) {
			settings := load(t, Inputs{Flags: flags("preset=" + preset.Name)})
			if preset.Summary == "" || strings.HasPrefix(preset.Summary, "#") {
				t.Errorf("bad summary %q", preset.Summary)
			}
			if warnings := catalog.Warnings(settings); len(warnings) > 0 {
				t.Errorf("a preset that warns: %q", warnings)
			}
		})
	}
}

func TestYAML(t *testing.T) {
	got := string(load(t, Inputs{
		Flags:    flags("mode=pool", "config=demo.yaml", "preset=small-pool", "admin-token=s3cret", "dsn=postgres://a:b@c/d"),
		Environ:  []string{"DEMO_SERVER_DELAY=90ms"},
		ReadFile: files(map[string]string{"demo.yaml": "body: \"#1\\n\"\n"}),
	}).YAML())
	const want = `# Serving
mode: pool                           # flag --mode
delay: 90ms                          # environment DEMO_SERVER_DELAY
body: "#1\n"                         # file demo.yaml:1:7
any-path: false                      # default
cors: false                          # default
on-disconnect: cancel                # default
half-close: disconnect               # default

# Work
work: sleep                          # default
slots: 1                             # default
dir: ''                              # default
target: ''                           # default
pool-size: 10                        # default
# dsn: (redacted)                    # flag --dsn
dial-timeout: 5s                     # default

# Faults
overrides: true                      # default
fault: ''                            # default
seed: 0                              # default
max-delay: 1m                        # default
max-size: 10MiB                      # default

# Listeners
host: 127.0.0.1                      # default
port: 7779                           # default
admin-addr: auto                     # default
# admin-token: (redacted)            # flag --admin-token

# Limits
processes: 0                         # default
workers: 10                          # preset small-pool
queue: 20                            # preset small-pool
queue-timeout: 5s                    # preset small-pool
max-threads: 1000                    # default
loops: 0                             # default
loop-helpers: 8                      # default
patched: true                        # default
max-connections: 0                   # default
backlog: 0                           # default
max-header-bytes: 8KiB               # default
max-body-bytes: 1MiB                 # default

# Timeouts
read-header-timeout: 5s              # default
read-timeout: 10s                    # default
read-request-timeout: 30s            # default
write-timeout: 10s                   # default
idle-timeout: 1m                     # default
worker-timeout: 30s                  # default

# Shutdown
drain-timeout: 30s                   # default
lame-duck: 0s                        # default

# Observability
log-level: info                      # default
log-format: auto                     # default
access-log: off                      # default
flight-recorder: false               # default
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// roundTrip prints settings, loads the result, and checks that the settings are the same, except for the token.
func roundTrip(t *testing.T, settings *Settings) {
	t.Helper()
	printed := string(settings.YAML())
	in := Inputs{Catalog: catalog, Flags: flags("config=printed.yaml"), ReadFile: files(map[string]string{"printed.yaml": printed})}
	again, err := Load(in)
	if err != nil {
		t.Fatalf("%v in what was printed:\n%s", err, printed)
	}
	ignore := cmp.Options{cmpopts.IgnoreUnexported(Settings{}), cmpopts.IgnoreFields(Settings{}, "AdminToken", "DSN")}
	if diff := cmp.Diff(settings, again, ignore); diff != "" {
		t.Errorf("%s\nfrom:\n%s", diff, printed)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, body := range []string{
		"", " ", "#", "a # b", "a: b", "null", "~", "true", "12", "0x1F", "2s", "- x", "'", `"`, "\n", "a\n\n", "\r\n", "\t", "&a", "*a",
		"!t", "%", "@", "`", "---", "...", "é\u2028\u0085\ufeff\x00\x7f", "😀", "<<", "=", "{}", "[", strings.Repeat("long ", 500),
	} {
		t.Run(body[:min(len(body), 20)], func(t *testing.T) {
			roundTrip(t, load(t, Inputs{Flags: []Flag{{"body", body}, {"admin-token", "s3cret"}, {"flight-recorder", "true"}}}))
		})
	}
}

// A line break in the name of the file must not break the comment.
func TestRoundTripOfAwkwardSource(t *testing.T) {
	name := "a\nport: 1 # \u2028"
	roundTrip(t, load(t, Inputs{Flags: []Flag{{"config", name}}, ReadFile: files(map[string]string{name: "port: 80"})}))
}

func TestTableIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, setting := range catalog.Table() {
		if setting.Help == "" || setting.Group == "" || seen[setting.Name] {
			t.Errorf("%s lacks help or a group, or is twice in the table", setting.Name)
		}
		seen[setting.Name] = true
	}
}

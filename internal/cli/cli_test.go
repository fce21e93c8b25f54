package cli

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"demo-server/internal/service/supervisor"
	"demo-server/internal/testkit"
	"demo-server/server/prefork"
)

func main() { os.Exit(Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }

func TestMain(m *testing.M) {
	// Under nohup, the program and its children would ignore the signal.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	testscript.Main(m, map[string]func(){program: main, program + "-broken": brokenMain})
}

// brokenMain is the command, except that its worker processes cannot start.
func brokenMain() {
	if len(os.Args) < 2 || os.Args[1] != supervisor.WorkerArgument {
		main()
	}
	inherited, err := prefork.Inherit()
	if err != nil {
		os.Exit(exitUsage)
	}
	inherited.Failed(errors.New("no luck today"))
	os.Exit(exitFailure)
}

// TestScripts runs the command as a user does; each script in testdata/script is one topic.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:       "testdata/script",
		Condition: installed,
		Setup:     freePort,
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"httpget": httpGet, "await": await},
	})
}

// freePort sets PORT to a free port, for scripts that serve.
func freePort(env *testscript.Env) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	env.Setenv("PORT", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	return nil
}

// scriptClient does not keep connections, because an idle one delays a stopping server for a moment.
var scriptClient = http.Client{Timeout: testkit.Patience, Transport: &http.Transport{DisableKeepAlives: true}}

// httpGet is the command "httpget URL TEXT...". It fails if the reply, head and body, does not contain each TEXT.
func httpGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: httpget URL TEXT...")
	}
	response, err := scriptClient.Get(args[0])
	ts.Check(err)
	defer response.Body.Close()
	answer, err := httputil.DumpResponse(response, true)
	ts.Check(err)
	for _, text := range args[1:] {
		if !strings.Contains(string(answer), text) {
			ts.Fatalf("no %q in the answer:\n%s", text, answer)
		}
	}
}

// await is the command "await URL". It waits until a server replies there, or with "!" in front, until none listens.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] await URL")
	}
	for end := time.Now().Add(testkit.Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		response, err := scriptClient.Get(args[0])
		if err == nil {
			response.Body.Close()
		}
		if (err == nil) != neg {
			return
		}
	}
	ts.Fatalf("%s: still the same after %v", args[0], testkit.Patience)
}

// installed is the condition [have:NAME]. It reports whether a program is installed. In CI, a missing program is an
// error.
func installed(condition string) (bool, error) {
	_, err := exec.LookPath(strings.TrimPrefix(condition, "have:"))
	if err != nil && os.Getenv("CI") == "true" {
		return false, err
	}
	return err == nil, nil
}

func TestExitCodes(t *testing.T) {
	cases := []struct {
		line string
		want int
	}{
		{"--help", exitOK},
		{"version", exitOK},
		{"config", exitOK},
		{"health --port=1", exitFailure},
		{"--port=http", exitUsage},
		{"serve --nothing", exitUsage},
		{"health --timeout=0s", exitUsage},
		{"health --admin-addr=", exitUsage},
		{"completion", exitUsage},
		{"nonsense", exitUsage},
		{"bench --help", exitOK},
		{"bench --modes=nonsense", exitUsage},
		{"bench -z 1s", exitUsage},
		{"bench --expect=pool.nothing==0", exitUsage},
		{"bench nothing=https://127.0.0.1/", exitUsage},
		{"bench --quick --article", exitUsage},
		{"bench diff", exitUsage},
		{"bench cost --ramp=0s", exitUsage},
	}
	for _, c := range cases {
		t.Run(c.line, func(t *testing.T) {
			if got := Main(strings.Fields(c.line), nil, io.Discard, io.Discard); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	answer := func(handler http.HandlerFunc) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	cases := []struct {
		name, url string
		timeout   time.Duration
		want      string
	}{
		{"healthy", answer(func(http.ResponseWriter, *http.Request) {}), testkit.Patience, ""},
		{"unhealthy", answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }), testkit.Patience, "answered 503 Service Unavailable"},
		{
			"redirection", answer(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }),
			testkit.Patience, "answered 302 Found",
		},
		{"silent", answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), 100 * time.Millisecond, "no answer within 100ms"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := probe(c.url, c.timeout); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	release := &debug.BuildInfo{
		Main:     debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}},
	}
	for want, build := range map[string]*debug.BuildInfo{
		"demo-server devel\ngo":                           nil,
		"demo-server v1.2.3\nrevision abc (modified)\ngo": release,
	} {
		var out strings.Builder
		printVersion(&out, build)
		if !strings.HasPrefix(out.String(), want) {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	}
}

func TestColumns(t *testing.T) {
	const want = "left      word\nleft that is long\n          word\n"
	got := columns("left", 10, "word") + columns("left that is long", 10, "word")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(columns("é", 10, strings.Repeat("é wörd ", 100))) {
		if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > width {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

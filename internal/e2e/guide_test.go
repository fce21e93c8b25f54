//go:build e2e

package e2e_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"demo-server/internal/testkit"
)

// prelude makes a block of the guide a script: a server that goes to the background is awaited, and all of them end with
// the script.
const prelude = `
set -e -o pipefail
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true' EXIT
ready() { until curl -sf http://127.0.0.1:7780/readyz >/dev/null; do kill -0 $!; sleep 0.02; done; }
`

// TestGuideCommands runs every block of the guide that begins with "console test". The lines that begin with a dollar are
// commands. The output has to contain the other lines, in this order. Numbers may differ, except for statuses, and …
// stands for anything.
func TestGuideCommands(t *testing.T) {
	pages, err := filepath.Glob("../../docs/guide/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("no guide: ", err)
	}
	block := regexp.MustCompile("(?ms)^```console test\n(.*?)^```$")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, found := range block.FindAllSubmatchIndex(text, -1) {
			t.Run(filepath.Base(page)+"#"+strconv.Itoa(i+1), func(t *testing.T) {
				line := 1 + strings.Count(string(text[:found[0]]), "\n")
				runBlock(t, page+":"+strconv.Itoa(line), string(text[found[2]:found[3]]))
			})
		}
	}
}

func runBlock(t *testing.T, where, block string) {
	t.Helper()
	serve, admin := freeAddress(t), freeAddress(t)
	_, port, _ := net.SplitHostPort(serve)
	var script, want strings.Builder
	script.WriteString(prelude)
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(line, "$ ")
		switch {
		case ok:
			script.WriteString(command)
			if strings.HasSuffix(command, " &\n") {
				script.WriteString("ready\n")
			}
		case strings.TrimSpace(line) != "":
			want.WriteString(".*" + pattern(strings.TrimSpace(line)))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	commands := strings.NewReplacer("127.0.0.1:7779", serve, "127.0.0.1:7780", admin).Replace(script.String())
	bash := exec.CommandContext(ctx, "bash", "-c", commands)
	bash.Dir = t.TempDir()
	bash.Env = append(os.Environ(), "PATH="+filepath.Dir(commandNamed(t))+":"+os.Getenv("PATH"),
		"DEMO_SERVER_PORT="+port, "DEMO_SERVER_ADMIN_ADDR="+admin)
	bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	bash.Cancel = func() error { return syscall.Kill(-bash.Process.Pid, syscall.SIGKILL) }
	out, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", where, err, out)
	}
	if !regexp.MustCompile("(?s)" + want.String()).Match(out) {
		t.Errorf("%s: the output does not contain these lines in this order:\n%s\noutput:\n%s", where, want.String(), out)
	}
}

var (
	number = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
	spaces = regexp.MustCompile(` +`)
)

// pattern returns a regular expression for a line of output.
func pattern(line string) string {
	exact := regexp.QuoteMeta(line)
	if !strings.HasPrefix(line, "HTTP/") {
		exact = number.ReplaceAllString(strings.ReplaceAll(exact, `\.`, "."), `[0-9.]+`)
	}
	return strings.ReplaceAll(spaces.ReplaceAllString(exact, `\s+`), "…", "[^\n]*")
}

// commandNamed returns the built command under the name that the guide calls it by.
func commandNamed(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "demo-server")
	if err := os.Symlink(built(t), path); err != nil {
		t.Fatal(err)
	}
	return path
}

// Package golden compares output with files in the repository. With the flag -update, tests rewrite the files instead.
// Only tests import it.
package golden

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files that tests compare output with")

// File compares got with the file at path.
func File(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		write(t, path, got)
		return
	}
	report(t, path, read(t, path), got)
}

// Block compares got with a generated block of the Markdown page at path:
//
//	<!-- generated: NAME -->
//	<!-- end -->
func Block(t testing.TB, path, name, got string) {
	t.Helper()
	page, begin := read(t, path), "<!-- generated: "+name+" -->\n"
	before, rest, found := strings.Cut(page, begin)
	want, after, closed := strings.Cut(rest, "<!-- end -->")
	if !found || !closed {
		t.Fatalf("%s has no generated block %q", path, name)
	}
	if *update {
		write(t, path, before+begin+got+"<!-- end -->"+after)
		return
	}
	report(t, path+", block "+name, want, got)
}

func report(t testing.TB, where, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nIf that is intended, run go test in this folder with -run '^%s$' -update", where, diff, t.Name())
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	return string(text)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

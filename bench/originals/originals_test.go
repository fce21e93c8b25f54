package originals

import (
	"io/fs"
	"os"
	"strings"
	"testing"
)

// TestMissing checks that all programs use the interpreter that can run most of them, and that one line names the
// packages missing for the others.
func TestMissing(t *testing.T) {
	const other = "/opt/python/bin/python3"
	everything := []string{"flask", "gevent", "grpc", "gunicorn"}
	cases := []struct {
		name        string
		found       []python
		interpreter string
		runs        string
		line        string
	}{
		{
			name:        "all in Debian's",
			found:       []python{{other, nil}, {debianPython, everything}},
			interpreter: debianPython,
			runs:        "flask flask-single gevent gevent-unpatched grpc_gevent gunicorn-gevent gunicorn-gthread",
		},
		{
			name:        "all in both",
			found:       []python{{other, everything}, {debianPython, everything}},
			interpreter: other,
			runs:        "flask flask-single gevent gevent-unpatched grpc_gevent gunicorn-gevent gunicorn-gthread",
		},
		{
			name:        "no gunicorn",
			found:       []python{{debianPython, []string{"flask", "gevent", "grpc"}}},
			interpreter: debianPython,
			runs:        "flask flask-single gevent gevent-unpatched grpc_gevent",
			line:        "originals left out: gunicorn-gevent, gunicorn-gthread; missing: gunicorn (apt-get install gunicorn)",
		},
		{
			name:        "the one that can run most",
			found:       []python{{other, []string{"flask"}}, {debianPython, []string{"flask", "gevent", "grpc"}}},
			interpreter: debianPython,
			runs:        "flask flask-single gevent gevent-unpatched grpc_gevent",
			line:        "originals left out: gunicorn-gevent, gunicorn-gthread; missing: gunicorn (apt-get install gunicorn)",
		},
		{
			name:        "packages are installed for Debian's, which lacks what the other has",
			found:       []python{{other, []string{"flask", "gunicorn"}}, {debianPython, []string{"gevent"}}},
			interpreter: other,
			runs:        "flask flask-single gunicorn-gthread",
			line: "originals left out: gevent, gevent-unpatched, grpc_gevent, gunicorn-gevent; missing: python3-flask, " +
				"python3-grpcio, gunicorn (apt-get install python3-flask python3-grpcio gunicorn)",
		},
		{
			name: "no Python",
			line: "originals left out: flask, flask-single, gevent, gevent-unpatched, grpc_gevent, gunicorn-gevent, " +
				"gunicorn-gthread; missing: python3-flask, python3-gevent, python3-grpcio, gunicorn " +
				"(apt-get install python3-flask python3-gevent python3-grpcio gunicorn)",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := Set{programs: Programs(), plan: planFor(Programs(), c.found)}
			if runs := strings.Join(names(s.Programs()), " "); runs != c.runs || s.interpreter != c.interpreter {
				t.Errorf("%q runs %s; want %q and %s", s.interpreter, runs, c.interpreter, c.runs)
			}
			if s.Missing() != c.line {
				t.Errorf("says\n%s\nwant\n%s", s.Missing(), c.line)
			}
		})
	}
}

// TestPrepare checks that there is a set even if no program can run, and that Close removes all of it.
func TestPrepare(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR")) // for Windows
	s, err := prepare(t.Context(), Programs(), []string{"no-such-python"})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Programs()) != 0 || s.Missing() == "" {
		t.Errorf("%d programs can run without Python", len(s.Programs()))
	}
	if _, err := os.Stat(s.folder + "/app.py"); err != nil {
		t.Error("not unpacked: ", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestPrepareSome checks that programs that were not asked for are neither run nor reported as missing.
func TestPrepareSome(t *testing.T) {
	flask := Programs()[:1]
	s, err := prepare(t.Context(), flask, []string{"no-such-python"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const want = "originals left out: flask; missing: python3-flask (apt-get install python3-flask)"
	if s.Missing() != want {
		t.Errorf("says\n%s\nwant\n%s", s.Missing(), want)
	}
}

// TestPrograms checks that each program has all that it takes to find, unpack, start and explain it.
func TestPrograms(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Programs() {
		if seen[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name] = true
		if p.About == "" || p.Mirrors == "" {
			t.Errorf("%s: about %q, mirrors %q; want both", p.Name, p.About, p.Mirrors)
		}
		for _, module := range p.Modules {
			if packageOf[module] == "" {
				t.Errorf("%s: no Debian package is known for %s", p.Name, module)
			}
		}
		if file := p.arguments[0]; strings.HasSuffix(file, ".py") {
			if _, err := fs.Stat(source, "python/"+file); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
	}
}

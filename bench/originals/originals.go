// Package originals holds the article's Python programs, rewritten, and starts them to compare them with the modes of
// demo-server.
package originals

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Program is a server that answers GET / with Hello World after a delay.
type Program struct {
	Name    string
	About   string   // one line
	Mirrors string   // the mode of demo-server that works alike
	Modules []string // the Python modules that it needs

	arguments []string
	places    func(workers int) int
}

// Programs returns the article's two programs, and others that explain their figures.
func Programs() []Program {
	return []Program{
		{
			Name: "flask", About: "Flask's own server, a thread per request", Mirrors: "goroutine",
			Modules: []string{"flask"}, arguments: []string{"flask_threaded.py"}, places: noBound,
		},
		{
			Name: "flask-single", About: "Flask's own server, one thread", Mirrors: "single",
			Modules: []string{"flask"}, arguments: []string{"flask_single.py"}, places: one,
		},
		{
			Name: "gevent", About: "Flask on gevent, a greenlet per request", Mirrors: "goroutine",
			Modules: []string{"flask", "gevent"}, arguments: []string{"gevent_patched.py"}, places: noBound,
		},
		{
			Name: "gevent-unpatched", About: "Flask on gevent without its monkey patch: a sleep blocks all", Mirrors: "single",
			Modules: []string{"flask", "gevent"}, arguments: []string{"gevent_unpatched.py"}, places: one,
		},
		{
			Name: "grpc_gevent", About: "the article's grpc_gevent, which ran on Flask's threads", Mirrors: "fasthttp",
			Modules: []string{"flask", "gevent", "grpc"}, arguments: []string{"grpc_gevent.py"}, places: noBound,
		},
		{
			Name: "gunicorn-gevent", About: "gunicorn, one worker process with a greenlet per request", Mirrors: "goroutine",
			Modules: []string{"flask", "gevent", "gunicorn"}, arguments: gunicorn("gevent"), places: noBound,
		},
		{
			Name: "gunicorn-gthread", About: "gunicorn, one worker process with a pool of threads", Mirrors: "pool",
			Modules: []string{"flask", "gunicorn"}, arguments: gunicorn("gthread"), places: threads,
		},
	}
}

func noBound(int) int         { return 0 }
func one(int) int             { return 1 }
func threads(workers int) int { return workers }

// gunicorn returns the arguments of gunicorn. The rest of its settings is in gunicorn.conf.py.
func gunicorn(workerClass string) []string {
	return []string{"-m", "gunicorn", "-w", "1", "-k", workerClass, "app:app"}
}

// Places returns how many requests the program works on at a time if it has that many workers, 0 for no limit.
func (p Program) Places(workers int) int { return p.places(workers) }

//go:embed python/*.py
var source embed.FS

// A Set is a folder with the programs that can run on this machine.
type Set struct {
	folder   string
	programs []Program
	plan
}

// Prepare unpacks some of Programs and finds the interpreter that runs most of them. A program that cannot run here is
// not an error: see Missing.
func Prepare(ctx context.Context, programs []Program) (*Set, error) {
	return prepare(ctx, programs, interpreters())
}

func prepare(ctx context.Context, programs []Program, interpreters []string) (*Set, error) {
	folder, err := os.MkdirTemp("", "demo-server-originals-")
	if err != nil {
		return nil, err
	}
	s := &Set{folder: folder, programs: programs}
	if err := unpack(folder); err != nil {
		s.Close()
		return nil, err
	}
	var found []python
	for _, path := range interpreters {
		if p, ok := probe(ctx, path, folder); ok {
			found = append(found, p)
		}
	}
	if err := ctx.Err(); err != nil {
		s.Close()
		return nil, err
	}
	s.plan = planFor(programs, found)
	return s, nil
}

func unpack(folder string) error {
	files, err := fs.Sub(source, "python")
	if err != nil {
		return err
	}
	return os.CopyFS(folder, files)
}

// Close removes the folder.
func (s *Set) Close() error { return os.RemoveAll(s.folder) }

// Programs returns the programs that can run.
func (s *Set) Programs() []Program {
	return slices.DeleteFunc(slices.Clone(s.programs), func(p Program) bool { return slices.Contains(s.leftOut, p.Name) })
}

// Missing returns a line that names the programs that cannot run and what to install for them, or "".
func (s *Set) Missing() string {
	if len(s.leftOut) == 0 {
		return ""
	}
	return fmt.Sprintf("originals left out: %s; missing: %s (apt-get install %s)",
		strings.Join(s.leftOut, ", "), strings.Join(s.packages, ", "), strings.Join(s.packages, " "))
}

// Command returns the command that runs a program of the set on 127.0.0.1. Only gunicorn-gthread uses workers, at least
// 1, as its number of threads. A SIGTERM ends the program and its workers at once. If the program is killed, its
// workers notice it and end within a few seconds.
func (s *Set) Command(name string, port int, delay time.Duration, workers int) *exec.Cmd {
	var arguments []string
	for _, p := range s.programs {
		if p.Name == name {
			arguments = p.arguments
		}
	}
	command := exec.Command(s.interpreter, arguments...)
	command.Dir = s.folder
	command.Env = append(os.Environ(),
		"PORT="+strconv.Itoa(port),
		"DELAY="+strconv.FormatFloat(delay.Seconds(), 'f', -1, 64),
		"THREADS="+strconv.Itoa(workers),
		"PYTHONDONTWRITEBYTECODE=1",
		"GUNICORN_CMD_ARGS=", // the user's own value would change the measurement
	)
	return command
}

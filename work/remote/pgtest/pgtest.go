//go:build e2e

// Package pgtest runs a real PostgreSQL for tests, in a temporary folder. It can be stopped and started again. It needs
// Debian's package postgresql, or initdb and postgres on the path.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// Password is the server's password. Tests check that it does not appear in output.
	Password = "hush-7f3a"

	name     = "demo"
	patience = 30 * time.Second
)

// A Server is a PostgreSQL. It is killed when the test ends.
type Server struct {
	folder  string
	port    string
	owner   *syscall.Credential // nil for the user who runs the test
	options []string
	running *exec.Cmd
	exited  chan struct{}
}

// Start creates and starts a server on a free port, with settings such as "max_connections=5".
func Start(t *testing.T, settings ...string) *Server {
	t.Helper()
	s := &Server{port: freePort(t)}
	for _, setting := range append(settings, "listen_addresses=127.0.0.1", "fsync=off") {
		s.options = append(s.options, "-c", setting)
	}
	// Not t.TempDir, which only its owner may enter: PostgreSQL does not run as root.
	folder, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	s.folder = folder
	if os.Getuid() == 0 {
		s.disown(t)
	}
	password := filepath.Join(folder, "password")
	if err := os.WriteFile(password, []byte(Password+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	initdb := s.command(t, "initdb", "--pgdata", s.data(), "--username", name, "--pwfile", password,
		"--auth", "scram-sha-256", "--no-sync", "--no-locale", "--encoding", "UTF8")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(func() { s.Kill(t) })
	s.Run(t)
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// disown gives the folder to the user of Debian's package, who is not root.
func (s *Server) disown(t *testing.T) {
	t.Helper()
	owner, err := user.Lookup("postgres")
	if err != nil {
		owner, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	if err := os.Chown(s.folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	s.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// command returns the command of one of PostgreSQL's programs, which are not on the path in Debian.
func (s *Server) command(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
		if len(found) == 0 {
			t.Fatalf("these tests need %s, of Debian's package postgresql", program)
		}
		path = slices.Max(found)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") })
	return cmd
}

// Addr returns the server's address, even if it is not running.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", s.port) }

// DSN returns the DSN of the server's superuser.
func (s *Server) DSN() string {
	return fmt.Sprintf("postgres://%s:%s@%s/postgres", name, Password, s.Addr())
}

// Run starts a stopped server, and waits until it accepts connections.
func (s *Server) Run(t *testing.T) {
	t.Helper()
	log, err := os.Create(filepath.Join(s.folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s.running = s.command(t, "postgres", append([]string{"-D", s.data(), "-p", s.port, "-k", s.folder}, s.options...)...)
	s.running.Stdout, s.running.Stderr = log, log
	if err := s.running.Start(); err != nil {
		t.Fatal(err)
	}
	s.exited = make(chan struct{})
	go func() {
		defer close(s.exited)
		s.running.Wait()
	}()
	for end := time.Now().Add(patience); s.connects(t) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("PostgreSQL does not start: %v\n%s", s.connects(t), text)
		}
	}
}

func (s *Server) connects(t *testing.T) error {
	conn, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		return err
	}
	return conn.Close(t.Context())
}

// Stop stops the server, and disconnects its clients.
func (s *Server) Stop(t *testing.T) { s.end(t, syscall.SIGINT) }

// Kill kills the server. If it is not running, Kill does nothing.
func (s *Server) Kill(t *testing.T) { s.end(t, syscall.SIGQUIT) }

func (s *Server) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if s.running == nil {
		return
	}
	s.running.Process.Signal(signal)
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.running.Process.Kill()
		t.Errorf("PostgreSQL still runs %v after %v", patience, signal)
	}
	s.running = nil
}

// Sleepers returns the number of queries that sleep in the server.
func (s *Server) Sleepers(t *testing.T) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	const query = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

//go:build e2e

package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"

	"github.com/google/go-cmp/cmp"
)

// alone and supervised are the arguments of both ways to serve.
var aloneAndSupervised = map[string][]string{"alone": nil, "supervised": {"--processes=2"}}

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestSocketActivation: under the real systemd-socket-activate, which listens and starts the server once somebody
// connects, that one is served, and the admin listener is the socket called admin.
func TestSocketActivation(t *testing.T) {
	for name, args := range aloneAndSupervised {
		t.Run(name, func(t *testing.T) {
			web, admin := freeAddress(t), freeAddress(t)
			// Its own lines would not be JSON.
			words := []string{"SYSTEMD_LOG_LEVEL=err", "systemd-socket-activate", "--listen=" + web, "--listen=" + admin,
				"--fdname=web:admin", built(t), "--delay=10ms", "--port=1"}
			p := launch(t, exec.Command("env", append(words, args...)...))
			p.addr = web
			var first *client
			testkit.Eventually(t, "systemd listens", func() (connected bool) {
				var err error
				first, err = p.connect()
				return err == nil
			})
			defer first.Close()
			first.want(t)
			p.awaitReady(t)
			if p.addr != web || p.admin != "http://"+admin+"/" {
				t.Errorf("serves on %s, with admin on %s; want %s and %s", p.addr, p.admin, web, admin)
			}
			warned := p.logged("settings ignored: systemd passed the sockets")
			if len(warned) != 1 || fmt.Sprint(warned[0].fields["settings"]) != "[port]" {
				t.Errorf("warned of %v, want of the port", warned)
			}
			if status, _ := p.ask(t, "readyz"); status != http.StatusOK {
				t.Errorf("/readyz: %d", status)
			}
			p.terminate(t)
			p.wantStopped(t)
		})
	}
}

// handOver starts the server with a socket, as systemd does.
func handOver(t *testing.T, socket *os.File, args ...string) *process {
	t.Helper()
	script := `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, built(t), "--admin-addr=127.0.0.1:0"}, args...)...)
	cmd.ExtraFiles = []*os.File{socket}
	return launch(t, cmd)
}

// TestSocketStays: the socket is systemd's. Who connects while the service is stopped waits, and is served by the next.
func TestSocketStays(t *testing.T) {
	for name, args := range aloneAndSupervised {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			socket, err := listener.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()

			p := handOver(t, socket, append(args, "--delay=10ms")...).awaitReady(t)
			p.dial(t).want(t)
			p.terminate(t)
			p.wantStopped(t)

			waiting := p.dial(t)
			if err := waiting.send(); err != nil {
				t.Fatal(err)
			}
			handOver(t, socket, append(args, "--delay=10ms")...).awaitReady(t)
			if status, _, err := waiting.receive(); err != nil || status != http.StatusOK {
				t.Errorf("who waited got %d, %v", status, err)
			}
		})
	}
}

// TestWrongSocket: a socket that cannot be served is a failure to start, which says so.
func TestWrongSocket(t *testing.T) {
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	p := handOver(t, socket)
	p.wantExit(t, 1)
	failed := p.logged("cannot start")
	if len(failed) != 1 || failed[0].fields["error"] != `systemd handed over "LISTEN_FD_3", a unix socket: want TCP` {
		t.Errorf("it says %v", failed)
	}
}

// TestNotify: systemd is told when the service is ready, reads its settings again, and stops.
func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	told := func() string {
		buffer := make([]byte, 1024)
		listener.SetReadDeadline(time.Now().Add(testkit.Patience))
		n, err := listener.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`USEC=\d+`).ReplaceAllString(string(buffer[:n]), "USEC=N")
	}
	const ready, reloading, stopping = "READY=1", "RELOADING=1\nMONOTONIC_USEC=N\n", "STOPPING=1"
	for name, args := range aloneAndSupervised {
		t.Run(name, func(t *testing.T) {
			p := start(t, args...)
			got, want := []string{told()}, []string{ready}
			if args != nil {
				p.signal(t, syscall.SIGHUP)
				got, want = append(got, told(), told()), append(want, reloading, ready)
			}
			p.terminate(t)
			got, want = append(got, told()), append(want, stopping)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			p.wantStopped(t)
		})
	}
}

//go:build unix

package service

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"demo-server/internal/testkit"

	"go.uber.org/zap"
)

// handedOver returns a listening socket with a name, as systemd passes it.
func handedOver(t *testing.T, name string) *os.File {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), name)
}

// TestSockets checks that there may be one socket for each purpose, and that further ones are errors.
func TestSockets(t *testing.T) {
	for _, row := range []struct {
		names        string
		serve, admin bool
		err          string
	}{
		{"", false, false, ""},
		{"web", true, false, ""},
		{"admin", false, true, ""},
		{"admin web", true, true, ""},
		{"web web", false, false, "several sockets to serve on"},
		{"admin admin", false, false, `several sockets called "admin"`},
		{"admin web admin", false, false, `several sockets called "admin"`},
	} {
		t.Run(row.names, func(t *testing.T) {
			var files []*os.File
			for name := range strings.FieldsSeq(row.names) {
				files = append(files, handedOver(t, name))
			}
			given, err := socketsOf(files)
			if (given.Serve != nil) != row.serve || (given.Admin != nil) != row.admin {
				t.Errorf("got serve %v and admin %v, want %v and %v", given.Serve, given.Admin, row.serve, row.admin)
			}
			if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
				t.Errorf("got %v, want %q", err, row.err)
			}
			for _, listener := range []net.Listener{given.Serve, given.Admin} {
				if listener != nil {
					listener.Close()
				}
			}
		})
	}
}

// TestNotifyStalled checks that Notify does not wait for a stalled reader.
func TestNotifyStalled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, path)
	t.Setenv("NOTIFY_SOCKET", path)
	logger, lines := testkit.NewLogger(zap.WarnLevel)
	Notify(logger, "READY=1") // must not block
	testkit.WantEntries(t, lines, `cannot notify systemd {"error":"i/o timeout"}`)
	listener.Close() // ends the pending notification
}

// fill fills the socket's buffer.
func fill(t *testing.T, path string) {
	t.Helper()
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for err == nil {
		conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, err = conn.Write([]byte("full"))
	}
	if !os.IsTimeout(err) {
		t.Fatal(err)
	}
}

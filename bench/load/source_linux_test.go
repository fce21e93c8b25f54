package load

import (
	"net"
	"testing"
)

// TestSpreadSources checks that further connections come from the next address when one has its max number.
func TestSpreadSources(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for open, want := range map[int]string{0: "127.0.0.1", 9_999: "127.0.0.1", 10_000: "127.0.0.2", 99_999: "127.0.0.10"} {
		var dialer net.Dialer
		spreadSources(&dialer, listener.Addr().String(), open)
		connection, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Errorf("%d open: %v", open, err)
			continue
		}
		if got := connection.LocalAddr().(*net.TCPAddr).IP.String(); got != want {
			t.Errorf("%d open: from %s, want %s", open, got, want)
		}
		connection.Close()
	}
}

// TestSpreadSourcesElsewhere checks that the kernel chooses the local address for servers on other machines.
func TestSpreadSourcesElsewhere(t *testing.T) {
	for _, address := range []string{"192.0.2.1:80", "[::1]:80", "localhost:80", "example.com:80"} {
		var dialer net.Dialer
		if spreadSources(&dialer, address, 50_000); dialer.LocalAddr != nil {
			t.Errorf("%s: from %s", address, dialer.LocalAddr)
		}
	}
}

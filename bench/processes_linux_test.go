package bench

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// TestServes checks that serves detects another process on the port of a child, which must get no load.
func TestServes(t *testing.T) {
	child := exec.Command("sleep", "600")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		port := listener.Addr().(*net.TCPAddr).Port
		if !serves(os.Getpid(), port) {
			t.Errorf("%s is not served by this process", listener.Addr())
		}
		if serves(child.Process.Pid, port) {
			t.Errorf("%s is served by a process that only sleeps", listener.Addr())
		}
	}
}

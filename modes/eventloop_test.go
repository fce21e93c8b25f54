package modes

import (
	"strings"
	"testing"
)

// TestEpollOn checks that the error of a system without epoll names the system.
func TestEpollOn(t *testing.T) {
	if err := epollOn("linux"); err != nil {
		t.Error(err)
	}
	if err := epollOn("plan9"); err == nil || !strings.Contains(err.Error(), "plan9") {
		t.Errorf("%v, want an error that names the system", err)
	}
}

package modes

import (
	"slices"
	"strings"
	"testing"
)

// TestEpollOn checks that the error of a system without epoll lists all modes that run there.
func TestEpollOn(t *testing.T) {
	if err := epollOn("linux"); err != nil {
		t.Error(err)
	}
	err := epollOn("plan9")
	if err == nil || !strings.Contains(err.Error(), "plan9") {
		t.Fatalf("%v, want an error that names the system", err)
	}
	words := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == ' ' || r == ',' })
	for _, name := range Names() {
		if slices.Contains(words, name) != (name != "eventloop") {
			t.Errorf("%q: wrong about %s", err, name)
		}
	}
}

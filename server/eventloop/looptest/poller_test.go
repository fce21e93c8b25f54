package looptest

import "testing"

// TestReadIntoNothing: a read into an empty buffer fails as it does on epoll, because it would look like the end of the
// stream.
func TestReadIntoNothing(t *testing.T) {
	p := &poller{conns: &conns{all: []*memConn{{unread: []byte("x")}}}}
	defer func() {
		if recover() == nil {
			t.Error("a read into nothing succeeds")
		}
	}()
	p.Read(0, nil)
}

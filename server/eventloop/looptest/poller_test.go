package looptest

import "testing"

// TestReadIntoNothing checks that reading into an empty buffer panics as on epoll, because it would look like the end
// of the stream.
func TestReadIntoNothing(t *testing.T) {
	p := &poller{conns: &conns{all: []*memConn{{unread: []byte("x")}}}}
	defer func() {
		if recover() == nil {
			t.Error("a read into nothing succeeds")
		}
	}()
	p.Read(0, nil)
}

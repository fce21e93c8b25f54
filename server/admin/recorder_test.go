package admin

import (
	"strings"
	"sync"
	"testing"
)

func TestRecorder(t *testing.T) {
	recorder, err := StartRecorder()
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(loopback, Config{Recorder: recorder})
	reply := get(s, "/debug/trace")
	if reply.Code != 200 || !strings.HasPrefix(reply.Body.String(), "go 1.") {
		t.Errorf("got %d %.16q, want 200 and a trace", reply.Code, reply.Body)
	}
	if got := reply.Header().Get("Content-Disposition"); got != `attachment; filename="demo-server.trace"` {
		t.Errorf("Content-Disposition is %q", got)
	}
	recorder.Stop()
	if reply := get(s, "/debug/trace"); reply.Code != 500 || !isLine(reply.Body.String()) {
		t.Errorf("got %d %q of a stopped recorder, want 500 and one line", reply.Code, reply.Body)
	}
}

// TestRecorderConcurrently checks that snapshots wait for each other: the runtime allows one at a time.
func TestRecorderConcurrently(t *testing.T) {
	recorder, err := StartRecorder()
	if err != nil {
		t.Fatal(err)
	}
	defer recorder.Stop()
	s := newServer(loopback, Config{Recorder: recorder})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			if reply := get(s, "/debug/trace"); reply.Code != 200 {
				t.Errorf("got %d %q, want 200", reply.Code, reply.Body)
			}
		})
	}
	clients.Wait()
}

func TestSecondRecorder(t *testing.T) {
	recorder, err := StartRecorder()
	if err != nil {
		t.Fatal(err)
	}
	defer recorder.Stop()
	if _, err := StartRecorder(); err == nil {
		t.Error("a second recorder started, want an error")
	}
}

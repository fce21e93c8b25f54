package eventloop

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestYield checks that a poller reports the same events whether or not it parks, in any order. Without a free
// descriptor it waits without parking.
func TestYield(t *testing.T) {
	descriptors := func() int {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(open)
	}
	p, addr := newTestPoller(t)
	if err := p.Listen(true); err != nil {
		t.Fatal(err)
	}
	before := descriptors()
	woken := func(yield bool) {
		t.Helper()
		time.AfterFunc(5*time.Millisecond, p.Wake)
		if events := p.Wait(nil, Never, yield); len(events) != 0 {
			t.Errorf("woken, it tells of %v", events)
		}
	}
	check := func(yield bool) {
		t.Helper()
		woken(yield)
		until := p.now() + 5*time.Millisecond
		for p.now() < until {
			if events := p.Wait(nil, until, yield); len(events) != 0 {
				t.Errorf("at a stamp it tells of %v", events)
			}
		}
		client := dial(t, addr)
		events := p.Wait(nil, Never, yield)
		if len(events) != 1 || events[0].Index != Listening {
			t.Fatalf("it tells of %v, want the connection that can be accepted", events)
		}
		socket, _, err := p.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p.Close(socket)
		client.Close()
	}
	for _, yield := range []bool{true, true, false, false, true} {
		check(yield)
	}

	check(false)
	if n := descriptors(); n > before { // earlier tests may have left some that close only now
		t.Errorf("%d descriptors are open that were not before", n-before)
	}

	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	woken(true)
	if p.parking != nil {
		t.Error("it has found a descriptor where there is none")
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}

	check(true)
	p.Free()
	if n := descriptors(); n >= before {
		t.Errorf("%d descriptors are open after free, want fewer than the %d before", n, before)
	}
}

package listener

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"demo-server/internal/testkit"
	"demo-server/memnet"
)

func listen(t *testing.T, backlog int) *Source {
	t.Helper()
	source, err := Listen(t.Context(), "127.0.0.1:0", backlog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

func own(t *testing.T, source *Source) net.Listener {
	t.Helper()
	opened, err := source.Listener()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	return opened
}

// dial connects. It does not wait for Accept.
func dial(t *testing.T, source *Source) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", source.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// eachSource runs test on a socket, and on a listener that has to be shared. connect makes a connection.
func eachSource(t *testing.T, test func(t *testing.T, source *Source, connect func())) {
	t.Run("socket", func(t *testing.T) {
		source := listen(t, 0)
		test(t, source, func() { dial(t, source) })
	})
	t.Run("memory", func(t *testing.T) {
		m := memnet.Listen()
		source := NewSource(m)
		t.Cleanup(func() { source.Close() })
		test(t, source, func() {
			near, far := net.Pipe()
			t.Cleanup(func() { near.Close() })
			go func() { m.Hand(far) }()
		})
	})
}

// TestListenerClosed checks that closing a listener ends its own Accept and no other.
func TestListenerClosed(t *testing.T) {
	eachSource(t, func(t *testing.T, source *Source, connect func()) {
		first, second := own(t, source), own(t, source)
		ended := make(chan error)
		go func() {
			_, err := Accept(first)
			ended <- err
		}()
		first.Close()
		if err := <-ended; err != net.ErrClosed {
			t.Errorf("the closed listener's Accept returned %v, want %v", err, net.ErrClosed)
		}
		for _, listener := range []net.Listener{second, own(t, source)} {
			connect()
			conn, err := Accept(listener)
			if err != nil {
				t.Fatalf("another listener: %v", err)
			}
			conn.Close()
		}
		if first.Addr().String() != source.Addr().String() {
			t.Errorf("address %s, want %s", first.Addr(), source.Addr())
		}
	})
}

// TestSourceClosed checks that closing the Source ends the Accept of all listeners.
func TestSourceClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memnet.Listen()
		source := NewSource(m)
		first, second := own(t, source), own(t, source)
		near, far := net.Pipe()
		go func() { m.Hand(far) }()
		synctest.Wait() // the shared acceptor has accepted the connection, and no listener takes it
		source.Close()
		for _, listener := range []net.Listener{first, second} {
			if _, err := Accept(listener); err != net.ErrClosed {
				t.Errorf("Accept returned %v, want %v", err, net.ErrClosed)
			}
		}
		if _, err := near.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection that nobody took: %v, want %v", err, io.EOF)
		}
	})
}

// failing is a listener that lacks descriptors for a while.
type failing struct {
	net.Listener
	errs []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errs) == 0 {
		conn, _ := net.Pipe()
		return conn, nil
	}
	err := f.errs[0]
	f.errs = f.errs[1:]
	return nil, err
}

func TestAcceptErrors(t *testing.T) {
	refused := func(err error) error { return &net.OpError{Op: "accept", Err: err} }
	for _, row := range []struct {
		name  string
		errs  []error
		err   error
		pause time.Duration
	}{
		{"none", nil, nil, 0},
		{"descriptors run out thrice", []error{refused(syscall.EMFILE), refused(syscall.EMFILE), refused(syscall.EMFILE)}, nil, 35 * time.Millisecond},
		{"the system's run out", []error{refused(syscall.ENFILE)}, nil, 5 * time.Millisecond},
		{"the client was too quick", []error{refused(syscall.ECONNABORTED)}, nil, 5 * time.Millisecond},
		{"closed meanwhile", []error{refused(syscall.EMFILE), refused(net.ErrClosed)}, net.ErrClosed, 5 * time.Millisecond},
		{"for long", make([]error, 20), nil, 5*31*time.Millisecond + 15*100*time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for i := range row.errs {
					if row.errs[i] == nil {
						row.errs[i] = refused(syscall.ENOBUFS)
					}
				}
				before := time.Now()
				conn, err := Accept(&failing{errs: row.errs})
				if err != row.err || (conn == nil) != (err != nil) || time.Since(before) != row.pause {
					t.Errorf("%v, %v after %v; want %v after %v", conn, err, time.Since(before), row.err, row.pause)
				}
			})
		})
	}
}

func TestListenErrors(t *testing.T) {
	source := listen(t, 0)
	if _, err := Listen(t.Context(), source.Addr().String(), 0); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a taken address: %v, want %v", err, syscall.EADDRINUSE)
	}
}

func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:80": "tcp4", "0.0.0.0:80": "tcp4", "[::]:80": "tcp", "[::1]:80": "tcp", ":80": "tcp", "localhost:80": "tcp",
	} {
		if got := Network(addr); got != want {
			t.Errorf("Network(%s) is %s, want %s", addr, got, want)
		}
	}
}

// TestUnsupported checks the errors of a listener without a socket.
func TestUnsupported(t *testing.T) {
	source := NewSource(memnet.Listen())
	defer source.Close()
	if err := source.DropNew(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("RefuseNew: %v, want %v", err, errors.ErrUnsupported)
	}
	if queue, ok := source.AcceptQueue(); ok {
		t.Errorf("AcceptQueue: %+v", queue)
	}
}

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("not known on " + runtime.GOOS)
	}
}

// TestAcceptQueue checks that the depth follows connections as they arrive and are accepted.
func TestAcceptQueue(t *testing.T) {
	onLinux(t)
	source := listen(t, 7)
	wants := func(depth int) {
		t.Helper()
		// A client is connected a moment before the last part of its handshake arrives.
		testkit.Eventually(t, fmt.Sprintf("%d connections wait, and the limit is 7", depth), func() bool {
			queue, ok := source.AcceptQueue()
			return ok && queue == (AcceptQueue{depth, 7})
		})
	}
	wants(0)
	dial(t, source)
	dial(t, source)
	wants(2)
	listener := own(t, source)
	for depth := range 2 {
		conn, err := Accept(listener)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		wants(1 - depth)
	}
}

// TestDropNew checks that established connections are served, and that later clients cannot connect.
func TestDropNew(t *testing.T) {
	onLinux(t)
	source := listen(t, 0)
	accepted, waits := dial(t, source), dial(t, source)
	listener := own(t, source)
	first, err := Accept(listener)
	if err != nil {
		t.Fatal(err)
	}
	if err := source.DropNew(); err != nil {
		t.Fatal(err)
	}

	late := net.Dialer{Timeout: 50 * time.Millisecond}
	if conn, err := late.DialContext(context.Background(), "tcp", source.Addr().String()); err == nil {
		conn.Close()
		t.Error("a new connection was established")
	}
	if queue, _ := source.AcceptQueue(); queue.Depth != 1 {
		t.Errorf("%d wait, want 1", queue.Depth)
	}
	second, err := Accept(listener)
	if err != nil {
		t.Fatal(err)
	}
	for client, conn := range map[net.Conn]net.Conn{accepted: first, waits: second} {
		echo(t, client, conn)
		conn.Close()
	}
}

// echo sends a byte in both directions.
func echo(t *testing.T, a, b net.Conn) {
	t.Helper()
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		pair[0].Write([]byte("x"))
		pair[1].SetReadDeadline(time.Now().Add(testkit.Patience))
		if _, err := io.ReadFull(pair[1], make([]byte, 1)); err != nil {
			t.Errorf("a byte was sent: %v", err)
		}
	}
}

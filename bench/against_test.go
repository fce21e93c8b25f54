package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"demo-server/bench/result"
)

// A seen is a handler that counts hosts and paths of requests.
type seen struct {
	mu    sync.Mutex
	hosts map[string]int
	paths map[string]int
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hosts[r.Host]++
	s.paths[r.URL.Path]++
	if r.URL.Path == "/moved" {
		http.Redirect(w, r, "/target", http.StatusFound)
		return
	}
	io.WriteString(w, "hello")
}

// listens starts a server on an address of this machine, and returns its handler and its address.
func listens(t *testing.T, address string) (s *seen, at netip.AddrPort) {
	t.Helper()
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	s = &seen{hosts: map[string]int{}, paths: map[string]int{}}
	server := httptest.NewUnstartedServer(s)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return s, netip.MustParseAddrPort(listener.Addr().String())
}

// noNames fails the test if a name is looked up.
func noNames(t *testing.T) {
	t.Helper()
	resolver := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = resolver })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a name was looked up again")
		return nil, errors.New("no names")
	}}
}

func measureAgainst(t *testing.T, row Row) result.Row {
	t.Helper()
	if err := row.Choose(t.Context()); err != nil {
		t.Fatal(err)
	}
	config := Config{
		Rows: []Row{row}, Generator: Builtin, Concurrency: 2, Requests: 20, Repeat: 1, Budget: time.Minute, Margin: 0.02,
	}
	progress := NewLines(io.Discard, time.Second, 1)
	defer progress.Close()
	return NewPlan(config, false).Run(t.Context(), nil, progress).Rows[0]
}

// TestAgainstGoesWhereItWasChecked checks that every connection goes to the address that was looked up and checked,
// that requests name the given host, and that proxies of the environment are ignored.
func TestAgainstGoesWhereItWasChecked(t *testing.T) {
	proxy, proxied := listens(t, "127.0.0.1:0")
	t.Setenv("http_proxy", "http://"+proxied.String())
	t.Setenv("HTTP_PROXY", "http://"+proxied.String())
	noNames(t)
	server, at := listens(t, "127.0.0.1:0")
	host := fmt.Sprintf("rebind.test:%d", at.Port())
	nobody := netip.MustParseAddrPort("127.0.0.2:1")
	row := measureAgainst(t, Row{
		Name: "mine", Kind: result.KindAgainst, URL: "http://" + host + "/a", Addresses: []netip.AddrPort{nobody, at},
	})
	if row.Total.Answered != 20 || row.Failure != "" {
		t.Errorf("%d of 20 answered, %s", row.Total.Answered, row.Failure)
	}
	if len(server.hosts) != 1 || server.hosts[host] != 21 { // one to check whether the server answers
		t.Errorf("the requests named %v, want 21 times %s", server.hosts, host)
	}
	if len(proxy.hosts) > 0 {
		t.Errorf("the proxy was asked for %v", proxy.hosts)
	}
}

// TestAgainstRedirect checks that a redirect is an error and never followed.
func TestAgainstRedirect(t *testing.T) {
	server, at := listens(t, "127.0.0.1:0")
	row := Row{
		Name: "mine", Kind: result.KindAgainst, URL: "http://" + at.String() + "/moved", Addresses: []netip.AddrPort{at},
	}
	err := row.Choose(t.Context())
	if want := `/moved answers with a redirect (302) to "/target"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want an error with %s", err, want)
	}
	if server.paths["/target"] > 0 {
		t.Error("the redirect was followed")
	}
}

// TestAgainstNoHTTP checks that an error quotes a reply other than HTTP shortened and without control characters.
func TestAgainstNoHTTP(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 200 OK\r\n\x1b]0;mine\x07\r\n\r\n", "\x1b[2J\r\n", "HTTP/1.1 200 OK\r\nX" + strings.Repeat("y", 10_000) + "\r\n\r\n"} {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			http.ReadRequest(bufio.NewReader(conn))
			io.WriteString(conn, answer)
		}()
		at := netip.MustParseAddrPort(listener.Addr().String())
		row := Row{Name: "mine", Kind: result.KindAgainst, URL: "http://" + at.String() + "/", Addresses: []netip.AddrPort{at}}
		err = row.Choose(t.Context())
		if err == nil || strings.ContainsFunc(err.Error(), unicode.IsControl) || len(err.Error()) > 400 {
			t.Errorf("%.500q", err)
		}
	}
}

// TestReadyLine checks that a child that reports an address of another machine gets no requests.
func TestReadyLine(t *testing.T) {
	for line, ok := range map[readyLine]bool{
		{Address: "127.0.0.1:80", Admin: "http://127.0.0.1:81/"}: true,
		{Address: "[::1]:80", Admin: "http://[::1]:81/"}:         true,
		{Address: "192.0.2.1:80", Admin: "http://127.0.0.1:81/"}: false,
		{Address: "127.0.0.1:80", Admin: "http://192.0.2.1:81/"}: false,
		{Address: "localhost:80", Admin: "http://127.0.0.1:81/"}: false,
		{Address: "127.0.0.1:80", Admin: ""}:                     false,
	} {
		if _, _, err := line.addresses(); (err == nil) != ok {
			t.Errorf("%+v: %v", line, err)
		}
	}
}

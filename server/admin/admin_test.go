package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "s3cret"

var (
	loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9000}
	anywhere = &net.TCPAddr{IP: net.IPv4zero, Port: 9000}
)

// An addressed is a listener with nothing but an address.
type addressed struct {
	net.Listener
	addr net.Addr
}

func (l addressed) Addr() net.Addr { return l.addr }

// A meter is a Meter with one gauge.
type meter struct{ *prometheus.Registry }

func newMeter() meter {
	m := meter{prometheus.NewRegistry()}
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "gauge", Help: "A gauge."})
	gauge.Set(7)
	m.MustRegister(gauge)
	return m
}

func (meter) Stats(ready bool, reason string) any {
	return map[string]any{"ready": ready, "reason": reason}
}

func alwaysReady(bool) (bool, string) { return true, "" }

func newServer(addr net.Addr, config Config) *Server {
	if config.Meter == nil {
		config.Meter = newMeter()
	}
	if config.Ready == nil {
		config.Ready = alwaysReady
	}
	return New(addressed{addr: addr}, config)
}

// get sends s a request as if from a client on this machine, without a network.
func get(s *Server, path string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, path, nil)
	request.Host = "localhost:9000"
	return do(s, request)
}

func do(s *Server, request *http.Request) *httptest.ResponseRecorder {
	reply := httptest.NewRecorder()
	s.http.Handler.ServeHTTP(reply, request)
	return reply
}

// isLine reports whether body is one line of plain text. Every error has to be.
func isLine(body string) bool { return len(body) > 1 && strings.Index(body, "\n") == len(body)-1 }

func TestEndpoints(t *testing.T) {
	s := newServer(loopback, Config{})
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/":                               {200, "/readyz        200 when ready for traffic, else 503 and why\n"},
		"/healthz":                        {200, "ok\n"},
		"/readyz":                         {200, "ready\n"},
		"/metrics":                        {200, "gauge 7\n"},
		"/stats":                          {200, `"ready": true`},
		"/debug/pprof/":                   {200, "goroutine"},
		"/debug/pprof/heap":               {200, ""},
		"/debug/pprof/symbol":             {200, "num_symbols: 1"},
		"/debug/pprof/trace?seconds=0.01": {200, "go 1."},
		"/debug/pprof/cmdline":            {404, "Unknown profile"},
		"/debug/trace":                    {404, "not found: start with --flight-recorder to record traces\n"},
		"/nothing":                        {404, "not found: / lists the endpoints\n"},
	} {
		t.Run(path, func(t *testing.T) {
			reply := get(s, path)
			if reply.Code != want.status || !strings.Contains(reply.Body.String(), want.body) {
				t.Errorf("got %d %q, want %d with %q in it", reply.Code, reply.Body, want.status, want.body)
			}
			if reply.Code >= 400 && !isLine(reply.Body.String()) {
				t.Errorf("the error is not one line: %q", reply.Body)
			}
		})
	}
}

func TestMethods(t *testing.T) {
	s := newServer(loopback, Config{})
	for method, want := range map[string]int{"HEAD": 200, "POST": 405, "DELETE": 405} {
		request := httptest.NewRequest(method, "/stats", nil)
		request.Host = "127.0.0.1:9000"
		reply := do(s, request)
		if reply.Code != want {
			t.Errorf("%s: got %d, want %d", method, reply.Code, want)
		}
		if want == 405 && reply.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow is %q", method, reply.Header().Get("Allow"))
		}
	}
}

func TestReadyz(t *testing.T) {
	for _, reason := range []string{"starting", "draining"} {
		s := newServer(loopback, Config{Ready: func(bool) (bool, string) { return false, reason }})
		if reply := get(s, "/readyz"); reply.Code != 503 || reply.Body.String() != reason+"\n" {
			t.Errorf("got %d %q, want 503 %q", reply.Code, reply.Body, reason)
		}
		if reply := get(s, "/healthz"); reply.Code != 200 {
			t.Errorf("healthz is %d while %s, want 200: the process lives", reply.Code, reason)
		}
	}
}

// TestReadyzWithoutToken checks that a reason contains addresses only if the client may see everything.
func TestReadyzWithoutToken(t *testing.T) {
	unready := func(everything bool) (bool, string) {
		if everything {
			return false, "10.0.0.1:5432 does not answer"
		}
		return false, "no answer"
	}
	for _, c := range []struct {
		name, token, authorization string
		addr                       net.Addr
		want                       string
	}{
		{"token sent", token, "Bearer " + token, anywhere, "10.0.0.1:5432 does not answer\n"},
		{"token missing", token, "", anywhere, "no answer\n"},
		{"token missing on loopback", token, "", loopback, "no answer\n"},
		{"token wrong", token, "Bearer s3cres", anywhere, "no answer\n"},
		{"none set", "", "", anywhere, "no answer\n"},
		{"none set on loopback", "", "", loopback, "10.0.0.1:5432 does not answer\n"},
	} {
		request := httptest.NewRequest(http.MethodGet, "/readyz", nil)
		request.Host = "localhost:9000"
		request.Header.Set("Authorization", c.authorization)
		reply := do(newServer(c.addr, Config{Token: c.token, Ready: unready}), request)
		if reply.Code != 503 || reply.Body.String() != c.want {
			t.Errorf("%s: got %d %q, want 503 %q", c.name, reply.Code, reply.Body, c.want)
		}
	}
}

// TestGuard requests every path under every condition. Only probes are always served.
func TestGuard(t *testing.T) {
	for _, c := range []struct {
		name          string
		addr          net.Addr
		token         string
		host          string
		authorization string
		want          int // the status of every path except probes; 0 for the path's own
	}{
		{name: "loopback", addr: loopback, host: "127.0.0.1:9000"},
		{name: "loopback by name", addr: loopback, host: "LocalHost"},
		{name: "loopback by IPv6", addr: loopback, host: "[::1]:9000"},
		{name: "loopback by bare IPv6", addr: loopback, host: "[::1]"},
		{name: "rebound name", addr: loopback, host: "evil.example:9000", want: 403},
		{name: "rebound name like localhost", addr: loopback, host: "localhost.evil.example", want: 403},
		{name: "no host", addr: loopback, host: "", want: 403},
		{name: "loopback, token missing", addr: loopback, token: token, host: "localhost", want: 401},
		{name: "loopback, token sent", addr: loopback, token: token, host: "admin.example", authorization: "Bearer " + token},
		{name: "open, no token set", addr: anywhere, host: "10.0.0.1:9000", want: 403},
		{name: "open, no token set but sent", addr: anywhere, host: "10.0.0.1:9000", authorization: "Bearer ", want: 403},
		{name: "open, token missing", addr: anywhere, token: token, host: "10.0.0.1:9000", want: 401},
		{name: "open, token wrong", addr: anywhere, token: token, authorization: "Bearer s3cres", want: 401},
		{name: "open, token longer", addr: anywhere, token: token, authorization: "Bearer s3cret2", want: 401},
		{name: "open, other scheme", addr: anywhere, token: token, authorization: "Basic " + token, want: 401},
		{name: "open, token sent", addr: anywhere, token: token, authorization: "bearer " + token},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(c.addr, Config{Token: c.token})
			for path, own := range map[string]int{
				"/": 200, "/metrics": 200, "/stats": 200, "/debug/pprof/": 200, "/debug/trace": 404, "/nothing": 404,
				"/healthz": 200, "/readyz": 200,
			} {
				request := httptest.NewRequest(http.MethodGet, path, nil)
				request.Host = c.host
				request.Header.Set("Authorization", c.authorization)
				want := c.want
				if want == 0 || path == pathHealthz || path == pathReadyz {
					want = own
				}
				checkGuarded(t, do(s, request), path, want)
			}
		})
	}
}

// TestOtherOrigins checks that a page of another origin cannot start a profile or a trace, but may use the probes.
func TestOtherOrigins(t *testing.T) {
	for _, c := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"no browser", nil, 200},
		{"address bar", http.Header{"Sec-Fetch-Site": {"none"}}, 200},
		{"own page", http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200},
		{"own page with Origin", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://localhost:9000"}}, 200},
		{"other site", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"other port", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		{"unknown", http.Header{"Sec-Fetch-Site": {"elsewhere"}}, 403},
		{"own page, old browser", http.Header{"Origin": {"http://localhost:9000"}}, 200},
		{"other site, old browser", http.Header{"Origin": {"http://evil.example"}}, 403},
		{"other port, old browser", http.Header{"Origin": {"http://localhost:8000"}}, 403},
		{"hidden origin, old browser", http.Header{"Origin": {"null"}}, 403},
		{"no origin", http.Header{"Origin": {"::"}}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, config := range []Config{{}, {Token: token}} {
				s := newServer(loopback, config)
				for path, want := range map[string]int{
					"/": c.want, "/stats": c.want, "/debug/pprof/trace?seconds=0.01": c.want, "/healthz": 200, "/readyz": 200,
				} {
					request := httptest.NewRequest(http.MethodGet, path, nil)
					request.Host = "localhost:9000"
					maps.Copy(request.Header, c.header)
					request.Header.Set("Authorization", "Bearer "+token)
					checkGuarded(t, do(s, request), path, want)
				}
			}
		})
	}
}

func checkGuarded(t *testing.T, reply *httptest.ResponseRecorder, path string, want int) {
	t.Helper()
	if reply.Code != want {
		t.Errorf("%s: got %d, want %d", path, reply.Code, want)
	}
	if want >= 400 && !isLine(reply.Body.String()) {
		t.Errorf("%s: the error is not one line: %q", path, reply.Body)
	}
	if challenged := reply.Header().Get("WWW-Authenticate") != ""; challenged != (want == 401) {
		t.Errorf("%s: WWW-Authenticate %t with status %d", path, challenged, want)
	}
	if path != "/debug/pprof/" && strings.Contains(reply.Body.String(), token) {
		t.Errorf("%s: the reply shows the token", path)
	}
}

// TestServe uses a real listener.
func TestServe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(listener, Config{Meter: newMeter(), Ready: alwaysReady})
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reply, err := client.Get("http://" + listener.Addr().String() + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if body, err := io.ReadAll(reply.Body); err != nil || !json.Valid(body) {
		t.Errorf("/stats is no JSON: %v %s", err, body)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestHeldConnections checks that clients cannot keep others out by holding connections and announcing bodies that they do
// not send.
func TestHeldConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(listener, Config{Meter: newMeter(), Ready: alwaysReady})
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	dial := func(request string) net.Conn {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second)) // if the server waits for the body, it never replies
		io.WriteString(c, request)
		return c
	}
	var held []net.Conn
	for range MaxConnections {
		held = append(held, dial("GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n"))
	}
	for range MaxConnections {
		c := dial("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		if reply, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || reply.StatusCode != 200 {
			t.Fatalf("got %v, %v; want 200", reply, err)
		}
	}
	for _, c := range held {
		if reply, err := io.ReadAll(c); len(reply) > 0 || os.IsTimeout(err) {
			t.Errorf("got %q, %v; want the end", reply, err)
		}
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestShutdownCutsOff ends a request that would take longer than the caller waits.
func TestShutdownCutsOff(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan struct{})
	s := New(listener, Config{Meter: newMeter(), Ready: alwaysReady})
	s.http.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	gone := make(chan error, 1)
	go func() {
		_, err := http.Get("http://" + listener.Addr().String() + "/")
		gone <- err
	}()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); err != context.DeadlineExceeded {
		t.Errorf("Shutdown: got %v, want the deadline", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := <-gone; err == nil {
		t.Error("the request was answered, want it cut off")
	}
}

func TestIndexNamesEveryEndpoint(t *testing.T) {
	s := newServer(loopback, Config{})
	lines := strings.Split(get(s, "/").Body.String(), "\n")
	for _, e := range s.endpoints() {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, e.Path+" ") }) {
			t.Errorf("/ does not name %s", e.Path)
		}
	}
}

// TestEndpointsOfOthers checks that an Endpoint gets the values of its parameters, and that the index has it if About is set.
func TestEndpointsOfOthers(t *testing.T) {
	s := newServer(loopback, Config{Endpoints: []Endpoint{
		{Path: "/seven", About: "the number seven", Handler: JSON(func() any { return 7 })},
		{Path: "/hidden/{id}/*", Handler: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, r.PathValue("id")+" "+r.PathValue("*"))
		}},
	}})
	for path, want := range map[string]string{"/seven": "7\n", "/hidden/1/a/b": "1 a/b"} {
		if reply := get(s, path); reply.Code != 200 || reply.Body.String() != want {
			t.Errorf("%s: %d %q, want 200 %q", path, reply.Code, reply.Body, want)
		}
	}
	index := get(s, "/").Body.String()
	if !strings.Contains(index, "/seven         the number seven\n") || strings.Contains(index, "hidden") {
		t.Errorf("the index is\n%s", index)
	}
}

// TestMetricsLeft checks that nothing is logged if the client of /metrics disconnects.
func TestMetricsLeft(t *testing.T) {
	var lines bytes.Buffer
	s := newServer(loopback, Config{ErrorLog: log.New(&lines, "", 0)})
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Host = "localhost"
	s.http.Handler.ServeHTTP(gone{httptest.NewRecorder()}, request)
	if lines.Len() > 0 {
		t.Errorf("logged %.200q", lines.String())
	}
}

// A gone is the ResponseWriter of a disconnected client.
type gone struct{ *httptest.ResponseRecorder }

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

package remote_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"demo-server/internal/testkit"
	"demo-server/work"
	"demo-server/work/remote"
	"demo-server/work/remote/backend"
)

// newHTTP returns work with a number of connections to a server with handler.
func newHTTP(t *testing.T, connections int, path string, handler http.HandlerFunc) *remote.HTTP {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w, err := remote.NewHTTP(server.URL+path, connections, testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestHTTPTarget(t *testing.T) {
	for _, target := range []string{"", "127.0.0.1:80", "ftp://127.0.0.1/", "http://", "http://%zz/", "/path"} {
		if _, err := remote.NewHTTP(target, 1, testkit.Patience); err == nil {
			t.Errorf("%q is taken as a target", target)
		}
	}
}

// TestHTTPRequest checks that the target's path and query are kept, that the delay is added, and that there is no body.
func TestHTTPRequest(t *testing.T) {
	var request *http.Request
	w := newHTTP(t, 1, "/slow?user=me&delay=1h", func(_ http.ResponseWriter, r *http.Request) { request = r })
	if err := w.Do(t.Context(), 1500*time.Microsecond); err != nil {
		t.Fatal(err)
	}
	if got, want := request.Method+" "+request.RequestURI, "GET /slow?delay=1.5ms&user=me"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	if request.ContentLength != 0 || request.TransferEncoding != nil {
		t.Errorf("sent a body of %d bytes, %v", request.ContentLength, request.TransferEncoding)
	}
}

func TestHTTPAnswers(t *testing.T) {
	for _, row := range []struct {
		name    string
		handler http.HandlerFunc
		failure string // "" for none
	}{
		{"200", func(http.ResponseWriter, *http.Request) {}, ""},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, ""},
		{"a redirection", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, "answers: 302 Found"},
		{"503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "answers: 503 Service Unavailable"},
		{"a reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "does not answer: EOF"},
		{"half a body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.Write([]byte("half"))
		}, "does not answer: unexpected EOF"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newHTTP(t, 1, "/", row.handler)
			for name, err := range map[string]error{"work": w.Do(t.Context(), time.Millisecond), "check": w.Check(t.Context())} {
				switch {
				case row.failure == "" && err != nil:
					t.Errorf("%s: %v", name, err)
				case row.failure != "" && (err == nil || !strings.HasSuffix(err.Error(), row.failure)):
					t.Errorf("%s: got %v, want that it %s", name, err, row.failure)
				}
				if row.failure != "" && name == "work" {
					wantFailure(t, err, work.Broken)
				}
			}
		})
	}
}

// TestHTTPSendsOnce checks that a request on a dead connection is not repeated, as net/http would do.
func TestHTTPSendsOnce(t *testing.T) {
	var requests atomic.Int64
	w := newHTTP(t, 1, "/", func(http.ResponseWriter, *http.Request) {
		if requests.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
	})
	if err := w.Do(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, w.Do(t.Context(), time.Millisecond), work.Broken)
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests were sent, want 2", n)
	}
}

// TestHTTPPool checks the limit on connections, and that waiting requests can be cancelled.
func TestHTTPPool(t *testing.T) {
	server, err := backend.StartHTTP(anyPort, testConnections)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	w, err := remote.NewHTTP("http://"+server.Addr().String(), 2, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	want := func(inUse, waiting int) {
		t.Helper()
		want := work.PoolStats{Name: "http", Size: 2, InUse: inUse, Waiting: waiting}
		testkit.Eventually(t, "the pool's gauges", func() bool { return cmp.Equal(w.Pool(), want) && server.Waiting() == inUse })
	}
	want(0, 0)
	long, end := context.WithCancel(t.Context())
	holders := []<-chan error{begin(long, w, forever), begin(long, w, forever)}
	want(2, 0)
	brief, leave := context.WithCancel(t.Context())
	leaver, stayer := begin(brief, w, time.Millisecond), begin(t.Context(), w, time.Millisecond)
	want(2, 2)
	if err := w.Check(t.Context()); err != nil {
		t.Error("a full pool is taken for a server that is down: ", err)
	}
	leave()
	if err := <-leaver; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	want(2, 1)
	time.Sleep(1100 * time.Millisecond) // longer than delay and margin: waiting for a place must not time out
	end()
	for _, holder := range holders {
		<-holder
	}
	if err := <-stayer; err != nil {
		t.Errorf("who waited got %v", err)
	}
	want(0, 0)
}

// TestHTTPConnections checks that connections are kept, up to the limit.
func TestHTTPConnections(t *testing.T) {
	var mu sync.Mutex
	peers := map[string]bool{}
	w := newHTTP(t, 3, "/", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		peers[r.RemoteAddr] = true
	})
	var crowd sync.WaitGroup
	for range 10 {
		crowd.Go(func() {
			for range 20 {
				if err := w.Do(t.Context(), time.Millisecond); err != nil {
					t.Error(err)
				}
			}
		})
	}
	crowd.Wait()
	if len(peers) == 0 || len(peers) > 3 {
		t.Errorf("%d connections were made, want 3 at most", len(peers))
	}
}

package beside

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

// TestNames checks that without nginx the other baselines remain, with a line about what to install.
func TestNames(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	names, missing := Names()
	if strings.Join(names, ", ") != "bare net/http, bare fasthttp" || !strings.Contains(missing, "apt-get install nginx-light") {
		t.Errorf("%q, %q", names, missing)
	}
}

// TestCommand checks each command, and that all files of nginx are in the folder.
func TestCommand(t *testing.T) {
	folder := t.TempDir()
	bare, err := Command(NetHTTP, "/bin/demo-server", folder, 8000, time.Second)
	if err != nil || strings.Join(bare.Args, " ") != "/bin/demo-server beside bare net/http 8000 1s" {
		t.Errorf("%v, %v", bare.Args, err)
	}
	for delay, want := range map[time.Duration]string{
		0:               `location = / { return 200 "Hello World"; }`,
		2 * time.Second: "auth_delay 2000ms;",
	} {
		if _, err := Command(Nginx, "", folder, 8000, delay); err != nil {
			t.Fatal(err)
		}
		config, err := os.ReadFile(filepath.Join(folder, "nginx.conf"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{want, "listen 127.0.0.1:8000 ", `pid "` + folder} {
			if !strings.Contains(string(config), text) {
				t.Errorf("delay %v: no %s in\n%s", delay, text, config)
			}
		}
	}
	if _, err := Command(Nginx, "", filepath.Join(folder, "none"), 8000, 0); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

// TestHandlers checks that hello takes the delay, and that a 404 does not.
func TestHandlers(t *testing.T) {
	const delay = time.Minute
	servers := map[string]func(path string) (status int, body string){
		NetHTTP: func(path string) (int, string) {
			w := httptest.NewRecorder()
			onNetHTTP(delay)(w, httptest.NewRequest(http.MethodGet, path, nil))
			return w.Code, w.Body.String()
		},
		FastHTTP: func(path string) (int, string) {
			var ctx fasthttp.RequestCtx
			ctx.Request.SetRequestURI(path)
			onFastHTTP(delay)(&ctx)
			return ctx.Response.StatusCode(), string(ctx.Response.Body())
		},
	}
	for name, ask := range servers {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			if status, body := ask("/"); status != http.StatusOK || body != hello || time.Since(start) != delay {
				t.Errorf("%s: %d, %q after %v", name, status, body, time.Since(start))
			}
			start = time.Now()
			if status, _ := ask("/ready"); status != http.StatusNotFound || time.Since(start) != 0 {
				t.Errorf("%s: another path: %d after %v", name, status, time.Since(start))
			}
		})
	}
}

// TestServe checks that wrong arguments fail at once, with the reason.
func TestServe(t *testing.T) {
	for _, args := range [][]string{
		{Argument}, {Argument, "apache", "0", "1s"}, {Argument, NetHTTP, "0", "soon"}, {Argument, NetHTTP, "70000", "1s"},
	} {
		if err := Serve(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

// Package beside holds the baselines that demo-server's costs are compared with: bare net/http and fasthttp, which its
// modes are built on, and nginx.
//
// A baseline only waits and says hello, so the difference to it is the cost of a mode. The package must not know the
// modes.
package beside

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// The names of the baselines.
const (
	NetHTTP  = "bare net/http"
	FastHTTP = "bare fasthttp"
	Nginx    = "nginx"
)

// Argument is the first argument of a process that calls Serve.
const Argument = "beside"

// Names returns the baselines that this machine can run. If some are missing, it also returns a line that says what to
// install.
func Names() (names []string, missing string) {
	names = []string{NetHTTP, FastHTTP}
	if _, err := exec.LookPath("nginx"); err != nil {
		return names, "left out: nginx; missing: nginx-light (apt-get install nginx-light)"
	}
	return append(names, Nginx), ""
}

// Command returns the command that runs a baseline on 127.0.0.1:port. Its replies take delay. binary is this program.
// nginx gets its files in folder.
func Command(name, binary, folder string, port int, delay time.Duration) (*exec.Cmd, error) {
	if name == Nginx {
		return nginx(folder, port, delay)
	}
	return exec.Command(binary, Argument, name, strconv.Itoa(port), delay.String()), nil
}

const hello = "Hello World"

// Serve runs the baseline that Command asked for, until the process ends. The servers keep their default settings.
// They only delay replies to "/", so a readiness check of another path gets an immediate 404.
func Serve(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("%s: want a name, a port and a delay", Argument)
	}
	delay, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", args[2])
	switch args[1] {
	case NetHTTP:
		return http.ListenAndServe(address, onNetHTTP(delay))
	case FastHTTP:
		return fasthttp.ListenAndServe(address, onFastHTTP(delay))
	}
	return fmt.Errorf("%s: no server %q; known: %q, %q", Argument, args[1], NetHTTP, FastHTTP)
}

func onNetHTTP(delay time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		time.Sleep(delay)
		w.Write([]byte(hello))
	}
}

func onFastHTTP(delay time.Duration) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if string(ctx.RequestURI()) != "/" { // ctx.Path would parse it
			ctx.NotFound()
			return
		}
		time.Sleep(delay)
		ctx.WriteString(hello)
	}
}

// nginx returns a command that runs nginx as one process in the foreground, with all its files in folder. A master's
// worker would live on if the master were killed.
//
// The only directive of nginx that sleeps is auth_delay, which delays a 401. error_page turns the 401 into the reply.
func nginx(folder string, port int, delay time.Duration) (*exec.Cmd, error) {
	wait := "return 200 " + strconv.Quote(hello) + ";"
	if delay > 0 {
		wait = fmt.Sprintf("auth_basic demo; auth_basic_user_file /dev/null; auth_delay %dms; error_page 401 =200 @hello;",
			delay.Milliseconds())
	}
	quote := func(name string) string { return strconv.Quote(filepath.Join(folder, name)) }
	config := strings.NewReplacer("PORT", strconv.Itoa(port), "WAIT", wait, "HELLO", strconv.Quote(hello),
		"PID", quote("pid"), "TEMP", quote("temp")).Replace(nginxConfig)
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	return exec.Command("nginx", "-p", folder, "-c", file, "-e", "stderr"), nil
}

const nginxConfig = `master_process off;
daemon off;
pid PID;
error_log stderr error;
events { worker_connections 65536; }
http {
	access_log off;
	keepalive_requests 1000000000;
	default_type text/plain;
	client_body_temp_path TEMP;
	proxy_temp_path TEMP;
	fastcgi_temp_path TEMP;
	uwsgi_temp_path TEMP;
	scgi_temp_path TEMP;
	server {
		listen 127.0.0.1:PORT backlog=4096;
		location = / { WAIT }
		location / { return 404; }
		location @hello { auth_basic off; return 200 HELLO; }
	}
}
`

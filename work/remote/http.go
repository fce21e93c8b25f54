package remote

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"demo-server/work"
	"demo-server/work/remote/backend"
)

// idleTimeout is how long a connection is kept for a next request: for less time than most servers keep it, because a
// request that meets a connection's end fails.
const idleTimeout = 30 * time.Second

// HTTPKind describes HTTP.
var HTTPKind = work.Kind{
	Name:        "http",
	Summary:     "wait for a reply of an HTTP server, over a pool of connections",
	Holds:       work.Socket,
	SideEffects: true,
	Settings:    []string{"target", "pool-size", "dial-timeout"},
	Limit:       connectionLimit,
	// Without a target the other ends of the connections are in this process as well.
	Files: func(o work.Options) int { return 2 * o.PoolSize },
	Checks: []work.Check{{Setting: "target", Func: func(o work.Options) error {
		if o.Target == "" {
			return nil
		}
		return CheckURL(o.Target)
	}}},
	Open: func(o work.Options) (work.Work, []io.Closer, error) {
		target, closers, err := orBackend(o.Target, backend.StartHTTP, o.PoolSize+spareConnections)
		if err != nil {
			return nil, nil, err
		}
		if o.Target == "" {
			target = "http://" + target + "/"
		}
		client, err := NewHTTP(target, o.PoolSize, o.DialTimeout)
		return opened(client, err, closers)
	},
}

// HTTP is work that waits for a reply of HTTP. Its bound are the client's connections: a request that finds all of them
// taken waits for one.
type HTTP struct {
	target *url.URL
	server string // for errors
	margin time.Duration
	places *work.Semaphore
	client *http.Client // of all requests
	health *http.Client // of checks, which have to tell a server that is down from connections that are all taken
}

// NewHTTP returns work that GETs target, a URL of http or https, with the delay as its query's parameter delay, over
// connections connections at most. A reply that takes margin longer than the delay has timed out.
func NewHTTP(target string, connections int, margin time.Duration) (*HTTP, error) {
	u, err := parseURL(target)
	if err != nil {
		return nil, fmt.Errorf("target %w", err)
	}
	return &HTTP{
		target: u, server: "HTTP server at " + u.Host, margin: margin, places: work.NewSemaphore("http", connections),
		client: newClient(&http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}, margin),
		health: newClient(&http.Transport{DisableKeepAlives: true}, margin),
	}, nil
}

// CheckURL returns what is wrong with a target for NewHTTP, or nil.
func CheckURL(target string) error {
	_, err := parseURL(target)
	return err
}

func parseURL(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no URL; want one such as http://127.0.0.1:7781/", target)
	}
	if u.User != nil { // printed settings and results would show it
		return nil, fmt.Errorf("%q names a user; want a URL without", u.Redacted())
	}
	return u, nil
}

// newClient returns a client that asks the target itself, and nobody else: no proxy of the environment, which would
// answer for it, and not what a redirection leads to.
func newClient(transport *http.Transport, dialTimeout time.Duration) *http.Client {
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	transport.TLSHandshakeTimeout = dialTimeout
	transport.IdleConnTimeout = idleTimeout
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true) // of HTTP/2, all requests would share one connection
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Holds is Socket.
func (h *HTTP) Holds() work.Resource { return work.Socket }

// Pool is the client's connections.
func (h *HTTP) Pool() work.PoolStats { return h.places.Pool() }

// Do asks for a reply after the delay, and reads it. The wait for a connection counts neither as delay nor towards the
// timeout. The error is a *work.Failure, or ctx.Err().
func (h *HTTP) Do(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	if err := h.places.Acquire(ctx); err != nil {
		return err
	}
	defer h.places.Release()
	call, cancel := within(ctx, delay+h.margin)
	defer cancel()
	if failure := h.get(call, h.client, delay); failure != nil {
		return unless(ctx, failure)
	}
	return nil
}

// Check asks for a reply without delay, over a connection of its own.
func (h *HTTP) Check(ctx context.Context) error {
	if failure := h.get(ctx, h.health, 0); failure != nil {
		return failure.Err
	}
	return nil
}

// Close ends the connections. No work may be under way.
func (h *HTTP) Close() error {
	h.client.CloseIdleConnections()
	return nil
}

func (h *HTTP) get(ctx context.Context, client *http.Client, delay time.Duration) *work.Failure {
	u := *h.target
	query := u.Query()
	query.Set("delay", delay.String())
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), unrepeatable{})
	if err != nil {
		return failed(h.server, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return failed(h.server, err)
	}
	defer response.Body.Close()
	// The reply is whole, and its connection free for the next request, only once it is read.
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return failed(h.server, err)
	}
	if response.StatusCode/100 != 2 {
		return answered(h.server, work.Broken, response.Status)
	}
	return nil
}

// unrepeatable is an empty body. With none, net/http would send the request a second time, without a word, where a kept
// connection turns out to be dead.
type unrepeatable struct{}

func (unrepeatable) Read([]byte) (int, error) { return 0, io.EOF }

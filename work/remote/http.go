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

// idleTimeout is how long an idle connection is kept. Most servers keep one for longer: a request that meets the end of
// a connection fails.
const idleTimeout = 30 * time.Second

// HTTPKind describes HTTP.
var HTTPKind = work.Kind{
	Name:        "http",
	Summary:     "wait for a reply of an HTTP server, over a pool of connections",
	Holds:       work.Socket,
	SideEffects: true,
	Settings:    []string{"target", "pool-size", "dial-timeout"},
	Limit:       connectionLimit,
	// without a target, the other ends of the connections are in this process too
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

// An HTTP waits for an HTTP reply. Its connections limit the concurrent requests; further ones wait.
type HTTP struct {
	target *url.URL
	server string // for errors
	margin time.Duration
	places *work.Semaphore
	client *http.Client // for all requests
	health *http.Client // for checks, which must not wait for a free connection
}

// NewHTTP returns work that GETs target, an http or https URL, with the delay in the query parameter delay, on at most
// connections connections. A reply that takes margin longer than the delay has timed out.
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

// CheckURL returns an error if target is not valid for NewHTTP.
func CheckURL(target string) error {
	_, err := parseURL(target)
	return err
}

func parseURL(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not a URL; want one such as http://127.0.0.1:7781/", target)
	}
	if u.User != nil { // printed settings and results would show it
		return nil, fmt.Errorf("%q names a user; want a URL without", u.Redacted())
	}
	return u, nil
}

// newClient returns a client that only asks the target: it uses no proxy from the environment, whose answers would look
// like the target's, and follows no redirection.
func newClient(transport *http.Transport, dialTimeout time.Duration) *http.Client {
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	transport.TLSHandshakeTimeout = dialTimeout
	transport.IdleConnTimeout = idleTimeout
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true) // with HTTP/2, all requests would share one connection
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Holds returns Socket.
func (h *HTTP) Holds() work.Resource { return work.Socket }

// Pool returns the state of the connections.
func (h *HTTP) Pool() work.PoolStats { return h.places.Pool() }

// Do requests a reply after the delay and reads it. Waiting for a connection counts neither as delay nor towards the
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

// Check requests a reply without delay, on a connection of its own.
func (h *HTTP) Check(ctx context.Context) error {
	if failure := h.get(ctx, h.health, 0); failure != nil {
		return failure.Err
	}
	return nil
}

// Close closes the connections. No work may be in progress.
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
	// The connection is free for the next request only after the whole reply is read.
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return failed(h.server, err)
	}
	if response.StatusCode/100 != 2 {
		return answered(h.server, work.Broken, response.Status)
	}
	return nil
}

// An unrepeatable is an empty body. If there were none, net/http would silently repeat a request on a kept connection
// that turns out to be dead.
type unrepeatable struct{}

func (unrepeatable) Read([]byte) (int, error) { return 0, io.EOF }

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"demo-server/configs"
)

// newHealth returns the command that asks a running server for its health. It is the HEALTHCHECK of an image that does
// not contain another program.
func newHealth() commandSpec {
	var h healthCheck
	return commandSpec{
		use: "health", short: "ask a running server whether it is healthy; exit code 0 or 1", settings: true,
		flags: func(f *flagSet) {
			f.timeout(&h.timeout, "timeout", "2s", "for the whole request")
			f.word(&h.url, "url", "", "URL", "what to ask instead of /healthz on the address of admin-addr")
		},
		run: func(s *streams, settings *configs.Settings, _ *commandLine) error { return h.run(s, settings) },
	}
}

// A healthCheck holds the flags of health.
type healthCheck struct {
	timeout time.Duration
	url     string
}

// run prints one line, or returns an error if the server is not healthy.
func (h healthCheck) run(s *streams, settings *configs.Settings) error {
	target, err := h.target(settings)
	if err != nil {
		return err
	}
	if err := probe(target, h.timeout); err != nil {
		return fmt.Errorf("unhealthy: %s: %w", target, err)
	}
	fmt.Fprintf(s.out, "healthy: %s\n", target)
	return nil
}

// target returns the URL to ask.
func (h healthCheck) target(settings *configs.Settings) (string, error) {
	if h.url != "" {
		return h.url, checkURL(h.url)
	}
	address, _ := settings.AdminAddress()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", usageError("admin-addr is empty: there is no admin listener to ask; use --admin-addr or --url")
	}
	if port == "0" {
		return "", usageError("admin-addr %s is any free port: it cannot be known here; use --admin-addr or --url",
			settings.AdminAddr)
	}
	if host == "" {
		host = "127.0.0.1" // a URL needs a host, and a listener on all addresses accepts this one
	}
	return "http://" + net.JoinHostPort(host, port) + "/healthz", nil
}

func checkURL(text string) error {
	if u, err := url.Parse(text); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return nil
	}
	return usageError("flag --url: %s is not a URL; want one such as http://127.0.0.1:7780/healthz",
		configs.Quote(text))
}

// probe requests target once, and returns an error unless the status is 200.
func probe(target string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	// The reply must be the server's own: not that of a proxy from the environment, nor of the target of a redirection.
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return shortError(err, timeout)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}

// shortError removes the method and the URL from an HTTP client's error.
func shortError(err error, timeout time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", timeout)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

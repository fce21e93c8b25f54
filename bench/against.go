package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"demo-server/bench/result"
)

// newClient returns the client for the bench's own requests, outside of a load. It connects only to address, and
// ignores proxies of the environment, looks up no name and follows no redirect.
func newClient(address string) *http.Client {
	var dialer net.Dialer
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, address)
			},
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Choose finds which address of an external server answers, and makes every later connection use it. It does nothing
// for other rows.
func (row *Row) Choose(ctx context.Context) (err error) {
	if row.Kind != result.KindAgainst {
		return nil
	}
	for _, address := range row.Addresses {
		if err = row.answers(ctx, address, startTimeout/time.Duration(len(row.Addresses))); err == nil {
			row.Addresses = []netip.AddrPort{address}
			return nil
		}
	}
	return cmp.Or(err, fmt.Errorf("%s: %s has no address", row.Name, row.URL))
}

// answers returns an error if the server does not answer in time, or only with a redirect, which a load would not
// follow.
func (row *Row) answers(ctx context.Context, address netip.AddrPort, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, row.URL, nil)
	if err != nil {
		return err
	}
	request.Close = true
	response, err := newClient(address.String()).Do(request)
	var wrapped *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %s does not answer within %s", row.Name, row.URL, timeout)
	case errors.As(err, &wrapped):
		return fmt.Errorf("%s: %s does not answer: %s", row.Name, row.URL, printable(wrapped.Err))
	case err != nil:
		return err
	}
	response.Body.Close()
	if location := response.Header.Get("Location"); response.StatusCode/100 == 3 && location != "" {
		return fmt.Errorf("%s: %s answers with a redirect (%d) to %.200q, which is not followed; want the URL that is meant",
			row.Name, row.URL, response.StatusCode, location)
	}
	return nil
}

// printable returns the text of an error without control characters, because it may quote a server, and a terminal
// would obey them.
func printable(err error) string {
	quoted := strconv.QuoteToGraphic(fmt.Sprintf("%.200s", err))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// running returns the target of an external server.
func (row Row) running() (*target, error) {
	u, err := url.Parse(row.URL)
	if err != nil {
		return nil, err
	}
	if len(row.Addresses) == 0 {
		return nil, fmt.Errorf("%s has no address", row.URL)
	}
	return &target{address: row.Addresses[0].String(), host: u.Host, path: u.RequestURI()}, nil
}

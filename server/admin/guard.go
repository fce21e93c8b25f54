package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Probes come without a token, and tell nothing that a token should protect. Any web page may ask them, too: it cannot
// read the answer, and they start nothing.
const (
	pathHealthz = "/healthz"
	pathReadyz  = "/readyz"
)

// A guard lets a request through, or answers it: every request but the probes needs the token where one is set. Where
// none is set, only a listener on loopback answers, and only to a Host that no web page can forge. No request that a page
// of another origin makes is let through, because it needs no answer to start a profile.
type guard struct {
	tokenSet bool
	token    [sha256.Size]byte // hashed, because a constant-time comparison needs equal lengths
	loopback bool
}

func newGuard(token string, loopback bool) *guard {
	return &guard{tokenSet: token != "", token: sha256.Sum256([]byte(token)), loopback: loopback}
}

func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probe := r.URL.Path == pathHealthz || r.URL.Path == pathReadyz
		status, why := g.refuses(r)
		if probe || status == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="demo-server admin"`)
		}
		http.Error(w, why, status)
	})
}

// refuses returns the status of a request that is no probe, and one line that says why; 0 if it is let through.
func (g *guard) refuses(r *http.Request) (status int, why string) {
	switch {
	case g.tokenSet && !g.authorized(r):
		return http.StatusUnauthorized, "unauthorized: send admin-token as Authorization: Bearer TOKEN"
	case !g.tokenSet && !g.loopback:
		return http.StatusForbidden, "forbidden: admin-token has to be set, as other machines can reach this address"
	case !g.tokenSet && !localHost(r.Host):
		return http.StatusForbidden, "forbidden: the Host header must be an IP address or localhost"
	case crossOrigin(r):
		return http.StatusForbidden, "forbidden: a page of another origin asks; type the address into the address bar instead"
	}
	return 0, ""
}

// crossOrigin reports whether a browser makes the request for a page of another origin. Sec-Fetch-Site is none for what
// its user asks for, and same-site for another port of this machine. Browsers that do not send it, send Origin with some
// requests; other clients send neither.
func crossOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site != "same-origin" && site != "none"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	page, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(page.Host, r.Host)
}

func (g *guard) authorized(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sent := sha256.Sum256([]byte(token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sent[:], g.token[:]) == 1
}

// localHost tells a request of this machine from one of a web page whose name was made to resolve to 127.0.0.1 (DNS
// rebinding): such a page's Host is its own name, never an address.
func localHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	_, err = netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost")
}

// onLoopback reports whether only this machine can reach addr. What is no TCP address counts as reachable.
func onLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

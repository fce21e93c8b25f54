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

// Probes need no token, and their replies contain nothing secret. A web page may request them too: it cannot read the reply,
// and they start nothing.
const (
	pathHealthz = "/healthz"
	pathReadyz  = "/readyz"
)

// A guard lets a request through or refuses it. If a token is set, every request except probes needs it. If none is set, the
// listener must be on loopback, and the Host header must be one that a web page cannot forge. Requests from pages of another
// origin are always refused, because such a page need not read the reply to start a profile.
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

// refuses returns the status and the reason, in one line, if r is refused, else 0. It does not look for probes.
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

// crossOrigin reports whether a browser makes the request for a page of another origin. Sec-Fetch-Site is none if the user
// typed the address, and same-site for another port of this machine. Older browsers send Origin with some requests instead.
// Other clients send neither.
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

// localHost reports whether a Host header is an address or localhost. A web page whose name was made to resolve to 127.0.0.1
// (DNS rebinding) sends its own name instead.
func localHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	_, err = netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost")
}

// onLoopback reports whether only this machine can reach addr. It returns false unless addr is a TCP address.
func onLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

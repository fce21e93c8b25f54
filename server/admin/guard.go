package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Probes come without a token, and tell nothing that a token should protect.
const (
	pathHealthz = "/healthz"
	pathReadyz  = "/readyz"
)

// A guard lets a request through, or answers it: every request but the probes needs the token where one is set. Where
// none is set, only a listener on loopback answers, and only to a Host that no web page can forge.
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
		switch {
		case r.URL.Path == pathHealthz || r.URL.Path == pathReadyz:
			next.ServeHTTP(w, r)
		case g.tokenSet && !g.authorized(r):
			w.Header().Set("WWW-Authenticate", `Bearer realm="demo-server admin"`)
			http.Error(w, "unauthorized: send admin-token as Authorization: Bearer TOKEN", http.StatusUnauthorized)
		case !g.tokenSet && !g.loopback:
			http.Error(w, "forbidden: admin-token has to be set, as other machines can reach this address", http.StatusForbidden)
		case !g.tokenSet && !localHost(r.Host):
			http.Error(w, "forbidden: the Host header must be an IP address or localhost", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
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

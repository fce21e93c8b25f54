package server

// A Header is one header field of a reply.
type Header struct{ Name, Value string }

// What replies say so that pages of any origin may read them, and their Server-Timing (Fetch standard, section 3.3; Resource
// Timing, section 4.5). There are no cookies and no secrets that a page could abuse.
var (
	corsHeaders = []Header{
		{"Access-Control-Allow-Origin", "*"},
		{"Access-Control-Expose-Headers", "*"},
		{"Timing-Allow-Origin", "*"},
	}
	preflightHeaders = append(corsHeaders[:len(corsHeaders):len(corsHeaders)],
		Header{"Access-Control-Allow-Methods", "*"},
		Header{"Access-Control-Allow-Headers", "*, Authorization"}, // which the star leaves out
		Header{"Access-Control-Max-Age", "600"},
	)
)

// headers returns what a reply to err says in addition, or nil.
func (a *App) headers(err error) []Header {
	switch {
	case !a.config.CORS:
		return nil
	case err == ErrPreflight:
		return preflightHeaders
	}
	return corsHeaders
}

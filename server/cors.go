package server

// A Header is one header field of a reply.
type Header struct{ Name, Value string }

// These headers let pages of any origin read replies and their Server-Timing (Fetch standard, section 3.3; Resource
// Timing, section 4.5). There are no cookies or secrets that a page could abuse.
var (
	corsHeaders = []Header{
		{"Access-Control-Allow-Origin", "*"},
		{"Access-Control-Expose-Headers", "*"},
		{"Timing-Allow-Origin", "*"},
	}
	preflightHeaders = append(corsHeaders[:len(corsHeaders):len(corsHeaders)],
		Header{"Access-Control-Allow-Methods", "*"},
		Header{"Access-Control-Allow-Headers", "*, Authorization"}, // the star does not cover Authorization
		Header{"Access-Control-Max-Age", "600"},
	)
)

// headers returns the additional headers of a reply to err, or nil.
func (a *App) headers(err error) []Header {
	switch {
	case !a.config.CORS:
		return nil
	case err == ErrPreflight:
		return preflightHeaders
	}
	return corsHeaders
}

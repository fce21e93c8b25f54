package server

import (
	"slices"
	"strings"
)

// A Route is a path that the server answers, and its methods. A path may end in a parameter, such as {seconds}, which
// stands for one segment.
type Route struct {
	Path    string
	Methods []string
}

var (
	readMethods = []string{"GET", "HEAD"}
	anyMethod   = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} // scripts test how a client repeats a POST
)

// Routes is the one route table. Every transport serves exactly these routes. All but the first are httpbin's.
var Routes = []Route{
	{Path: "/", Methods: readMethods},
	{Path: "/delay/{seconds}", Methods: anyMethod},
	{Path: "/status/{code}", Methods: anyMethod},
	{Path: "/bytes/{n}", Methods: readMethods},
	{Path: "/drip", Methods: readMethods},
}

// routeNames returns the routes' paths as text, such as "/, /delay/{seconds} and /drip".
func routeNames(routes []Route) string {
	names := make([]string, len(routes))
	for i, route := range routes {
		names[i] = route.Path
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func lookup(routes []Route, method, path string) (*Route, error) {
	for i := range routes {
		if !routes[i].matches(path) {
			continue
		}
		if slices.Contains(routes[i].Methods, method) {
			return &routes[i], nil
		}
		return nil, ErrMethodNotAllowed
	}
	return nil, ErrNotFound
}

// matches reports whether path is one of the route's. It accepts one trailing slash, because httpbin's clients
// sometimes send it.
func (r *Route) matches(path string) bool {
	if path == r.Path {
		return true
	}
	path = strings.TrimSuffix(path, "/")
	if path == r.Path && path != "/" {
		return true
	}
	fixed, _, parameter := strings.Cut(r.Path, "{")
	rest, ok := strings.CutPrefix(path, fixed)
	return ok && parameter && rest != "" && !strings.Contains(rest, "/")
}

// allowed returns the Allow header of a path.
func allowed(path string) string {
	for i := range Routes {
		if Routes[i].matches(path) {
			return strings.Join(Routes[i].Methods, ", ")
		}
	}
	return ""
}

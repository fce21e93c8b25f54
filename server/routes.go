package server

import (
	"slices"
	"strings"
)

// A Route is a path that the server answers, with the methods that it answers it to.
type Route struct {
	Path    string
	Methods []string
}

// Routes is the one route table: every transport serves it and nothing else.
var Routes = []Route{
	{Path: "/", Methods: []string{"GET", "HEAD"}},
}

// Lookup finds the route of a request, or returns ErrNotFound or ErrMethodNotAllowed.
func Lookup(method, path string) (*Route, error) {
	for i := range Routes {
		if Routes[i].Path != path {
			continue
		}
		if slices.Contains(Routes[i].Methods, method) {
			return &Routes[i], nil
		}
		return nil, ErrMethodNotAllowed
	}
	return nil, ErrNotFound
}

// allowed is the Allow header of a path: the methods that it answers to.
func allowed(path string) string {
	for _, route := range Routes {
		if route.Path == path {
			return strings.Join(route.Methods, ", ")
		}
	}
	return ""
}

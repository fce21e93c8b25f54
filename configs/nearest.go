package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the known name that name most likely misspells or begins, or "" if it resembles none.
func Nearest(name string, known []string) string {
	const maxLength = 64 // a longer text is not a name, and costly to compare
	if len(name) > maxLength {
		return ""
	}
	nearest, minDistance := "", 2+len(name)/3
	for _, candidate := range known {
		d := levenshtein.ComputeDistance(strings.ToLower(name), candidate)
		if len(name) <= 3 && d > 1 && !strings.HasPrefix(candidate, strings.ToLower(name[:min(1, len(name))])) {
			continue // two differences are most of such a short name
		}
		if d < minDistance {
			nearest, minDistance = candidate, d
		}
	}
	if nearest == "" {
		return beginning(name, known)
	}
	return nearest
}

// beginning returns the only known name that begins with name, or "" if name has fewer than two letters.
func beginning(name string, known []string) (only string) {
	for _, candidate := range known {
		switch {
		case len(name) < 2 || !strings.HasPrefix(candidate, strings.ToLower(name)):
		case only != "":
			return "" // not the only one
		default:
			only = candidate
		}
	}
	return only
}

// OneOf returns an error if text is none of the known names.
func OneOf(text string, known []string) error {
	if slices.Contains(known, text) {
		return nil
	}
	return fmt.Errorf("%s is not known; %s", Quote(text), DidYouMean(text, known))
}

// DidYouMean returns the end of a message about an unknown name: the nearest known name, and all of them.
func DidYouMean(name string, known []string) string {
	all := "known: " + strings.Join(known, ", ")
	if nearest := Nearest(name, known); nearest != "" {
		return fmt.Sprintf("did you mean %q? %s", nearest, all)
	}
	return all
}

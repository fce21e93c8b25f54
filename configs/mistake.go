package configs

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// A Kind is a kind of source. A higher one overrides a lower one.
type Kind int

// The kinds of sources.
const (
	FromDefault Kind = iota
	FromPreset
	FromFile
	FromEnvironment
	FromFlag
)

// A Source says where a value came from.
type Source struct {
	Kind         Kind
	Name         string // of the preset, the file, the variable or the flag (with its dashes)
	Line, Column int    // in a file, from 1; 0 if not known
}

// String returns one line that names the source, such as "flag --mode" or "file demo.yaml:3:7".
func (s Source) String() string {
	switch s.Kind {
	case FromPreset:
		return "preset " + s.Name
	case FromEnvironment:
		return "environment " + printable(s.Name)
	case FromFlag:
		return "flag " + printable(s.Name)
	case FromFile:
		return "file " + printable(s.Name) + s.position()
	}
	return "default"
}

func (s Source) position() string {
	if s.Line == 0 {
		return ""
	}
	return fmt.Sprintf(":%d:%d", s.Line, s.Column)
}

// printable quotes text that would break a line or a YAML comment.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }) {
		return strconv.QuoteToASCII(text)
	}
	return text
}

// A Mistake is one mistake in the sources.
type Mistake struct {
	Source  Source
	Setting string // the setting's name; empty if the mistake is not about the value of a setting
	Value   string // quoted, shortened and redacted for print; empty if there is none
	Problem string // the part of the message after the value
	Want    string // how to correct it
}

// String returns one line: source, setting, value, problem, and how to correct it.
func (m Mistake) String() string {
	var line strings.Builder
	line.WriteString(m.Source.String() + ": ")
	// Flags and variables contain the name of their setting.
	if m.Setting != "" && m.Source.Kind < FromEnvironment {
		line.WriteString(m.Setting + ": ")
	}
	if m.Value != "" {
		line.WriteString(m.Value + " ")
	}
	line.WriteString(m.Problem)
	if m.Want != "" {
		line.WriteString("; " + m.Want)
	}
	return line.String()
}

// Mistakes is the error that Load returns: all mistakes, not only the first.
type Mistakes []Mistake

// Error returns one line for each mistake.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.String()
	}
	return strings.Join(lines, "\n")
}

// Quote returns the first 60 characters of text, quoted, for use in a Mistake.
func Quote(text string) string {
	const limit = 60
	runes := 0
	for i := range text {
		if runes == limit {
			return strconv.Quote(text[:i]) + "…"
		}
		runes++
	}
	return strconv.Quote(text)
}

package fault

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxMistakes limits the mistakes reported for one text, because reporting one costs more than making one.
const maxMistakes = 10

// names holds the names of the parameters.
var names = []string{"delay", "work", "status", "size", "drip", "abort", "after", "retry_after"}

// ParseQuery parses a request's raw query, without the question mark.
//
// It ignores parameters with other names, because clients send such as ?_=123 to bypass caches. But a name that is one
// typing error away from a known one is a mistake, and so is a parameter given twice. The error has a line for each
// mistake, up to ten, with the value given and a correct one.
func ParseQuery(rawQuery string, caps Caps) (Spec, error) {
	if rawQuery == "" {
		return Spec{}, nil
	}
	var s Spec
	if err := s.parseQuery(rawQuery, caps); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// ParseLenient parses queries that are not written for this server. It ignores parameters that ParseQuery would report
// as mistakes, and the second of two with the same name. It accepts combinations without meaning.
func ParseLenient(rawQuery string, caps Caps) Spec {
	var s Spec
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		decodeAndSet(name, value, url.QueryUnescape, func(name, value string) error { // ignores errors
			_, err := s.set(name, value, caps)
			return err
		})
	}
	return s
}

func (s *Spec) parseQuery(rawQuery string, caps Caps) error {
	err := eachParameter(rawQuery, url.QueryUnescape, func(name, value string) error {
		known, err := s.set(name, value, caps)
		if known {
			return err
		}
		return slip(name, names)
	})
	if err != nil {
		return err
	}
	return s.checkCombination()
}

// ParseSetting parses the faults of a setting. The grammar is the same, but nothing is decoded, and an unknown name is
// a mistake.
func ParseSetting(text string, caps Caps) (Spec, error) {
	var s Spec
	plain := func(text string) (string, error) { return text, nil }
	err := eachParameter(text, plain, func(name, value string) error {
		known, err := s.set(name, value, caps)
		if known {
			return err
		}
		return unknown(name, names)
	})
	if err == nil {
		err = s.checkCombination()
	}
	if err != nil {
		return Spec{}, err
	}
	return s, nil
}

// set parses the parameter with this name, and reports whether the name is known.
func (s *Spec) set(name, value string, caps Caps) (known bool, err error) {
	switch name {
	case "delay":
		err = read(&s.delay, name, value, caps, parseDelay)
	case "work":
		err = read(&s.work, name, value, caps, parseWork)
	case "status":
		err = read(&s.status, name, value, caps, parseStatus)
	case "size":
		err = read(&s.size, name, value, caps, parseSize)
	case "drip":
		err = read(&s.drip, name, value, caps, parseDrip)
	case "abort":
		err = read(&s.abort, name, value, caps, parseAbort)
	case "after":
		err = read(&s.after, name, value, caps, parseSize)
	case "retry_after":
		err = read(&s.retryAfter, name, value, caps, parseRetryAfter)
	default:
		return false, nil
	}
	return true, err
}

// eachParameter calls set for each parameter of text, and joins its errors.
func eachParameter(text string, decode func(string) (string, error), set func(name, value string) error) error {
	var mistakes []error
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue // as in && and at the end
		}
		name, value, _ := strings.Cut(pair, "=")
		if err := decodeAndSet(name, value, decode, set); err != nil {
			mistakes = append(mistakes, err)
		}
		if len(mistakes) == maxMistakes {
			break
		}
	}
	return errors.Join(mistakes...)
}

func decodeAndSet(name, value string, decode func(string) (string, error), set func(name, value string) error) error {
	plainName, err := decode(name)
	if err != nil {
		return fmt.Errorf("%s is not percent-encoded; want %%XX, and %%25 for the sign itself", show(name))
	}
	plainValue, err := decode(value)
	if err != nil {
		return fmt.Errorf("%s=%s is not percent-encoded; want %%XX, and %%25 for the sign itself", show(name), show(value))
	}
	return set(plainName, plainValue)
}

// slip returns an error if name is unknown, but close to a known one.
func slip(name string, known []string) error {
	folded := strings.ToLower(name)
	if slices.ContainsFunc(known, func(k string) bool { return oneSlip(folded, k) }) {
		return unknown(name, known)
	}
	return nil
}

func unknown(name string, known []string) error {
	return fmt.Errorf("%s is not known; known: %s", show(name), strings.Join(known, ", "))
}

// oneSlip reports whether a and b differ by one extra, missing or wrong letter, or by two swapped ones.
func oneSlip(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

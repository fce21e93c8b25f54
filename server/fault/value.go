package fault

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"demo-server/units"
)

const (
	maxPieces     = 1000
	maxRetryAfter = 24 * 60 * 60 // seconds
)

// decimal matches a number without a sign or an exponent that a float64 holds exactly to the last decimal.
var decimal = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,6})?$`)

func parseDecimal(text string) (n float64, ok bool) {
	if !decimal.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// parseDuration parses a duration in Go's syntax, from 0 to limit.
func parseDuration(text string, limit time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil && decimal.MatchString(text):
		return 0, fmt.Errorf("has no unit; write %s", units.WithUnit(text))
	case err != nil:
		return 0, fmt.Errorf("is not a duration; want at most %s, such as 2s or 300ms", units.FormatDuration(limit))
	case d < 0:
		return 0, fmt.Errorf("is negative; want a duration from 0s to %s", units.FormatDuration(limit))
	case d > limit:
		return 0, fmt.Errorf("is too long; want at most %s", units.FormatDuration(limit))
	}
	return d, nil
}

// parseWork parses the name of a kind of work. It returns the cap's string, because text may not outlive the request.
func parseWork(text string, caps Caps) (string, error) {
	i := slices.Index(caps.Kinds, text)
	if i < 0 {
		return "", fmt.Errorf("cannot be asked for; want one of %s", strings.Join(caps.Kinds, ", "))
	}
	return caps.Kinds[i], nil
}

// parseStatus parses a status. 1xx are not replies, but precede one (RFC 9110, section 15.2).
func parseStatus(text string, _ Caps) (int, error) {
	status, err := strconv.ParseUint(text, 10, 16)
	if err != nil || status < 200 || status > 599 {
		return 0, errors.New("is not a final status; want 200 to 599")
	}
	return int(status), nil
}

// parseSize parses a whole number of bytes, or of a unit.
func parseSize(text string, caps Caps) (int64, error) {
	n, ok := units.ParseSize(text)
	switch {
	case !ok:
		return 0, fmt.Errorf("is not a size; want at most %s, in bytes or with KiB, MiB or GiB", units.FormatSize(caps.MaxSize))
	case n > caps.MaxSize:
		return 0, fmt.Errorf("is too large; want at most %s", units.FormatSize(caps.MaxSize))
	}
	return n, nil
}

func parseDrip(text string, _ Caps) (int, error) { return parseCount(text, maxPieces) }

func parseRetryAfter(text string, _ Caps) (int, error) { return parseCount(text, maxRetryAfter) }

func parseCount(text string, limit int) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || int(n) > limit {
		return 0, fmt.Errorf("is out of range; want a whole number from 0 to %d", limit)
	}
	return int(n), nil
}

func parseAbort(text string, _ Caps) (Abort, error) {
	i := slices.Index(aborts[:], text)
	if i < 0 {
		return None, fmt.Errorf("is not known; known: %s", strings.Join(aborts[:], ", "))
	}
	return Abort(i), nil
}

// show formats a value for a message: one short word, quoted if it would break the line.
func show(text string) string {
	const most = 40
	runes := 0
	for i := range text {
		if runes == most {
			text = text[:i] + "..."
			break
		}
		runes++
	}
	odd := func(r rune) bool { return r == unicode.ReplacementChar || r == ' ' || !unicode.IsGraphic(r) }
	if text == "" || strings.ContainsFunc(text, odd) {
		return strconv.QuoteToASCII(text)
	}
	return text
}

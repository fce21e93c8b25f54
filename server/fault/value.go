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
)

const (
	maxPieces     = 1000
	maxRetryAfter = 24 * 60 * 60 // seconds
)

// decimal is a number without a sign or an exponent, short enough for a float64 to be exact to the last decimal.
var decimal = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,6})?$`)

func parseDecimal(text string) (n float64, ok bool) {
	if !decimal.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// parseDuration reads a duration in Go's syntax, from 0 to most.
func parseDuration(text string, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil && decimal.MatchString(text):
		return 0, fmt.Errorf("has no unit; write %ss", text)
	case err != nil:
		return 0, fmt.Errorf("is not a duration; want at most %s, such as 2s or 300ms", formatDuration(most))
	case d < 0:
		return 0, fmt.Errorf("is negative; want a duration from 0s to %s", formatDuration(most))
	case d > most:
		return 0, fmt.Errorf("is too long; want at most %s", formatDuration(most))
	}
	return d, nil
}

// formatDuration is d.String without the units that are 0: 1m for 1m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// parseWork reads the name of a kind of work. It returns the cap's own string: text may not outlive the request.
func parseWork(text string, caps Caps) (string, error) {
	i := slices.Index(caps.Kinds, text)
	if i < 0 {
		return "", fmt.Errorf("is not known; known: %s", strings.Join(caps.Kinds, ", "))
	}
	return caps.Kinds[i], nil
}

// parseStatus reads the status of a reply. 1xx are not replies, but precede one (RFC 9110, section 15.2).
func parseStatus(text string, _ Caps) (int, error) {
	status, err := strconv.ParseUint(text, 10, 16)
	if err != nil || status < 200 || status > 599 {
		return 0, errors.New("is no final status; want 200 to 599")
	}
	return int(status), nil
}

// units of sizes, the largest first. Only the powers of 1024 are known, because KB means 1000 to some, 1024 to others.
var units = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// parseSize reads a whole number of bytes, or of a unit.
func parseSize(text string, caps Caps) (int64, error) {
	number, unit := text, int64(1)
	for _, u := range units {
		if n, found := strings.CutSuffix(text, u.name); found {
			number, unit = n, u.bytes
		}
	}
	n, err := strconv.ParseUint(number, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange) || int64(n) > caps.MaxSize/unit:
		return 0, fmt.Errorf("is too large; want at most %s", formatSize(caps.MaxSize))
	case err != nil:
		return 0, fmt.Errorf("is not a size; want at most %s, in bytes or with KiB, MiB or GiB", formatSize(caps.MaxSize))
	}
	return int64(n) * unit, nil
}

// formatSize writes n with the largest unit that divides it.
func formatSize(n int64) string {
	for _, u := range units {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

func parseDrip(text string, _ Caps) (int, error) { return parseCount(text, maxPieces) }

func parseRetryAfter(text string, _ Caps) (int, error) { return parseCount(text, maxRetryAfter) }

func parseCount(text string, most int) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || int(n) > most {
		return 0, fmt.Errorf("is out of range; want a whole number from 0 to %d", most)
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

// show makes one short word of what was given, for a message: as it is, or quoted where it would break the line.
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

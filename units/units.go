// Package units parses and formats durations and sizes as people write them.
//
// It must not know their purpose, nor their limits.
package units

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Sizes in bytes.
const (
	KiB = 1 << 10
	MiB = 1 << 20
	GiB = 1 << 30
)

// sizes are the units of sizes, the largest first. They are powers of 1024 only, because KB may mean 1000 or 1024
// bytes.
var sizes = []struct {
	name  string
	bytes int64
}{{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}}

// ParseSize parses a whole number with or without a unit, and returns the number of bytes, or math.MaxInt64 if there
// are more. ok is false if text is not a size.
func ParseSize(text string) (n int64, ok bool) {
	unit := int64(1)
	for _, u := range sizes {
		if number, found := strings.CutSuffix(text, u.name); found {
			text, unit = number, u.bytes
			break
		}
	}
	count, err := strconv.ParseUint(text, 10, 63)
	if errors.Is(err, strconv.ErrRange) || int64(count) > math.MaxInt64/unit {
		return math.MaxInt64, true
	}
	return int64(count) * unit, err == nil
}

// FormatSize formats n bytes with the largest unit that divides them.
func FormatSize(n int64) string {
	for _, u := range sizes {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// WithUnit suggests what a duration without a unit may mean: seconds, or milliseconds if that would be many seconds.
func WithUnit(number string) string {
	if whole, _, _ := strings.Cut(number, "."); len(whole) > 1 {
		return number + "ms or " + number + "s"
	}
	return number + "s"
}

// FormatDuration returns d.String without the units that are 0, such as 1m for 1m0s.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Count returns a number of things, such as "1 worker" or "3 workers".
func Count(n int, thing string) string { return strconv.Itoa(n) + " " + Plural(n, thing) }

// Plural returns the word for n things, given the word for one.
func Plural(n int, thing string) string {
	if n == 1 {
		return thing
	}
	return thing + "s"
}

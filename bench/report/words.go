// Package report shows the result of a run of the bench: as tables in a terminal, and as an HTML page with pictures.
//
// It knows the result, and the words of verdicts on two results. It must not know how anything was measured, and must
// not judge it: verdicts and notes are part of the result.
package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"demo-server/bench/result"
)

// unknown stands for figures that were not measured.
const unknown = "–"

// seconds formats a duration with the digits that a histogram of three digits keeps: four of seconds, three of
// shorter units.
func seconds(s float64) string {
	switch {
	case s == 0:
		return "0 s"
	case digits(s*1e3, 3) >= 1000:
		return decimal(s, 4) + " s"
	case digits(s*1e6, 3) >= 1000:
		return decimal(s*1e3, 3) + " ms"
	}
	return decimal(s*1e6, 3) + " µs"
}

// latency formats a latency, or returns unknown for nil. A lower bound follows ">".
func latency(l *result.Latency) string {
	switch {
	case l == nil:
		return unknown
	case l.Beyond:
		return "> " + atLeast(l.Seconds)
	}
	return seconds(l.Seconds)
}

// atLeast formats a lower bound with few digits, rounded down: a latency above 4.101 s is also above 4.1 s.
func atLeast(s float64) string {
	const almost = 1e-9 // rounding error of binary fractions
	magnitude := math.Floor(math.Log10(max(s, 1e-9)))
	unit := math.Pow(10, min(0, magnitude-1)+max(0, magnitude-3)) // two digits, whole seconds, or four of seconds
	return short(math.Floor(s/unit+almost) * unit)
}

// short formats a duration that a user chose, such as 60 s, without trailing zeros.
func short(s float64) string { return plainly(seconds(s)) }

// plainly removes trailing zeros after the decimal point of a number with a unit.
func plainly(text string) string {
	number, unit, some := strings.Cut(text, " ")
	if strings.Contains(number, ".") && !strings.Contains(number, "e") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	if !some {
		return number
	}
	return number + " " + unit
}

// span formats seconds of long durations as 31m32s, and durations below a second as 250ms.
func span(s float64) string {
	if s > 0 && s < 1 {
		return time.Duration(math.Ceil(s*100) * float64(10*time.Millisecond)).String()
	}
	return time.Duration(math.Round(s) * float64(time.Second)).String()
}

// rate formats requests per second, or returns unknown for nil.
func rate(r *float64) string {
	if r == nil {
		return unknown
	}
	return decimal(*r, 4)
}

// share formats a share as a percentage.
func share(part float64) string {
	if !(math.Abs(part) < mostPlain) {
		return decimal(100*part, 4) + "%"
	}
	text := fixed(100*part, 1)
	if text == "100.0" {
		return "100%"
	}
	return text + "%"
}

// ratio formats the share of two figures, or returns unknown if either is nil.
func ratio(part, of *float64) string {
	if part == nil || of == nil || *of == 0 {
		return unknown
	}
	return share(*part / *of)
}

// count formats a number of things in at most six characters.
func count(n int) string {
	switch {
	case n >= 999_500:
		return decimal(float64(n)/1e6, 3) + "M"
	case n >= 100_000:
		return decimal(float64(n)/1e3, 3) + "k"
	}
	return thousands(strconv.Itoa(n))
}

// figure formats a sampled number, or returns unknown for nil.
func figure(f *float64) string {
	if f == nil {
		return unknown
	}
	if !(math.Abs(*f) < mostPlain) {
		return decimal(*f, 3)
	}
	return count(int(math.Round(*f)))
}

// size formats a size in bytes with decimal units, or returns unknown for nil.
func size(f *float64) string {
	if f == nil {
		return unknown
	}
	magnitude := math.Abs(*f)
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if digits(magnitude, 3) >= unit.size {
			return decimal(*f/unit.size, 3) + " " + unit.name
		}
	}
	return decimal(math.Round(*f), 3) + " B"
}

// scaled formats a number times by with three digits, or returns unknown for nil. For milliseconds, by is 1e3.
func scaled(f *float64, by float64) string {
	if f == nil {
		return unknown
	}
	return decimal(*f*by, 3)
}

// cores formats a number of cores, or returns unknown for nil.
func cores(f *float64) string {
	if f == nil {
		return unknown
	}
	return fixed(*f, 3)
}

// fixed formats a number with this many digits after the decimal point. A negative number that rounds to 0 has no
// sign.
func fixed(f float64, digits int) string {
	text := strconv.FormatFloat(f, 'f', digits, 64)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// signed formats a change in percent, with a sign unless it rounds to 0.
func signed(percent float64) string {
	text := fixed(percent, 1)
	if percent > 0 && text != "0.0" {
		text = "+" + text
	}
	return text + "%"
}

// perRequest formats a number per request with two digits after the decimal point, or returns unknown for nil.
func perRequest(f *float64) string {
	if f == nil {
		return unknown
	}
	return fixed(*f, 2)
}

// digits rounds to n significant digits.
func digits(f float64, n int) float64 {
	if f == 0 {
		return 0
	}
	power := math.Pow(10, float64(n-1)-math.Floor(math.Log10(math.Abs(f))))
	return math.Round(f*power) / power
}

// The range of numbers that are written without an exponent. No measured figure is outside it, and a number of 300
// digits would leave no room for other columns.
const (
	leastPlain = 1e-12
	mostPlain  = 1e15
)

// decimal formats a number with n significant digits, or with all digits before the decimal point if these are more.
func decimal(f float64, n int) string {
	switch magnitude := math.Abs(f); {
	case f == 0:
		return "0"
	case !(magnitude >= leastPlain && magnitude < mostPlain): // also for NaN
		return strconv.FormatFloat(f, 'e', n-1, 64)
	}
	f = digits(f, n)
	before := max(1, int(math.Floor(math.Log10(math.Abs(f))))+1)
	after := max(0, n-before)
	if math.Abs(f) < 1 {
		after = n - 1 - int(math.Floor(math.Log10(math.Abs(f))))
	}
	return thousands(strconv.FormatFloat(f, 'f', after, 64))
}

// thousands puts a comma between every three digits before the decimal point.
func thousands(number string) string {
	whole, rest, point := strings.Cut(number, ".")
	for at := len(whole) - 3; at > 0 && whole[at-1] != '-'; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if point {
		return whole + "." + rest
	}
	return whole
}

// list joins words as in a sentence: a, b and c.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// plural formats a number of things, with an s unless the number is 1.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(strconv.Itoa(n)) + " " + thing + "s"
}

// clean replaces control characters and line ends by spaces, because names and log lines come from others and could
// control the terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// loadInWords describes the load on each row.
func loadInWords(l result.Load) string {
	var s strings.Builder
	if l.Loop == "open" {
		fmt.Fprintf(&s, "%s requests/s, sent whatever became of them, at most %s of them waiting at a time",
			plainly(decimal(l.Rate, 4)), count(l.Concurrency))
	} else {
		fmt.Fprintf(&s, "%s, each with one request at a time", plural(l.Concurrency, "client"))
	}
	if l.Requests > 0 {
		fmt.Fprintf(&s, ", until %s were answered", plural(l.Requests, "request"))
	} else {
		fmt.Fprintf(&s, ", for %s", short(l.DurationSeconds))
	}
	fmt.Fprintf(&s, "; %s", plural(l.Repeat, "round"))
	if l.WarmupSeconds > 0 {
		fmt.Fprintf(&s, ", without the first %s of each", short(l.WarmupSeconds))
	}
	connections := "a connection for each request"
	if l.Keepalive {
		connections = "on kept connections"
	}
	fmt.Fprintf(&s, "; %s; by %s", connections, generators[l.Generator])
	return s.String()
}

var generators = map[string]string{"builtin": "the built-in load generator", "ab": "ab", "wrk": "wrk"}

// machineInWords describes the machine of a run.
func machineInWords(m result.Machine) string {
	words := []string{plural(m.Cores, "core")}
	if m.CPU != "" {
		words[0] += " of " + m.CPU
	}
	if m.Memory > 0 {
		words = append(words, size(result.Number(m.Memory))+" of memory")
	}
	words = append(words, m.System)
	if m.Kernel != "" {
		words[len(words)-1] += " " + m.Kernel
	}
	words = append(words, m.Go)
	if m.OpenFiles > 0 {
		words = append(words, count(m.OpenFiles)+" open files at most")
	}
	if m.Backlog > 0 {
		words = append(words, "accept queues of "+count(m.Backlog)+" at most")
	}
	return strings.Join(words, ", ")
}

// when formats a time in its own time zone, the machine's.
func when(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

package fault

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// certain is the weight of 100 percent. Weights count millionths of a percent, to add up exactly.
const certain = 100 * percent

const percent = 1_000_000

// A weighted holds the values that a parameter may take. It is nil if the parameter is not given.
type weighted[T any] []alternative[T]

// An alternative is taken by draws below its limit, and not below the previous one's.
type alternative[T any] struct {
	value T
	below uint32 // its weight plus all weights before it
}

// always returns a weighted that always takes value.
func always[T any](value T) weighted[T] { return weighted[T]{{value, certain}} }

// sum returns the weight of all alternatives.
func (w weighted[T]) sum() uint32 {
	if len(w) == 0 {
		return 0
	}
	return w[len(w)-1].below
}

// maxSizeOf and minSizeOf return the extremes of at least one size.
func maxSizeOf(w weighted[int64]) int64 { return slices.MaxFunc(w, bySize).value }

func minSizeOf(w weighted[int64]) int64 { return slices.MinFunc(w, bySize).value }

func bySize(a, b alternative[int64]) int { return cmp.Compare(a.value, b.value) }

// draw returns one of the alternatives, or fallback for the rest of the weights.
func (w weighted[T]) draw(r *rand.Rand, fallback T) T {
	switch {
	case len(w) == 0:
		return fallback
	case w[0].below == certain:
		return w[0].value
	}
	n := r.Uint32N(certain)
	for _, a := range w {
		if n < a.below {
			return a.value
		}
	}
	return fallback
}

// over fills the rest of w's weights with base's alternatives.
func (w weighted[T]) over(base weighted[T]) weighted[T] {
	taken := w.sum()
	switch {
	case w == nil:
		return base
	case taken == certain || base == nil:
		return w
	}
	all := slices.Clip(w) // appending copies it
	for _, a := range base {
		share := uint64(certain-taken) * uint64(a.below) / certain
		all = append(all, alternative[T]{a.value, taken + uint32(share)})
	}
	return all
}

// appendTo appends the parameter in the grammar.
func (w weighted[T]) appendTo(b []byte, name string, format func(T) string) []byte {
	if w == nil {
		return b
	}
	if len(b) > 0 {
		b = append(b, '&')
	}
	b = append(append(b, name...), '=')
	if len(w) == 1 && w[0].below == certain {
		return append(b, format(w[0].value)...)
	}
	var before uint32
	for i, a := range w {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, format(a.value)...), ':')
		b = strconv.AppendFloat(b, float64(a.below-before)/percent, 'f', -1, 64)
		before = a.below
	}
	return b
}

var errTwice = errors.New("is given twice; want it once")

// A parser parses one value of a parameter.
type parser[T any] func(text string, caps Caps) (T, error)

// read parses a parameter's values, such as "503" or "503:10,429:5".
func read[T any](into *weighted[T], name, text string, caps Caps, parse parser[T]) error {
	if *into != nil {
		return fmt.Errorf("%s %w", name, errTwice)
	}
	var all weighted[T]
	for rest, more := text, true; more; {
		var part string
		part, rest, more = cutAlternative(rest)
		value, weight, err := readAlternative(part, caps, parse)
		if err != nil {
			return fmt.Errorf("%s=%w", name, err)
		}
		if several := more || all != nil; several && !strings.Contains(part, ":") {
			return fmt.Errorf("%s=%s has no weight among several; write %[2]s:P, where P is its percentage", name, show(part))
		}
		sum := all.sum() + weight // at most twice certain
		if sum > certain {
			return fmt.Errorf("%s=%s adds up to more than 100 percent; want at most 100 in all", name, show(text))
		}
		all = append(all, alternative[T]{value, sum})
	}
	*into = all
	return nil
}

// readAlternative parses a value and its weight. The default weight is certain.
func readAlternative[T any](part string, caps Caps, parse parser[T]) (value T, weight uint32, err error) {
	given, percentage, weighs := strings.Cut(part, ":")
	if strings.Contains(given, "=") {
		return value, 0, fmt.Errorf("%s holds another parameter; separate parameters by &", show(given))
	}
	value, err = parse(given, caps)
	if err != nil {
		return value, 0, fmt.Errorf("%s %w", show(given), err)
	}
	if !weighs {
		return value, certain, nil
	}
	n, ok := parseDecimal(percentage)
	if !ok || n > 100 {
		return value, 0, fmt.Errorf("%s has a weight that is not a percentage; want 0 to 100, with at most 6 decimals",
			show(part))
	}
	return value, uint32(math.Round(n * percent)), nil
}

// cutAlternative cuts a list at its first comma outside the brackets of a distribution.
func cutAlternative(list string) (first, rest string, more bool) {
	depth := 0
	for i := range len(list) {
		switch c := list[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			return list[:i], list[i+1:], true
		}
	}
	return list, "", false
}

package expect

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"demo-server/bench/result"
	"demo-server/units"
)

// A figure is a field of result.Figures.
type figure struct {
	name  string // in the JSON; dots lead into an object
	kind  kind
	index []int // of its field, for reflect
}

// figures holds all figures that a condition can use.
var figures = figuresOf(reflect.TypeFor[result.Figures](), "", nil)

// Figures returns the names of the figures that a condition can use, in the order of the JSON.
func Figures() []string {
	names := make([]string, len(figures))
	for i, f := range figures {
		names[i] = f.name
	}
	return names
}

// figuresOf returns the figures below a type. prefix and index lead to the type.
func figuresOf(t reflect.Type, prefix string, index []int) (all []figure) {
	for field := range t.Fields() {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		name, at := prefix+tag, slices.Concat(index, field.Index)
		of := field.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		switch {
		case name == "peak.at_seconds": // each maximum has its own time
		case of == reflect.TypeFor[result.Latency]():
			all = append(all, figure{name, duration, at})
		case field.Anonymous:
			all = append(all, figuresOf(of, prefix, at)...)
		case of.Kind() == reflect.Struct:
			all = append(all, figuresOf(of, name+".", at)...)
		case of.Kind() == reflect.Int:
			all = append(all, figure{name, count, at})
		case of.Kind() == reflect.Float64:
			all = append(all, figure{name, kindOf(name), at})
		}
	}
	return all
}

// kindOf returns the kind of a figure from the unit in its name. A name without a unit means a plain number.
func kindOf(name string) kind {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '.' })
	switch {
	case slices.Contains(words, "seconds"):
		return duration
	case slices.Contains(words, "bytes"):
		return size
	case slices.Contains(words, "share"):
		return share
	}
	return number
}

// of returns the measured value. beyond reports that the value is only a lower bound; known is false if it was not
// measured.
func (f figure) of(measured *result.Figures) (value float64, beyond, known bool) {
	field, err := reflect.ValueOf(measured).Elem().FieldByIndexErr(f.index)
	if err != nil || field.Kind() == reflect.Pointer && field.IsNil() {
		return 0, false, false
	}
	switch value := reflect.Indirect(field).Interface().(type) {
	case result.Latency:
		return value.Seconds, value.Beyond, true
	case int:
		return float64(value), false, true
	case float64:
		return value, false, true
	}
	return 0, false, false
}

// A kind is the quantity that a figure measures. It determines how values are written.
type kind int

const (
	number   kind = iota
	count         // a whole number
	duration      // in seconds
	size          // in bytes
	share         // from 0 to 1
)

// parse reads a value of the kind.
func (k kind) parse(text string) (float64, error) {
	if text == "" {
		return 0, errors.New("has no value; want " + k.want())
	}
	value, ok := k.read(text)
	if !ok {
		return 0, fmt.Errorf("%.60q does not fit; want %s", text, k.want())
	}
	return value, nil
}

// want describes how values of the kind are written.
func (k kind) want() string {
	switch k {
	case count:
		return "a whole number, such as 0"
	case duration:
		return "a duration, such as 300ms or 2.1s"
	case size:
		return "a size in bytes or with KiB, MiB or GiB, such as 64KiB"
	case share:
		return "a share from 0% to 100%, or from 0 to 1"
	}
	return "a number, such as 24.9"
}

func (k kind) read(text string) (value float64, ok bool) {
	switch k {
	case count:
		n, err := strconv.ParseUint(text, 10, 50)
		return float64(n), err == nil
	case duration:
		if d, err := time.ParseDuration(text); err == nil {
			return d.Seconds(), d >= 0
		}
		return readNumber(text) // seconds
	case size:
		n, ok := units.ParseSize(text)
		return float64(n), ok
	case share:
		percent, is := strings.CutSuffix(text, "%")
		if value, ok = readNumber(percent); is {
			value /= 100
		}
		return value, ok && value <= 1
	}
	return readNumber(text)
}

// readNumber reads a number that is not negative.
func readNumber(text string) (value float64, ok bool) {
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil && value >= 0 && !math.IsInf(value, 0)
}

// format returns a figure of the kind as text.
func (k kind) format(value float64) string {
	switch k {
	case duration:
		return time.Duration(math.Round(value * float64(time.Second))).String()
	case size:
		return formatSize(value)
	case share:
		return formatNumber(round(value*100, 15)) + "%"
	}
	return formatNumber(value)
}

// formatSize returns bytes like the report, with powers of 1000.
func formatSize(bytes float64) string {
	unit := "bytes"
	for _, larger := range []string{"kB", "MB", "GB"} {
		if math.Abs(bytes) < 1000 {
			break
		}
		bytes, unit = bytes/1000, larger
	}
	return formatNumber(round(bytes, 15)) + " " + unit
}

func formatNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// round returns f rounded to that many significant digits.
func round(f float64, digits int) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'e', digits-1, 64), 64)
	return rounded
}

package result

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// What a figure can be at most and at least, but for 0: more bytes than any memory has, and less time than any clock sees.
const (
	largest  = 1e15
	smallest = 1e-12
)

// What is more than any run has. Rows are compared with each other; an element of three bytes becomes one of a kilobyte.
const (
	mostRows     = 10_000
	mostElements = 1_000_000 // of all lists: samples, nearly all of them
)

// checkSize looks at JSON before memory is taken for what is in it.
func checkSize(text []byte) error {
	if n := elements(text); n > mostElements {
		return fmt.Errorf("its lists have %d elements; want at most %d", n, mostElements)
	}
	var list struct {
		Rows []struct{} `json:"rows"` // nothing of any
	}
	json.Unmarshal(text, &list) // what is wrong with it, Read will find
	if n := len(list.Rows); n > mostRows {
		return fmt.Errorf("rows: %d are more than a run has; want at most %d", n, mostRows)
	}
	return nil
}

// elements counts those of all lists in valid JSON, and an empty list as one.
func elements(text []byte) (n int) {
	var open []byte // what is around
	quoted, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '[' || c == '{':
			open = append(open, c)
			if c == '[' {
				n++
			}
		case c == ']' || c == '}':
			open = open[:len(open)-1]
		case c == ',' && open[len(open)-1] == '[':
			n++
		}
	}
	return n
}

// belowZero are the fields whose figures are differences of what was sampled, or follow from such.
var belowZero = []string{
	"left", "right", "requests_per_second_low", "cpu_seconds_per_request", "context_switches_per_request",
	"bytes_per_request_in_flight", "bytes_per_request", "goroutines_per_request", "threads_per_request", "server_cores",
	"client_cores", "other_cores",
}

// check returns an error that names the first field which no run can have written.
func (r *Result) check() error {
	names := map[string]int{}
	for i, row := range r.Rows {
		if first, twice := names[row.Name]; twice {
			return fmt.Errorf("rows[%d].name: %.100q is the name of rows[%d] already", i, row.Name, first)
		}
		names[row.Name] = i
	}
	return checkFigures(reflect.ValueOf(*r), "")
}

// checkFigures looks at all figures below a value, which path leads to.
func checkFigures(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return checkFigures(v.Elem(), path)
	case reflect.Slice:
		for i := range v.Len() {
			if err := checkFigures(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		return checkFields(v, path)
	case reflect.Int, reflect.Int64:
		return checkFigure(float64(v.Int()), path)
	case reflect.Uint64:
		return checkFigure(float64(v.Uint()), path)
	case reflect.Float64:
		return checkFigure(v.Float(), path)
	}
	return nil
}

// checkFields looks at each field of an object, those of an embedded one as its own.
func checkFields(v reflect.Value, path string) error {
	for field, value := range v.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		below := strings.TrimPrefix(path+"."+name, ".")
		switch {
		case field.Anonymous:
			below = path
		case name == "": // a time's own
			continue
		}
		if err := checkFigures(value, below); err != nil {
			return err
		}
	}
	return nil
}

func checkFigure(f float64, path string) error {
	magnitude := math.Abs(f)
	switch {
	case f == 0:
		return nil
	case !(magnitude >= smallest && magnitude <= largest):
		return fmt.Errorf("%s: %g is nothing that can be measured; want 0, or from %g to %g", path, f, smallest, largest)
	case f < 0 && !slices.Contains(belowZero, path[strings.LastIndexByte(path, '.')+1:]):
		return fmt.Errorf("%s: %g is below 0", path, f)
	}
	return nil
}

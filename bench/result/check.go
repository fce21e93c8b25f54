package result

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// The range of a figure, except for 0: largest exceeds the bytes of any memory, smallest is less than any clock
// resolves.
const (
	largest  = 1e15
	smallest = 1e-12
)

// Limits on the size of a file, both larger than in any run. Rows are compared with each other, and a list element of
// three bytes takes a kilobyte when it is decoded.
const (
	mostRows     = 10_000
	mostElements = 1_000_000 // of all lists together; nearly all are samples
)

// checkSize checks the number of rows and list elements in JSON before anything allocates memory for them.
func checkSize(text []byte) error {
	if n := elements(text); n > mostElements {
		return fmt.Errorf("its lists have %d elements; want at most %d", n, mostElements)
	}
	var list struct {
		Rows []struct{} `json:"rows"` // empty, to decode no field of a row
	}
	json.Unmarshal(text, &list) // Read reports its errors
	if n := len(list.Rows); n > mostRows {
		return fmt.Errorf("rows: %d are more than a run has; want at most %d", n, mostRows)
	}
	return nil
}

// elements returns the number of elements of all lists in valid JSON. An empty list counts as one.
func elements(text []byte) (n int) {
	var open []byte // the brackets that are open
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

// belowZero lists the fields that may be negative, because they are differences of samples or derived from these.
var belowZero = []string{
	"left", "right", "requests_per_second_low", "cpu_seconds_per_request", "context_switches_per_request",
	"bytes_per_request_in_flight", "bytes_per_request", "goroutines_per_request", "threads_per_request", "server_cores",
	"client_cores", "other_cores",
}

// check returns an error that names the first field whose value the bench cannot have written.
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

// checkFigures checks all figures in a value. path is the JSON path of the value.
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

// checkFields checks each field of an object. Fields of an embedded object count as fields of the outer one.
func checkFields(v reflect.Value, path string) error {
	for field, value := range v.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		below := strings.TrimPrefix(path+"."+name, ".")
		switch {
		case field.Anonymous:
			below = path
		case name == "": // fields of time.Time
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

package result

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A documented field is a row of a table in docs/reference/bench-result.md.
type documented struct{ Field, Type string }

// readme returns the tables of docs/reference/bench-result.md by their heading, and the text between heading and
// table.
func readme(t *testing.T) (tables map[string][]documented, intro map[string]string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/reference/bench-result.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, intro = map[string][]documented{}, map[string]string{}
	line := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\|( [^|]+ \\|)?$")
	heading := ""
	for text := range strings.Lines(string(text)) {
		text = strings.TrimSpace(text)
		if title, ok := strings.CutPrefix(strings.TrimLeft(text, "#"), " "); ok && strings.HasPrefix(text, "#") {
			heading = title
		} else if cells := line.FindStringSubmatch(text); cells != nil {
			tables[heading] = append(tables[heading], documented{cells[1], cells[2]})
		} else {
			intro[heading] += text + " "
		}
	}
	return tables, intro
}

// TestSchema compares the page with the types in both directions: each field, its type and whether it can be null.
func TestSchema(t *testing.T) {
	tables, intro := readme(t)
	objects := map[string][]documented{}
	walk(reflect.TypeFor[Result](), objects, func(outer, embedded string) {
		if !strings.Contains(intro[outer], "all fields of "+embedded) {
			t.Errorf("the page does not say that %s has all fields of %s", outer, embedded)
		}
	})
	delete(tables, "The CSV")
	if diff := cmp.Diff(objects, tables); diff != "" {
		t.Errorf("the page and the types differ (types -, page +):\n%s", diff)
	}
}

// walk collects the fields of a type and of all types that it contains.
func walk(object reflect.Type, objects map[string][]documented, embeds func(outer, embedded string)) {
	if _, seen := objects[object.Name()]; seen {
		return
	}
	objects[object.Name()] = nil
	for field := range object.Fields() {
		if field.Anonymous {
			embeds(object.Name(), field.Type.Name())
			walk(field.Type, objects, embeds)
			continue
		}
		in, words := inJSON(field.Type)
		objects[object.Name()] = append(objects[object.Name()], documented{field.Tag.Get("json"), words})
		if in.Kind() == reflect.Struct && in != reflect.TypeFor[time.Time]() {
			walk(in, objects, embeds)
		}
	}
}

// inJSON returns the type of a field without its containers, and the name of its type on the page.
func inJSON(field reflect.Type) (reflect.Type, string) {
	switch field.Kind() {
	case reflect.Pointer:
		in, words := inJSON(field.Elem())
		return in, words + " or null"
	case reflect.Slice:
		in, words := inJSON(field.Elem())
		return in, "list of " + words
	case reflect.Map:
		return field.Elem(), "object of strings"
	case reflect.Bool:
		return field, "true or false"
	case reflect.String:
		return field, "string"
	case reflect.Struct:
		if field == reflect.TypeFor[time.Time]() {
			return field, "time"
		}
		return field, field.Name()
	default:
		return field, "number"
	}
}

func TestColumns(t *testing.T) {
	tables, _ := readme(t)
	var described, written []string
	for _, line := range tables["The CSV"] {
		described = append(described, line.Field)
	}
	for _, column := range columns {
		written = append(written, column.name)
	}
	if diff := cmp.Diff(written, described); diff != "" {
		t.Errorf("the page and the columns differ (columns -, page +):\n%s", diff)
	}
}

package fleet

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"demo-server/internal/testkit/golden"
	"demo-server/server/metrics"
)

// TestMetricsReference writes the table of metrics. A Fleet has those of a single process, and its own. It needs Linux
// for the accept queue.
func TestMetricsReference(t *testing.T) {
	families, err := observedFleet(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	table := "| metric | type | labels | meaning |\n|---|---|---|---|\n"
	for _, family := range families {
		name, own := strings.CutPrefix(family.GetName(), metrics.NamePrefix)
		if !own {
			continue
		}
		var labels []string
		for _, label := range family.Metric[0].Label {
			labels = append(labels, "`"+label.GetName()+"`")
		}
		table += fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, strings.ToLower(family.GetType().String()), strings.Join(labels, ", "), family.GetHelp())
	}
	golden.Block(t, "../../docs/reference/metrics.md", "metrics", table)
}

// TestStatsReference writes the tables of the fields of /stats.
func TestStatsReference(t *testing.T) {
	const page = "../../docs/reference/admin-api.md"
	golden.Block(t, page, "stats", fieldsOf(reflect.TypeFor[metrics.Stats](), ""))
	golden.Block(t, page, "processes", fieldsOf(reflect.TypeFor[stats](), "metrics.Stats"))
}

// fieldsOf returns a table of the JSON fields of a type, without those of an embedded type.
func fieldsOf(object reflect.Type, without string) string {
	table := "| field | type |\n|---|---|\n"
	var add func(object reflect.Type, prefix string)
	add = func(object reflect.Type, prefix string) {
		for i := range object.NumField() {
			field := object.Field(i)
			name := prefix + field.Tag.Get("json")
			switch element, kind := elementOf(field.Type); {
			case field.Anonymous && field.Type.String() == without:
			case field.Type == reflect.TypeFor[metrics.ModeStats]() && prefix != "":
				table += fmt.Sprintf("| `%s…` | the fields from `mode` to `work_pools` |\n", prefix)
			case field.Anonymous:
				add(field.Type, prefix)
			default:
				table += fmt.Sprintf("| `%s` | %s |\n", name, kind)
				switch {
				case element == reflect.TypeFor[metrics.ModeStats]():
					table += fmt.Sprintf("| `%s[].…` | the fields from `mode` to `work_pools` |\n", name)
				case element.Kind() == reflect.Struct && element.PkgPath() != "time":
					add(element, name+kindSuffix[kind])
				}
			}
		}
	}
	add(object, "")
	return table
}

var kindSuffix = map[string]string{"list of objects": "[].", "object": ".", "object or null": "."}

// elementOf returns the type that a field is made of, and the words for the field's type.
func elementOf(of reflect.Type) (element reflect.Type, kind string) {
	switch of.Kind() {
	case reflect.Pointer:
		element, kind = elementOf(of.Elem())
		return element, kind + " or null"
	case reflect.Slice:
		return of.Elem(), "list of objects"
	case reflect.Array:
		return of, "object of counts by label"
	case reflect.Struct:
		if of.PkgPath() == "time" {
			return of, "time"
		}
		return of, "object"
	case reflect.Bool, reflect.String:
		return of, of.Kind().String()
	}
	return of, "number"
}

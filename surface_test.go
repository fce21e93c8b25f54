package layout

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"demo-server/internal/testkit/golden"
)

// TestSurface holds everything that users and their scripts see of the program, except its help: JSON keys, metrics, log
// messages with their fields, and the texts of error replies. A change here is a change for users, and belongs into
// CHANGELOG.md. The lists are read from the source and name no package, type or file, so that code can move.
func TestSurface(t *testing.T) {
	golden.File(t, "testdata/surface.txt", surfaceOf(t, ".").String())
}

// A surface holds the lines of each section, each line once.
type surface map[string]map[string]bool

func (s surface) add(section, line string) {
	if s[section] == nil {
		s[section] = map[string]bool{}
	}
	s[section][line] = true
}

// String returns all sections with their lines sorted.
func (s surface) String() string {
	var b strings.Builder
	for _, section := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s\n", section)
		for _, line := range slices.Sorted(maps.Keys(s[section])) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	return b.String()
}

// surfaceOf reads all Go files below root that are not tests.
func surfaceOf(t *testing.T, root string) surface {
	t.Helper()
	s := surface{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StructType:
				s.addKeys(n)
			case *ast.ValueSpec:
				s.addOutcomes(n)
			case *ast.KeyValueExpr:
				s.addPair(n)
			case *ast.CallExpr:
				s.addCall(n)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// addKeys adds the JSON keys of a struct, as one line.
func (s surface) addKeys(of *ast.StructType) {
	var keys []string
	for _, field := range of.Fields.List {
		if field.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(field.Tag.Value)
		if key, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ","); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	if keys != nil {
		s.add("JSON keys", strings.Join(keys, " "))
	}
}

// addOutcomes adds the texts in the table of outcomes.
func (s surface) addOutcomes(of *ast.ValueSpec) {
	if of.Names[0].Name != "outcomeNames" {
		return
	}
	for _, element := range of.Values[0].(*ast.CompositeLit).Elts {
		name, _ := literal(element.(*ast.KeyValueExpr).Value)
		s.add("outcomes", name)
	}
}

// addPair adds the text of a reply or the message of a log entry, if the field of a composite literal holds one.
func (s surface) addPair(pair *ast.KeyValueExpr) {
	key, _ := pair.Key.(*ast.Ident)
	call, _ := pair.Value.(*ast.CallExpr)
	switch {
	case key == nil:
	case key.Name == "Message":
		if text, ok := literal(pair.Value); ok {
			s.add("log messages", strconv.Quote(text))
		}
	case key.Name == "body" && call != nil && len(call.Args) == 1:
		if text, ok := literal(call.Args[0]); ok {
			s.add("replies", strconv.Quote(text))
		}
	}
}

// addCall adds the log message, log field or metric that a call makes.
func (s surface) addCall(call *ast.CallExpr) {
	if len(call.Args) == 0 {
		return
	}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "zap" {
			if key, ok := fieldKey(call); ok {
				s.add("log fields", key)
			}
			return
		}
	}
	if last, ok := literal(call.Args[len(call.Args)-1]); ok && (name == "Check" || name == "flush") {
		s.add("log messages", strconv.Quote(last))
		return
	}
	text, ok := literal(call.Args[0])
	switch {
	case !ok:
	case slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, name):
		s.add("log messages", strings.ToLower(name)+" "+strconv.Quote(text)+list(call.Args[1:], fieldKey))
	case name == "describe":
		s.add("metrics", text+list(call.Args[2:], literal))
	case name == "NewDesc":
		s.add("metrics", text)
	}
}

// list returns the arguments that the function knows, in front of each a space.
func list(args []ast.Expr, known func(ast.Expr) (string, bool)) (words string) {
	for _, arg := range args {
		if word, ok := known(arg); ok {
			words += " " + word
		}
	}
	return words
}

// literal returns the string that an expression is or ends with, as in prefix+"name".
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return literal(e.Y)
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	}
	return "", false
}

// fieldKey returns the key of a log field, such as zap.String("mode", …).
func fieldKey(e ast.Expr) (string, bool) {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	if f.Sel.Name == "Error" {
		return "error", true
	}
	if len(call.Args) == 0 {
		return "", false
	}
	return literal(call.Args[0])
}

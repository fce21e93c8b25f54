package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"demo-server/modes"
	"demo-server/work/kinds"
)

// knowNames are the folders that may use the names. In bench/originals, grpc is the name of a Python module, and in cores,
// cpu is the name of a control group.
var knowNames = []string{"modes", "work", "bench/originals", "cores"}

// TestNamesOfModesAndKinds checks that a mode or a kind of work is one file and one line: no package other than modes
// and work/… compares with their names, or keeps a table by them.
func TestNamesOfModesAndKinds(t *testing.T) {
	names := slices.Concat(modes.Names(), kinds.Names())
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if entry.IsDir() && slices.Contains(knowNames, path) {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, e := range compared(n) {
				if _, operator := e.(*ast.BinaryExpr); operator {
					continue // has a visit of its own
				}
				if name, ok := literal(e); ok && slices.Contains(names, name) {
					t.Errorf("%s: %q is the name of a mode or a kind of work", files.Position(e.Pos()), name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// compared returns the expressions that a node compares with something, or that it keeps as keys or elements of a table.
func compared(n ast.Node) (all []ast.Expr) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if (n.Op == token.EQL || n.Op == token.NEQ) && !isScheme(n.X) {
			all = append(all, n.X, n.Y)
		}
	case *ast.CaseClause:
		all = n.List
	case *ast.CompositeLit:
		for _, e := range n.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				e = pair.Key
			}
			all = append(all, e)
		}
	}
	return all
}

// isScheme reports whether an expression is the scheme of a URL, of which http is one.
func isScheme(e ast.Expr) bool {
	selector, ok := e.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "Scheme"
}

// Package layout holds no code. Its tests keep the layout of the module as docs/architecture.md describes it.
package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"demo-server/internal/testkit/golden"
)

const module = "demo-server"

// mayImport says which packages of this module each of them may import. Add a package here together with its folder.
var mayImport = map[string][]string{
	"bench":            {"bench/beside", "bench/load", "bench/originals", "bench/predict", "bench/result", "bench/verdict", "cores"},
	"bench/beside":     {},
	"bench/expect":     {"bench/result", "units"},
	"bench/load":       {},
	"bench/originals":  {},
	"bench/predict":    {"bench/load"},
	"bench/report":     {"bench/result", "bench/verdict"},
	"bench/result":     {"cores"},
	"bench/verdict":    {"bench/result"},
	"cmd/demo-server":  {"internal/cli"},
	"configs":          {"units"},
	"connlimit":        {},
	"cores":            {},
	"internal/catalog": {"configs", "modes", "server/fault", "units", "work", "work/kinds"},
	"internal/benchspec": {
		"bench", "bench/beside", "bench/expect", "bench/originals", "bench/result", "configs", "internal/catalog", "modes",
		"units", "work/kinds",
	},
	"internal/cli": {
		"bench", "bench/beside", "bench/expect", "bench/originals", "bench/report", "bench/result", "bench/verdict",
		"configs", "internal/benchspec", "internal/catalog", "internal/obslog", "internal/service",
		"internal/service/supervisor", "modes", "units", "work/kinds", "work/remote/backend",
	},
	"internal/obslog": {"server", "work"},
	"internal/service": {
		"configs", "internal/catalog", "internal/obslog", "modes", "server", "server/admin", "server/host",
		"server/listener", "server/metrics", "work", "work/kinds",
	},
	"internal/service/supervisor": {
		"configs", "internal/catalog", "internal/obslog", "internal/service", "server", "server/admin", "server/fleet",
		"server/host", "server/listener", "server/prefork",
	},
	"internal/testkit":          {},
	"internal/testkit/golden":   {},
	"memnet":                    {},
	"modes":                     {"server", "server/admission", "server/eventloop", "server/listener", "server/transport", "work"},
	"server":                    {"server/admission", "server/fault", "work"},
	"server/admin":              {"connlimit"},
	"server/admission":          {},
	"server/eventloop":          {"server", "server/fault", "server/http1", "server/listener", "work"},
	"server/eventloop/looptest": {"server/eventloop", "server/listener"}, // for tests
	"server/fault":              {"units"},
	"server/fleet":              {"server/listener", "server/metrics"},
	"server/host":               {"server", "server/listener"},
	"server/http1":              {"server"},
	"server/listener":           {},
	"server/metrics":            {"server", "server/listener", "work"},
	"server/prefork":            {"server/listener"},
	"server/transport":          {"server", "server/fault", "server/http1", "server/listener", "work"},
	"units":                     {},
	"work":                      {"cores"},
	"work/kinds":                {"work", "work/remote"},
	"work/remote":               {"work", "work/remote/backend"},
	"work/remote/backend":       {"connlimit"},
}

// knowsBytes are the packages that may see HTTP requests: one for those that are served, two for admin's own, one for
// those that work waits for, one for the limits of these two, and the clients.
var knowsBytes = []string{
	"bench", "bench/beside", "bench/load", "connlimit", "internal/cli", "server/admin", "server/fleet", "server/http1",
	"server/transport", "work/remote", "work/remote/backend",
}

// A pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Doc        string // the first sentence of the package comment
	Imports    []string
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func packages(t *testing.T) []pkg {
	t.Helper()
	list, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "./...").Output()
	if err != nil {
		t.Fatal("go list: ", err)
	}
	var all []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(list))); ; {
		var p pkg
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		case p.ImportPath != module: // this one
			all = append(all, p)
		}
	}
}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		seen[p.name()] = true
		allowed, ok := mayImport[p.name()]
		if !ok {
			t.Errorf("%s is not in the table of what a package may import", p.name())
			continue
		}
		for _, imported := range p.Imports {
			if name, ours := strings.CutPrefix(imported, module+"/"); ours && !slices.Contains(allowed, name) {
				t.Errorf("%s imports %s, and may only import %v", p.name(), name, allowed)
			}
		}
	}
	for name := range maps.Keys(mayImport) {
		if !seen[name] {
			t.Errorf("%s is in the table, and there is no such package", name)
		}
	}
}

// TestPackagesReference writes the table of packages in docs/architecture.md, from mayImport and the package comments.
func TestPackagesReference(t *testing.T) {
	var table strings.Builder
	table.WriteString("| package | | may import |\n|---|---|---|\n")
	for _, p := range packages(t) {
		_, about, ok := strings.Cut(strings.TrimSuffix(p.Doc, "."), " "+path.Base(p.name())+" ")
		if !ok {
			t.Errorf("the comment of %s does not begin with \"Package %s\" and a verb", p.name(), path.Base(p.name()))
		}
		var imports []string
		for _, name := range slices.Sorted(slices.Values(mayImport[p.name()])) {
			imports = append(imports, "`"+name+"`")
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", p.name(), about, strings.Join(imports, ", "))
	}
	golden.Block(t, "docs/architecture.md", "packages", table.String())
}

// TestBytes: who decides what runs when does not know HTTP. server may name its methods and statuses.
func TestBytes(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			http := imported == "net/http" && p.name() != "server" || imported == "github.com/valyala/fasthttp"
			if http && !slices.Contains(knowsBytes, p.name()) {
				t.Errorf("%s imports %s, and only %v may", p.name(), imported, knowsBytes)
			}
		}
	}
}

// TestDockerSees: the image is built of every folder that has a package, though the engine gets no other.
func TestDockerSees(t *testing.T) {
	ignored, err := os.ReadFile(".dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(ignored), "\n")
	for _, p := range packages(t) {
		if folder, _, _ := strings.Cut(p.name(), "/"); !slices.Contains(lines, "!"+folder) {
			t.Errorf("%s is not in what .dockerignore lets through", folder)
		}
	}
}

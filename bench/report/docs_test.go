package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"demo-server/bench/result"
)

// drawFrom names a file for redrawing the pictures of the README:
//
//	demo-server bench --quick --json run.json
//	go test ./bench/report -run TestReadmePictures -draw $PWD/run.json
var drawFrom = flag.String("draw", "", "a file of bench --json to draw the pictures of the README from")

// TestReadmePictures checks that the README's pictures have the report's titles and shades.
func TestReadmePictures(t *testing.T) {
	if *drawFrom != "" {
		drawReadme(t, *drawFrom)
	}
	pictures := picturesOf(t, article())
	for _, name := range []string{"throughput", "latency", "inside"} {
		svg, err := os.ReadFile(readmePicture(name))
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, name, svg)
		for _, part := range []string{`aria-label="` + pictures[name].Title + ": ", variables()} {
			if !bytes.Contains(svg, []byte(part)) {
				t.Errorf("%s has no %q: draw it again, as the flag says", name, part)
			}
		}
	}
}

func readmePicture(name string) string { return filepath.Join("..", "..", "docs", "img", name+".svg") }

func drawReadme(t *testing.T, from string) {
	t.Helper()
	file, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := result.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	pictures := picturesOf(t, r)
	for _, name := range []string{"throughput", "latency", "inside"} {
		if err := os.WriteFile(readmePicture(name), pictures[name].SVG(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

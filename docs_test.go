package layout

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"demo-server/modes"
	"demo-server/work/kinds"
)

// pages returns the text of every Markdown page, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		all[filepath.ToSlash(path)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReadme checks that the README stays short, and has the two commands that have to work in a fresh clone.
func TestReadme(t *testing.T) {
	readme := pages(t)["README.md"]
	if words := len(strings.Fields(readme)); words > 900 {
		t.Errorf("the README has %d words, want at most 900", words)
	}
	for _, command := range []string{"go run ./cmd/demo-server --mode=pool --port 7779", "go test ./..."} {
		if !strings.Contains(readme, "\n$ "+command+"\n") {
			t.Errorf("the README does not have the command %s", command)
		}
	}
}

// TestModesAndKindsHavePages checks that the README and the guide know every mode, and the guide every kind of work.
func TestModesAndKindsHavePages(t *testing.T) {
	all := pages(t)
	for _, mode := range modes.Names() {
		if !strings.Contains(all["README.md"], "\n| `"+mode+"` |") {
			t.Errorf("the README's table does not have %s", mode)
		}
		if !hasHeading(all["docs/guide/2-modes.md"], mode) {
			t.Errorf("the guide does not explain %s", mode)
		}
	}
	for _, kind := range kinds.Names() {
		if !strings.Contains(all["docs/guide/3-work.md"], "\n| `"+kind+"` |") {
			t.Errorf("the guide's table does not have %s", kind)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks checks that every relative link leads to a file, and to a heading of it.
func TestLinks(t *testing.T) {
	all := pages(t)
	for page, text := range all {
		for _, found := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			file, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			target := page
			if file != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(page), file))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, found[1], err)
			} else if anchor != "" && !hasHeading(all[target], anchor) {
				t.Errorf("%s links to %s, and %s has no such heading", page, found[1], target)
			}
		}
	}
}

// hasHeading reports whether a page has a heading to which GitHub gives the anchor.
func hasHeading(page, anchor string) bool {
	for _, found := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		slug := noSlug.ReplaceAllString(strings.ToLower(found[1]), "")
		if strings.ReplaceAll(slug, " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestMeasurementsHaveCommands checks that every table of figures has the command that made it, and its date.
func TestMeasurementsHaveCommands(t *testing.T) {
	page := pages(t)["docs/measurements.md"]
	paragraphs := regexp.MustCompile(`\n\n+`).Split(page, -1)
	for i, paragraph := range paragraphs {
		if !strings.HasPrefix(paragraph, "|") {
			continue
		}
		if above := paragraphs[max(0, i-1)]; !strings.Contains(above, "- Command: ") || !strings.Contains(above, "\n- Date: ") {
			t.Errorf("no command or no date in front of this table:\n%s", paragraph)
		}
	}
}

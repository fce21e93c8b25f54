package report

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"demo-server/bench/result"
)

func written(t *testing.T, r *result.Result, o Options) string {
	t.Helper()
	var out strings.Builder
	if err := Text(&out, r, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTextWidth(t *testing.T) {
	long := article()
	long.Rows[0].Name = strings.Repeat("x", 300)
	long.Rows[1].Name = "http://127.0.0.1:8080/a/long/path?with=a,query"
	long.Rows[2].Total.Failed, long.Rows[2].Total.Refused = 1_234_567, 7_654_321
	long.Rows[3].Notes = []string{strings.Repeat("word ", 99), strings.Repeat("y", 500)}
	long.Rows[9].Failure += "\n" + strings.Repeat("log ", 99)
	for name, r := range map[string]*result.Result{
		"the article's": article(), "long": long, "many rows": many(), "several kinds of work": cells(), "none": {},
	} {
		for _, width := range []int{40, 60, 80, 100, 120, 200} {
			for _, o := range []Options{{}, {Color: true}, {Wide: true}} {
				o.Width = width
				for line := range strings.Lines(written(t, r, o)) {
					if got := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); got > width {
						t.Errorf("%s: a line has %d characters, and there is room for %d: %q", name, got, width, line)
					}
				}
			}
		}
	}
}

// TestTextColumns checks that the table has the main figures, each below its head.
func TestTextColumns(t *testing.T) {
	out := written(t, article(), Options{})
	_, table, _ := strings.Cut(out, "\n\n")
	lines := strings.Split(table, "\n")
	if rule := lines[2]; strings.Trim(rule, "─") != "" {
		t.Fatalf("no rule below the heads:\n%s", out)
	}
	wants := map[string][]string{
		"goroutine": {"49.98", "±0.10%", "50.00", "2.002 s", "2.018 s", "2.048 s", "0", "0"},
		"single":    {"0.4996", "±0.10%", "0.5000", "> 60 s", "> 60 s", "> 60 s", "0", "0"},
		"mine":      {"49.12", "±0.10%", "–", "2.002 s", "2.018 s", "2.048 s", "10", "0"},
		"gunicorn-": {"–", "–", "–", "–", "–", "–", "–", "–"},
	}
	ends := columnEnds(lines[1])
	if len(ends) != 8 {
		t.Fatalf("%d columns end in the heads, want 8: %q", len(ends), lines[1])
	}
	for _, line := range lines[3:] {
		name, _, _ := strings.Cut(line, " ")
		want, some := wants[name]
		if !some {
			continue
		}
		delete(wants, name)
		for i, cell := range want {
			if got := string([]rune(line)[:ends[i]]); !strings.HasSuffix(got, " "+cell) {
				t.Errorf("%s: column %d ends in %q, want %q", name, i, got, cell)
			}
		}
	}
	for name := range wants {
		t.Errorf("there is no row %s", name)
	}
}

// columnEnds returns where the words in the lower line of the heads end.
func columnEnds(heads string) (ends []int) {
	for _, at := range regexp.MustCompile(`95% CI|\S+`).FindAllStringIndex(heads, -1) {
		ends = append(ends, text.StringWidth(heads[:at[1]]))
	}
	return ends
}

func TestTextColor(t *testing.T) {
	if out := written(t, article(), Options{}); strings.Contains(out, "\x1b") {
		t.Errorf("escapes, and nobody asked for them: %q", out)
	}
	out := written(t, article(), Options{Color: true})
	for _, part := range []string{
		"\x1b[31mmine\x1b[0m", "\x1b[31m10\x1b[0m", "\x1b[31mgunicorn-\x1b[0m", "\x1b[33msingle\x1b[0m", "\x1b[33m412k\x1b[0m",
		"\x1b[33m> 60 s\x1b[0m",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("there is no %q", part)
		}
	}
	if plain := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(out, ""); plain != written(t, article(), Options{}) {
		t.Error("with colours the text is another")
	}
}

// TestTextObeys checks that foreign text cannot control the terminal.
func TestTextObeys(t *testing.T) {
	r := article()
	r.Rows[0].Name = "a\x1b]0;title\x07"
	r.Rows[9].Failure = "died\n\x1b[2Jlog\r\x1b[A"
	r.Verdict = []string{"a\x1b[8m serves"}
	if out := written(t, r, Options{}); strings.ContainsAny(out, "\x1b\x07\r") {
		t.Errorf("%q", out)
	}
}

func TestTextSections(t *testing.T) {
	out := written(t, article(), Options{Width: 100})
	at := 0
	for _, part := range []string{
		"goroutine ", "\nNotes\n", "  single: measured for 1m0s", "  mine: not trustworthy: 88.1 requests",
		"  gunicorn-gthread: died under load: it ended with exit status 1\n    | [2026-11-22 21:48:03 +0000] [714] [ERROR]",
		"    | OSError: [Errno 24] Too many open files <socket>\n", "\nVerdict\n  goroutine, fasthttp, eventloop and gevent",
		"  pool(50) serves half of goroutine, as predicted: 50 workers / 2s.\n",
	} {
		next := strings.Index(out[at:], part)
		if next < 0 {
			t.Fatalf("there is no %q, or not in its place:\n%s", part, out)
		}
		at += next
	}
	r := article()
	r.Interrupted = true
	if out := written(t, r, Options{}); !strings.Contains(out, "Interrupted: this is what was measured until then.") {
		t.Errorf("it does not say that it was interrupted:\n%s", out)
	}
}

func TestBroken(t *testing.T) {
	tests := []struct {
		name  string
		width int
		want  string
	}{
		{"goroutine", 12, "goroutine"},
		{"gunicorn-gthread", 12, "gunicorn-\ngthread"},
		{"pool(queue=10,workers=10)", 14, "pool(queue=10,\nworkers=10)"},
		{"abcdefghij", 4, "abcd\nefgh\nij"},
		{"a-bcdefgh", 4, "a-\nbcde\nfgh"},
		{"", 4, ""},
		{"abc", 0, "a\nb\nc"},
		{"abc", -300, "a\nb\nc"},
		{"世界", 1, "世\n界"},
		{"世界a", 3, "世\n界a"},
	}
	for _, test := range tests {
		if got := broken(test.name, test.width); got != test.want {
			t.Errorf("%s in %d: %q, want %q", test.name, test.width, got, test.want)
		}
	}
}

func TestCostText(t *testing.T) {
	for _, width := range []int{60, 80, 100, 200} {
		var out strings.Builder
		if err := CostText(&out, cost(), Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if got := text.StringWidth(strings.TrimSuffix(line, "\n")); got > width {
				t.Errorf("a line has %d characters, and there is room for %d: %q", got, width, line)
			}
		}
		if strings.Contains(out.String(), "0.0003") {
			t.Errorf("parts of a thread:\n%s", out.String())
		}
		for _, part := range []string{
			"eventloop", "18,000", "268", "17,250", "51.0 ms", "12.3", "152,500", "0.00",
			"single: works on one request at a time", "processes: died under load: it ended with signal: killed\n    | out of memory",
		} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("in %d columns there is no %s:\n%s", width, part, out.String())
			}
		}
	}
}

// closed is a pipe with a closed reading end.
type closed struct{}

var errClosed = errors.New("broken pipe")

func (closed) Write([]byte) (int, error) { return 0, errClosed }

func TestWriteErrors(t *testing.T) {
	for name, err := range map[string]error{
		"Text":     Text(closed{}, article(), Options{}),
		"CostText": CostText(closed{}, cost(), Options{}),
		"DiffText": DiffText(closed{}, article(), article(), nil, Options{}),
		"HTML":     HTML(closed{}, article()),
	} {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s: %v, want %v", name, err, errClosed)
		}
	}
}

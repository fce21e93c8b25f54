package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"demo-server/bench/result"
)

func pageOf(t *testing.T, r *result.Result) string {
	t.Helper()
	var out bytes.Buffer
	if err := HTML(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// seen returns the visible part of a page, without its head.
func seen(page string) string {
	_, body, _ := strings.Cut(page, "<body>")
	body = strings.ReplaceAll(body, "<wbr>", "")
	return spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(body, " ")), " ")
}

// inOrder reports parts of a text that are missing or precede an earlier part.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	at := 0
	for _, part := range parts {
		next := strings.Index(text[at:], part)
		if next < 0 {
			t.Fatalf("there is no %q, or not in its place, in:\n%s", part, text)
		}
		at += next
	}
}

func TestPage(t *testing.T) {
	inOrder(t, seen(pageOf(t, article())),
		"demo-server bench --article --python --row=pool:workers=10,queue=10 --report=report.html",
		"Verdict", "pool(50) serves half of goroutine, as predicted: 50 workers / 2s.",
		"What was run", "Request 2 s of work sleep", "Load 100 clients", "Ceiling 50 requests/s",
		"pool(queue=10,workers=10) mode pool(queue=10,workers=10) with queue=10 and workers=10",
		"2 cores of AMD EPYC", "6.18.44", "go1.26.0", "20,000 open files", "v1.2.0", "2026-11-22 21:30 UTC, 31m32s in all",
		"Throughput next to its ceiling", "Below the ceiling: pool(50) at 50.0% (50 workers / 2s)",
		"What the clients got p99: 2.018 s (goroutine) to > 60 s (single); 412k refused; 10 failed",
		"requests/s", "goroutine 49.98 ±0.10% 100% 2.003 s 2.002 s",
		"single cut 0.4996", "> 60 s", "mine not trustworthy", "gunicorn-gthread failed – –", "> at least that",
		"Latency by percentile half of the requests took at most 2.002 s (goroutine) to > 60 s (single)",
		"goroutine, fasthttp, eventloop, flask, gevent, mine", "The line of single ends at 25%",
		"What the servers used CPU per request: 0.0500 ms (eventloop) to 1.90 ms (flask)",
		"CPU per request was measured on new connections.", "flask 1.90",
		"What theory predicted requests/s within 2% of the prediction: 7 of 8 rows; furthest off: -2.1% (flask)",
		"predicted, requests/s", "flask 50.00 48.93 -2.1%",
		"Where the requests are longest queue: 99 requests (single)",
		"single works on 1 request at a time: 99 wait in the kernel's accept queue.",
		"Memory, threads and goroutines resident memory at the peak: 12.0 MB (single) to 65.0 MB (flask)",
		"Most at the peak: 101 OS threads with flask",
		"Notes 6 notes on 4 rows; failed: gunicorn-gthread", "died under load: it ended with exit status 1",
		"OSError: [Errno 24] Too many open files <socket>",
		"Audits 9 pass; 1 fail: mine", "fail mine : Little's law, clients: 88.1 requests", "goroutine pass 99.8, 100.0",
		"Left out processes(1)", "it would take 2h46m40s", "Which mode to choose",
	)
}

// order returns the positions of parts of a page. All must be there.
func order(t *testing.T, page string, parts ...string) (at []int) {
	t.Helper()
	for _, part := range parts {
		i := strings.Index(page, part)
		if i < 0 {
			t.Errorf("the page has no %s", part)
		}
		at = append(at, i)
	}
	return at
}

// TestLead checks that the verdict, the description of the run and the leading picture come first, and that all other
// sections are closed.
func TestLead(t *testing.T) {
	failed := article()
	failed.Rows = failed.Rows[9:]
	tests := []struct {
		name   string
		r      *result.Result
		lead   string // leading picture or table
		closed int    // number of closed sections
		open   int
	}{
		{"rows", article(), `id="throughput"`, 10, 0},
		{"a matrix", cells24(), `id="heat"`, 10, 0},
		{"costs", cost(), `id="cost"`, 2, 0},
		{"nothing but a failure", failed, `id="served"`, 4, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := pageOf(t, test.r)
			if at := order(t, page, "<h1>", `id="run"`, test.lead, "</table>"); !slices.IsSorted(at) {
				t.Errorf("the parts are at %d", at)
			}
			if test.open == 0 && strings.Index(page, test.lead) > strings.Index(page, "<details") {
				t.Error("what answers is folded")
			}
			if got := strings.Count(page, "<details>"); got != test.closed {
				t.Errorf("%d closed sections, want %d", got, test.closed)
			}
			if got := strings.Count(page, "<details open>"); got != test.open {
				t.Errorf("%d open sections, want %d", got, test.open)
			}
			if summaries := regexp.MustCompile(`(?s)<summary>.*?</summary>`).FindAllString(page, -1); len(summaries) != test.closed+test.open {
				t.Errorf("%d summaries", len(summaries))
			}
		})
	}
}

// TestGroups checks that the rows of a matrix stand below their kinds of work, under the names of their servers, in
// tables and elsewhere.
func TestGroups(t *testing.T) {
	page := pageOf(t, cells24())
	for _, id := range []string{"served", "taken", "foretold", "audits"} {
		_, section, _ := strings.Cut(page, `id="`+id+`"`)
		section, _, _ = strings.Cut(section, "</section>")
		inOrder(t, section, `scope="rowgroup"`, "<span>sleep</span>", `<th scope="row"`, ">goroutine<", "<span>block</span>",
			">goroutine<", "<span>cpu</span>", "<span>mutex</span>")
	}
	inOrder(t, seen(page), "Notes 24 notes on 24 rows", "sleep", "goroutine a note about goroutine and sleep", "block",
		"goroutine a note about goroutine and block")
	if got := strings.Count(page, `<h3>mutex</h3>`); got != 3 {
		t.Errorf("%d headings of a kind of work, want those of where requests are, of memory, and of notes", got)
	}
}

// TestMemory checks that memory per request is shown if it was measured. Otherwise the page must name the command
// that measures it.
func TestMemory(t *testing.T) {
	const head, pointer = "memory per request in flight", "demo-server bench cost measures it"
	with, without := article(), article()
	for i := range without.Rows {
		without.Rows[i].Total.BytesPerInFlight = nil
	}
	for name, test := range map[string]struct {
		r             *result.Result
		head, pointer bool
	}{"known": {with, true, false}, "not known": {without, false, true}} {
		page := seen(pageOf(t, test.r))
		if strings.Contains(page, head) != test.head || strings.Contains(page, pointer) != test.pointer {
			t.Errorf("%s: the column is there: %t, and the pointer: %t", name, strings.Contains(page, head), strings.Contains(page, pointer))
		}
	}
}

// TestPageExpectations checks that each expectation has its mark in words, above all figures.
func TestPageExpectations(t *testing.T) {
	r := article()
	r.Expectations = []result.Expectation{
		{Text: "goroutine.failed==0", Met: true, Why: "failed is 0"}, {Text: "pool(50).p99<2.1s", Why: "p99 is 4.018 s"},
	}
	inOrder(t, seen(pageOf(t, r)), "Verdict", "Expectations", "met goroutine.failed==0 failed is 0",
		"not met pool(50).p99<2.1s p99 is 4.018 s", "What was run")
	if strings.Contains(pageOf(t, article()), "Expectations") {
		t.Error("expectations of a run without any")
	}
}

// TestAuditMarks checks that each audit passes, fails or is not applied, in words, and that equal reasons are given
// once.
func TestAuditMarks(t *testing.T) {
	const why = "the queue was still growing when the measurement ended"
	r := article()
	for _, i := range []int{0, 3} {
		r.Rows[i].Audits = []result.Audit{{Name: "Little's law, clients", Skipped: why}}
	}
	page := pageOf(t, r)
	inOrder(t, seen(page), "Audits 7 pass; 1 fail: mine; 2 not applied",
		"not applied goroutine and pool(50) : Little's law, clients: "+why, "goroutine not applied")
	for _, class := range []string{`<td class="good">pass`, `<td class="alarmed">fail`, `<td class="absent">not applied`} {
		if !strings.Contains(page, class) {
			t.Errorf("no %s", class)
		}
	}
	if got := strings.Count(page, why); got != 1 {
		t.Errorf("the reason is given %d times", got)
	}
}

// TestMixedLatencies checks that latencies of ab and wrk that include refusals are marked and explained, and others
// are not. The page must not claim that no request was refused, because these tools count refusals as failures.
func TestMixedLatencies(t *testing.T) {
	for _, generator := range []string{"builtin", "ab", "wrk"} {
		r := article()
		r.Load.Generator = generator
		r.Rows[4].Total.Failed, r.Rows[4].Total.Status = 12_091, 12_091
		page := seen(pageOf(t, r))
		mixed := generator != "builtin"
		for part, want := range map[string]bool{
			"3.990 s* 4.001 s* 4.002 s* 4.003 s* 4.012 s*": mixed,
			"* " + generator + " counts":                   mixed,
			"pool(queue=10,workers=10)*":                   mixed, // the key of the line
			"20.00 s 3.990 s* -80.0%*":                     mixed, // next to the prediction
			"goroutine 49.98 ±0.10% 100% 2.003 s 2.002 s":  true,
		} {
			if got := strings.Contains(page, part); got != want {
				t.Errorf("%s: %q is there: %t", generator, part, got)
			}
		}
	}
}

func TestCostPage(t *testing.T) {
	page := seen(pageOf(t, cost()))
	for _, part := range []string{
		"demo-server bench cost", "18,000 requests that block at the same time", "bytes per request", "eventloop 18,000 0 268 0", "processes failed – –",
		"CPU per request: 5.90 µs (eventloop) to 12.3 µs (goroutine)", "Notes 1 note on 1 row; failed: processes",
		"A request that blocks takes the least memory in eventloop, 268 B, and the most in goroutine, 17.3 kB: 64 times as much.",
		"works on one request at a time",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("there is no %q in:\n%s", part, page)
		}
	}
}

// TestSelfContained checks that the page fetches and runs nothing, and forbids both to the browser.
func TestSelfContained(t *testing.T) {
	for name, r := range map[string]*result.Result{"article": article(), "cost": cost(), "nothing": {Started: article().Started}} {
		page := pageOf(t, r)
		if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`) {
			t.Errorf("%s: the policy is not there", name)
		}
		for _, way := range []string{"<script", "http://www", "https://", "url(", "@import", "src=", "ZgotmplZ"} {
			if strings.Contains(page, way) {
				t.Errorf("%s: the page has %s", name, way)
			}
		}
		if len(page) > 500_000 {
			t.Errorf("%s: the page has %d bytes", name, len(page))
		}
	}
}

// TestOthersWords checks that names, log lines and notes appear as text, in drawings too.
func TestOthersWords(t *testing.T) {
	const evil = `<script>alert(1)</script>"'&]]>{{.}} style="fill:rgb(28,33,40)"`
	r := article()
	row := &r.Rows[0]
	row.Name, row.About, row.Bound, row.Notes, row.Failure = evil, evil, evil, []string{evil}, evil+"\n"+evil
	r.Rows[1].Name = "a\x00\x1bb"
	r.Command, r.Version, r.Verdict, r.Machine.CPU = []string{evil}, evil, []string{evil}, evil
	r.Left = []result.Left{{Name: evil, Why: evil}}
	page := pageOf(t, r)
	if strings.Contains(page, "<script") || strings.ContainsAny(page, "\x00\x1b") {
		t.Error("others' words are obeyed")
	}
	if got := strings.Count(seen(page), evil); got < 10 {
		t.Errorf("others' words are shown %d times", got)
	}
	pictures, err := Pictures(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, picture := range pictures {
		wellFormed(t, picture.Name, picture.SVG())
	}
}

func wellFormed(t *testing.T, name string, text []byte) (words []string) {
	t.Helper()
	for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return words
		}
		if err != nil {
			t.Errorf("%s is no XML: %v", name, err)
			return words
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "script" {
				t.Errorf("%s has a script", name)
			}
		case xml.CharData:
			words = append(words, string(token))
		}
	}
}

// TestAccess checks that tables and drawings have descriptions for screen readers.
func TestAccess(t *testing.T) {
	page := pageOf(t, article())
	if got, want := strings.Count(page, `<th scope="row"`), 4*len(article().Rows); got != want {
		t.Errorf("%d heads of rows, want %d", got, want)
	}
	for _, part := range []string{"<caption", `<th scope="col"`, `class="scroll" tabindex="0" role="region" aria-label="`, `class="hint"`} {
		if got := strings.Count(page, part); got < strings.Count(page, "<table") {
			t.Errorf("%d tables, and %d times %s", strings.Count(page, "<table"), got, part)
		}
	}
	labels := regexp.MustCompile(`<svg role="img" aria-label="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if all := strings.Count(page, "<svg ") - strings.Count(page, `aria-hidden="true"`); len(labels) != all || all < 10 {
		t.Errorf("%d of %d drawings say what they show", len(labels), all)
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[id[1]] {
			t.Errorf("the id %s is there twice", id[1])
		}
		ids[id[1]] = true
	}
	for _, id := range regexp.MustCompile(`aria-labelledby="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !ids[id[1]] {
			t.Errorf("the id %s is not there", id[1])
		}
	}
}

package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
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

// seen is what a reader sees of a page, without its head.
func seen(page string) string {
	_, body, _ := strings.Cut(page, "<body>")
	body = strings.ReplaceAll(body, "<wbr>", "")
	return spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(body, " ")), " ")
}

func TestPage(t *testing.T) {
	page := seen(pageOf(t, article()))
	at := 0
	for _, part := range []string{
		"demo-server bench --article --originals --row=pool:workers=10,queue=10 --report=report.html",
		"100 clients, each with one request at a time, until 5,000 requests were answered; 6 rounds",
		"2 cores of AMD EPYC", "6.18.44", "go1.26.0", "20,000 open files", "v1.2.0", "2026-11-22 21:30 UTC, 31m32s in all",
		"Verdict", "pool(50) serves half of goroutine, as predicted: 50 workers / 2s.",
		"What the clients got", "requests/s", "goroutine 49.98 ±0.10% 100% 2.003 s 2.002 s",
		"single cut 0.4996", "> 60 s", "mine not trustworthy", "gunicorn-gthread failed – –",
		"What the servers took for it", "memory per request in flight", "flask 1.90",
		"What theory predicted", "predicted, requests/s", "flask 50.00 48.93 -2.1%",
		"Throughput next to its ceiling", "Below the ceiling: pool(50) at 50.0% (50 workers / 2s)",
		"Latency by percentile", "The line of single ends at 25%: from 50% on, requests took longer than 60 s.",
		"Where the requests are", "single works on 1 request at a time: 99 wait in the kernel's accept queue.",
		"Memory, threads and goroutines", "Most at the peak: 101 OS threads with flask",
		"Notes", "died under load: it ended with exit status 1", "OSError: [Errno 24] Too many open files <socket>",
		"Left out", "processes(1)", "it would take 2h46m40s", "Audits", "broken: Little's law, clients: 88.1 requests",
	} {
		next := strings.Index(page[at:], part)
		if next < 0 {
			t.Fatalf("there is no %q, or not in its place, in:\n%s", part, page)
		}
		at += next
	}
}

func TestCostPage(t *testing.T) {
	page := seen(pageOf(t, cost()))
	for _, part := range []string{
		"demo-server bench cost", "bytes per request", "eventloop 18,000 0 268 0", "processes failed – –",
		"A request that blocks takes the least memory in eventloop, 268 B, and the most in goroutine, 17.3 kB: 64 times as much.",
		"works on one request at a time",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("there is no %q in:\n%s", part, page)
		}
	}
}

// TestSelfContained: the page fetches nothing, runs nothing, and says so to the browser.
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

// TestOthersWords: names, log lines and notes are text, in the drawings too.
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

// TestAccess: tables and drawings say what they are to those who cannot see them.
func TestAccess(t *testing.T) {
	page := pageOf(t, article())
	if got, want := strings.Count(page, `<th scope="row"`), 3*len(article().Rows); got != want {
		t.Errorf("%d heads of rows, want %d", got, want)
	}
	if got, want := strings.Count(page, `<th scope="col"`), len(served)+len(taken)+len(foretold); got != want {
		t.Errorf("%d heads of columns, want %d", got, want)
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

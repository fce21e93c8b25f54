//go:build e2e

package report

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"demo-server/bench/result"
)

// A view holds the browser's description of the page with all sections open.
type view struct {
	Closed      glance
	ScrollWidth int    // width of the document, in CSS pixels
	InnerWidth  int    // width of the window, in CSS pixels
	Text        string // visible text
	Names       []string
	Drawings    []drawn
	Unreadable  []string // text outside of its drawing
	Tables      []scroller
	Paper, Ink  string // colours
}

// A glance describes the page before any section is opened.
type glance struct {
	ScrollWidth int
	Text        string
	Height      int
	Figure      int // top of the leading picture or heat table, in pixels
	Table       int // top of the first other visible table, in pixels; 0 without any
	Open        int // number of open sections
}

// drawn is a picture as the browser laid it out.
type drawn struct {
	Label         string
	Width, Height float64
	Parts         int
	Smallest      float64 // height of its smallest text, in pixels
}

// A scroller is a table as the browser laid it out.
type scroller struct {
	Name    string
	Hidden  int     // pixels hidden to its right
	Hint    bool    // a line says that it scrolls
	Shade   float64 // opacity of the shade at its right edge
	AtEnd   float64 // opacity after scrolling to the end
	NamesAt float64 // left edge of the names then, in pixels
}

// glanceAt is a script that returns a glance.
const glanceAt = `({
	ScrollWidth: document.documentElement.scrollWidth,
	Text: document.body.innerText,
	Height: document.documentElement.scrollHeight,
	Figure: Math.round(document.querySelector(".lead figure, .lead table").getBoundingClientRect().top),
	Table: Math.round([...document.querySelectorAll("table:not(.lead table)")].find(table => table.checkVisibility({contentVisibilityAuto: true}))?.getBoundingClientRect().top ?? 0),
	Open: document.querySelectorAll("details[open]").length,
})`

// lookAt is a script that opens all sections and returns the rest of a view. It waits for the frames in which the
// hints appear.
const lookAt = `(async () => {
	const frames = async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame) };
	document.querySelectorAll("summary").forEach(summary => summary.click());
	await frames();
	const shade = table => Number(getComputedStyle(table.closest(".edge"), "::after").opacity);
	const tables = [...document.querySelectorAll(".scroll")];
	const view = {
		ScrollWidth: document.documentElement.scrollWidth,
		InnerWidth: innerWidth,
		Text: document.body.innerText,
		Names: [...document.querySelectorAll("tbody th")].filter(th => th.checkVisibility()).map(th => th.textContent),
		Drawings: [...document.querySelectorAll("svg[role=img]")].map(svg => ({
			Label: svg.getAttribute("aria-label"),
			Width: svg.getBoundingClientRect().width,
			Height: svg.getBoundingClientRect().height,
			Parts: svg.querySelectorAll("path,text,circle").length,
			Smallest: Math.min(...[...svg.querySelectorAll("text")].map(text => text.getBoundingClientRect().height)),
		})),
		Unreadable: [...document.querySelectorAll("svg[role=img] text")].filter(text => {
			const inner = text.getBoundingClientRect(), outer = text.ownerSVGElement.getBoundingClientRect();
			return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
		}).map(text => text.textContent),
		Tables: tables.map(table => ({
			Name: table.getAttribute("aria-label"),
			Hidden: table.scrollWidth - table.clientWidth,
			Hint: table.closest(".sideways").querySelector(".hint").checkVisibility({visibilityProperty: true}),
			Shade: shade(table),
		})),
		Paper: getComputedStyle(document.body).backgroundColor,
		Ink: getComputedStyle(document.body).color,
	};
	tables.forEach(table => table.scrollLeft = table.scrollWidth);
	await frames();
	tables.forEach((table, i) => {
		view.Tables[i].AtEnd = shade(table);
		view.Tables[i].NamesAt = table.querySelector("th[scope=row]").getBoundingClientRect().left - table.getBoundingClientRect().left;
	});
	return view;
})()`

// printed is a script that returns how many sections appear on paper, though none is open on the screen.
const printed = `[...document.querySelectorAll(".unfolded > :first-child")].filter(part => part.checkVisibility()).length`

// events holds events that must not happen: requests, and errors that the browser reports.
type events struct {
	mu  sync.Mutex
	all []string
}

func (e *events) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, fmt.Sprintf(format, args...))
}

func (e *events) listen(page string) func(any) {
	return func(event any) {
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			if to := event.Request.URL; to != page && !strings.HasPrefix(to, "data:") {
				e.note("a request to %s", to)
			}
		case *log.EventEntryAdded:
			e.note("%s: %s", event.Entry.Level, event.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			e.note("the console was called")
		case *runtime.EventExceptionThrown:
			e.note("an exception: %s", event.ExceptionDetails.Text)
		}
	}
}

// patience covers a browser's first start from a slow disk on a busy machine.
const patience = 2 * time.Minute

const evilName = `<script>alert(1)</script>`

// TestInBrowser opens pages from files, as readers do.
func TestInBrowser(t *testing.T) {
	rows := article()
	rows.Rows[0].Name = evilName
	rows.Expectations = []result.Expectation{{Text: "pool(50).p99<2.1s", Why: "p99 is 4.018 s"}}
	browser, stop := chromedp.NewContext(t.Context(),
		chromedp.WithAllocatorOptions(chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience)))
	defer stop()
	if err := chromedp.Do(browser, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal("chromium: ", err)
	}
	for name, test := range map[string]struct {
		r       *result.Result
		visible []string // before any section is opened
	}{
		"rows":   {rows, []string{"not met", "50 requests/s, the most that 100 clients can ask for", "gunicorn-gthread (failed)"}},
		"matrix": {cells24(), []string{"100% predicted", "2 s of work cpu"}},
	} {
		address := saved(t, test.r)
		for _, width := range []int64{1280, 400} {
			for scheme, shades := range map[string][2]string{
				"light": {paper.light.String(), ink.light.String()}, "dark": {paper.dark.String(), ink.dark.String()},
			} {
				t.Run(fmt.Sprintf("%s %s %d", name, scheme, width), func(t *testing.T) {
					v := open(t, browser, address, width, scheme)
					v.Closed.check(t, append(test.r.Verdict, test.visible...), int(width))
					v.check(t, test.r)
					if got := strings.ReplaceAll(v.Paper+v.Ink, " ", ""); got != shades[0]+shades[1] {
						t.Errorf("the page's colours are %s, want %s", got, shades)
					}
				})
			}
		}
	}
}

// saved writes the page to a file and returns its URL.
func saved(t *testing.T, r *result.Result) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := HTML(file, r); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(name)}).String()
}

// open opens the page in a new tab. It fails the test if the page fetches anything or the browser reports an error.
func open(t *testing.T, browser context.Context, address string, width int64, scheme string) view {
	t.Helper()
	tab, stop := chromedp.NewContext(browser)
	defer stop()
	prefers := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, prefers); err != nil {
		t.Fatal(err)
	}
	var seen events
	if err := chromedp.Listen(tab, seen.listen(address)); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(tab, patience)
	defer cancel()
	if err := chromedp.Do(limited, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	closed, err := chromedp.Run(limited, chromedp.Evaluate[glance](glanceAt))
	if err != nil {
		t.Fatal(err)
	}
	checkPrinted(t, limited)
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, prefers); err != nil {
		t.Fatal(err)
	}
	v, err := chromedp.Run(limited, chromedp.Evaluate[view](lookAt, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	v.Closed = closed
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, event := range seen.all {
		t.Error(event)
	}
	return v
}

// checkPrinted checks the printed page, because sections cannot be opened on paper.
func checkPrinted(t *testing.T, tab context.Context) {
	t.Helper()
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(tab, chromedp.Evaluate[int](printed))
	if err != nil {
		t.Fatal(err)
	}
	want, err := chromedp.Run(tab, chromedp.Evaluate[int](`document.querySelectorAll("details").length`))
	if err != nil {
		t.Fatal(err)
	}
	if got != want || want == 0 {
		t.Errorf("%d of %d sections are printed", got, want)
	}
}

// check checks the page before any section is opened: it must be short and start with its leading picture or table.
func (g glance) check(t *testing.T, visible []string, width int) {
	t.Helper()
	for _, sentence := range visible {
		if !strings.Contains(g.Text, sentence) {
			t.Errorf("%q is not visible before a section is opened", sentence)
		}
	}
	const longest = 4000 // pixels
	if g.ScrollWidth > width || g.Height > longest || g.Figure == 0 || g.Table != 0 || g.Open != 0 {
		g.Text = ""
		t.Errorf("before a section is opened, the page is %+v", g)
	}
}

func (v view) check(t *testing.T, r *result.Result) {
	t.Helper()
	if v.ScrollWidth > v.InnerWidth {
		t.Errorf("the document is %d wide in a window of %d", v.ScrollWidth, v.InnerWidth)
	}
	names := strings.Join(v.Names, "\n")
	for _, row := range r.Rows {
		if !strings.Contains(names, row.Server()) {
			t.Errorf("%s is not visible in the table", row.Name)
		}
		for _, part := range append(strings.Split(row.Failure, "\n"), row.Notes...) {
			if !strings.Contains(v.Text, part) {
				t.Errorf("%q is not visible", part)
			}
		}
	}
	v.checkTables(t)
	v.checkDrawings(t, r)
}

// checkTables checks that a table wider than the screen says so and keeps its names in view.
func (v view) checkTables(t *testing.T) {
	t.Helper()
	hidden := 0
	for _, table := range v.Tables {
		wide := table.Hidden > 0
		if wide {
			hidden++
		}
		if table.Hint != wide || (table.Shade > 0.9) != wide || table.AtEnd > 0.1 || table.NamesAt < -1 || table.NamesAt > 1 {
			t.Errorf("%+v", table)
		}
	}
	if narrow := v.InnerWidth < 600; len(v.Tables) < 4 || (hidden > 0) != narrow {
		t.Errorf("%d of %d tables are wider than the screen", hidden, len(v.Tables))
	}
}

func (v view) checkDrawings(t *testing.T, r *result.Result) {
	t.Helper()
	pictures, err := Pictures(r)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, picture := range pictures {
		want += len(picture.Drawings)
	}
	if len(v.Drawings) != want {
		t.Errorf("%d drawings, want %d", len(v.Drawings), want)
	}
	const legible = 9 // pixels
	for _, d := range v.Drawings {
		if d.Width < 200 || d.Height < 100 || d.Width > float64(v.InnerWidth) || d.Parts < 10 || d.Smallest < legible {
			t.Errorf("%.40q is drawn as %+v", d.Label, d)
		}
	}
	for _, text := range v.Unreadable {
		t.Errorf("%q lies beyond its drawing", text)
	}
}

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

// A view is what the browser says of the page.
type view struct {
	ScrollWidth int    // of the document
	InnerWidth  int    // of the window
	Text        string // as it is visible
	Names       []string
	Drawings    []drawn
	Unreadable  []string // text that lies beyond its drawing
	Paper, Ink  string   // colours
}

// drawn is a picture as the browser laid it out.
type drawn struct {
	Label         string
	Width, Height float64
	Parts         int
	Smallest      float64 // height of its smallest text, in pixels
}

// lookAt asks for a view.
const lookAt = `({
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
	Paper: getComputedStyle(document.body).backgroundColor,
	Ink: getComputedStyle(document.body).color,
})`

// events are what must not happen: requests, and what the browser complains of.
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

// patience is for a browser that is read from a slow disk for the first time, on a busy machine.
const patience = 2 * time.Minute

const evilName = `<script>alert(1)</script>`

// TestInBrowser opens the page as a reader does, from a file.
func TestInBrowser(t *testing.T) {
	r := article()
	r.Rows[0].Name = evilName
	address := saved(t, r)
	browser, stop := chromedp.NewContext(t.Context(),
		chromedp.WithAllocatorOptions(chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience)))
	defer stop()
	if err := chromedp.Do(browser, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal("chromium: ", err)
	}
	for _, width := range []int64{1280, 400} {
		for scheme, shades := range map[string][2]string{
			"light": {paper.light.String(), ink.light.String()}, "dark": {paper.dark.String(), ink.dark.String()},
		} {
			t.Run(fmt.Sprintf("%s %d", scheme, width), func(t *testing.T) {
				v := open(t, browser, address, width, scheme)
				v.check(t, r)
				if got := strings.ReplaceAll(v.Paper+v.Ink, " ", ""); got != shades[0]+shades[1] {
					t.Errorf("the page's colours are %s, want %s", got, shades)
				}
			})
		}
	}
}

// saved writes the page to a file, and returns its address.
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

// open opens the page in a tab of its own. Nothing may be fetched or complained of meanwhile.
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
	v, err := chromedp.Run(limited, chromedp.Evaluate[view](lookAt))
	if err != nil {
		t.Fatal(err)
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, event := range seen.all {
		t.Error(event)
	}
	return v
}

func (v view) check(t *testing.T, r *result.Result) {
	t.Helper()
	if v.ScrollWidth > v.InnerWidth {
		t.Errorf("the document is %d wide in a window of %d", v.ScrollWidth, v.InnerWidth)
	}
	for _, sentence := range append(r.Verdict, "> 60 s", "not trustworthy", "OSError: [Errno 24] Too many open files <socket>") {
		if !strings.Contains(v.Text, sentence) {
			t.Errorf("%q is not visible", sentence)
		}
	}
	names := strings.Join(v.Names, "\n")
	for _, row := range r.Rows {
		if !strings.Contains(names, row.Name) {
			t.Errorf("%s is not visible in the table", row.Name)
		}
	}
	v.checkDrawings(t, r)
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

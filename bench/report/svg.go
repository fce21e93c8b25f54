package report

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// SVG returns the drawing for a page that defines the shades. Its label describes the content for screen readers.
func (d Drawing) SVG() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg role="img" aria-label="%s" viewBox="0 0 %d %d">%s</svg>`,
		template.HTMLEscapeString(d.label()), d.Width, d.Height, d.body))
}

func (d Drawing) label() string {
	if title := d.title(); title != "" {
		return title + ": " + d.Caption
	}
	return d.Caption
}

// title returns the drawing's title, with the kind of work if there are several.
func (d Drawing) title() string {
	if d.Group != "" {
		return d.Group + ", " + d.Title
	}
	return d.Title
}

// Swatch draws the line or shape of a key.
func (k Key) Swatch() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="swatch" aria-hidden="true" viewBox="0 0 %d %d">%s</svg>`,
		swatchWidth, swatchHeight, k.shape()))
}

const swatchWidth, swatchHeight = 24, 14

// shape returns the SVG of a key in a box of swatchWidth by swatchHeight.
func (k Key) shape() string {
	color := "var(--" + k.shade.name + ")"
	line := `<path d="M1 7H23" stroke="` + color + `" stroke-width="2" fill="none"/>`
	switch k.marks {
	case keyBar:
		return `<path d="M1 2H23V12H1Z" fill="` + color + `"/>`
	case keyTick:
		return `<path d="M12 0V14" stroke="` + color + `" stroke-width="2"/>`
	case keyDiamond:
		return `<path d="M12 1L18 7L12 13L6 7Z" fill="var(--paper)" stroke="` + color + `" stroke-width="1.5"/>`
	case keyWhisker:
		return `<path d="M4 7H20M4 3V11M20 3V11" stroke="` + color + `" stroke-width="1.5"/>`
	case keyArrow:
		return `<path d="M12 6V14" stroke="` + color + `" stroke-width="2" stroke-dasharray="3 2" fill="none"/>` +
			`<path d="M12 0L17 7H7Z" fill="` + color + `"/>`
	case "dot":
		return line + `<circle cx="12" cy="7" r="3.5" fill="` + color + `"/>`
	case "circle":
		return line + `<circle cx="12" cy="7" r="3.5" fill="var(--paper)" stroke="` + color + `" stroke-width="1.5"/>`
	case "square":
		return line + `<path d="M9 4H15V10H9Z" fill="` + color + `"/>`
	case "diamond":
		return line + `<path d="M12 2.5L16.5 7L12 11.5L7.5 7Z" fill="` + color + `"/>`
	}
	return line
}

// The parts of a picture in its own file, in pixels.
const (
	fileMargin = 16
	fileGap    = 20
	fileLine   = 24 // of keys and titles
	fileAcross = 2  // drawings side by side
	fileLetter = 7  // approximate width of a 13-pixel letter
)

// SVG returns the picture as an SVG file with its keys. It follows the light or dark setting of the reader's screen.
func (p Picture) SVG() []byte {
	across := min(fileAcross, len(p.Drawings))
	width := 2*fileMargin + across*p.Drawings[0].Width + (across-1)*fileGap
	var body strings.Builder
	y := writeKeys(&body, p.Keys, fileMargin, fileMargin, width-fileMargin)
	bottom := y
	for i, d := range p.Drawings {
		if i%across == 0 {
			y = bottom
		}
		x := fileMargin + i%across*(d.Width+fileGap)
		bottom = max(bottom, d.write(&body, x, y)+fileGap)
	}
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s"`+
		` width="%d" height="%d" viewBox="0 0 %d %d">`+
		`<style>%stext{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}`+
		`.key{font-size:13px;fill:var(--faint)}.title{font-size:14px;font-weight:600;fill:var(--ink)}</style>`+
		`<path d="M0 0H%dV%dH0Z" fill="var(--paper)"/>%s</svg>`+"\n",
		template.HTMLEscapeString(p.Title+": "+p.Caption), width, bottom, width, bottom, variables(), width, bottom, &body)
}

// write writes the drawing at a position in a file, with its title above and its keys below. It returns the bottom.
func (d Drawing) write(body *strings.Builder, x, y int) (bottom int) {
	if title := d.title(); title != "" {
		fmt.Fprintf(body, `<text class="title" x="%d" y="%d">%s</text>`, x, y+14, template.HTMLEscapeString(title))
		y += fileLine
	}
	fmt.Fprintf(body, `<svg x="%d" y="%d" width="%d" height="%d">%s</svg>`, x, y, d.Width, d.Height, d.body)
	return writeKeys(body, d.Keys, x, y+d.Height, x+d.Width)
}

// writeKeys writes keys in lines from x up to right, and returns the bottom.
func writeKeys(body *strings.Builder, keys []Key, x, y, right int) (bottom int) {
	if len(keys) == 0 {
		return y
	}
	at := x
	for _, key := range keys {
		wrapped := text.WrapSoft(key.Text, (right-x-swatchWidth-8)/fileLetter)
		wide := swatchWidth + 8 + fileLetter*text.LongestLineLen(wrapped) + fileGap
		if at > x && at+wide-fileGap > right {
			at, y = x, y+fileLine
		}
		fmt.Fprintf(body, `<g transform="translate(%d %d)">%s`, at, y, key.shape())
		for i, line := range strings.Split(wrapped, "\n") {
			fmt.Fprintf(body, `<text class="key" x="%d" y="%d">%s</text>`, swatchWidth+8, 12+i*fileLine, template.HTMLEscapeString(strings.TrimRight(line, " ")))
		}
		body.WriteString(`</g>`)
		at += wide
		y += strings.Count(wrapped, "\n") * fileLine
	}
	return y + fileLine + 8
}

// A DrawingGroup holds the drawings of a kind of work.
type DrawingGroup struct {
	Title    string // empty for the only group
	Drawings []Drawing
}

// Groups returns the drawings by kind of work.
func (p Picture) Groups() (groups []DrawingGroup) {
	for _, d := range p.Drawings {
		if n := len(groups); n == 0 || groups[n-1].Title != d.Group {
			groups = append(groups, DrawingGroup{Title: d.Group})
		}
		last := &groups[len(groups)-1]
		last.Drawings = append(last.Drawings, d)
	}
	return groups
}

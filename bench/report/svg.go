package report

import (
	"fmt"
	"html/template"
	"strings"
)

// SVG is the drawing for a page that sets the shades. It says for those who cannot see it what it shows.
func (d Drawing) SVG() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg role="img" aria-label="%s" viewBox="0 0 %d %d">%s</svg>`,
		template.HTMLEscapeString(d.label()), d.Width, d.Height, d.body))
}

func (d Drawing) label() string {
	if d.Title == "" {
		return d.Caption
	}
	return d.Title + ": " + d.Caption
}

// Swatch draws what a key stands for.
func (k Key) Swatch() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="swatch" aria-hidden="true" viewBox="0 0 %d %d">%s</svg>`,
		swatchWidth, swatchHeight, k.shape()))
}

const swatchWidth, swatchHeight = 24, 14

// shape is a key in a box of 24 by 14.
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

// The parts of a picture in a file of its own, in pixels.
const (
	fileMargin = 16
	fileGap    = 20
	fileLine   = 24 // of the keys
	fileAcross = 2  // drawings beside each other
	fileLetter = 7  // about as wide as one of 13 pixels is
)

// SVG is the picture in a file of its own, with its keys. It is light or dark as its reader's screen is.
func (p Picture) SVG() []byte {
	across := min(fileAcross, len(p.Drawings))
	width := 2*fileMargin + across*p.Drawings[0].Width + (across-1)*fileGap
	var body strings.Builder
	y := p.keys(&body, width)
	for i, d := range p.Drawings {
		x := fileMargin + i%across*(d.Width+fileGap)
		if d.Title != "" {
			fmt.Fprintf(&body, `<text class="title" x="%d" y="%d">%s</text>`, x, y+14, template.HTMLEscapeString(d.Title))
		}
		fmt.Fprintf(&body, `<svg x="%d" y="%d" width="%d" height="%d">%s</svg>`, x, y+d.top(), d.Width, d.Height, d.body)
		if i%across == across-1 || i == len(p.Drawings)-1 {
			y += d.top() + d.Height + fileGap
		}
	}
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s"`+
		` width="%d" height="%d" viewBox="0 0 %d %d">`+
		`<style>%stext{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}`+
		`.key{font-size:13px;fill:var(--faint)}.title{font-size:14px;font-weight:600;fill:var(--ink)}</style>`+
		`<path d="M0 0H%dV%dH0Z" fill="var(--paper)"/>%s</svg>`+"\n",
		template.HTMLEscapeString(p.Title+": "+p.Caption), width, y, width, y, variables(), width, y, &body)
}

// top is the room that a drawing's title takes.
func (d Drawing) top() int {
	if d.Title == "" {
		return 0
	}
	return fileLine
}

// keys writes the keys in lines of a width, and returns where they end.
func (p Picture) keys(body *strings.Builder, width int) int {
	x, y := fileMargin, fileMargin
	for _, key := range p.Keys {
		wide := swatchWidth + 8 + fileLetter*len([]rune(key.Text)) + fileGap
		if x > fileMargin && x+wide > width {
			x, y = fileMargin, y+fileLine
		}
		fmt.Fprintf(body, `<g transform="translate(%d %d)">%s<text class="key" x="%d" y="12">%s</text></g>`,
			x, y, key.shape(), swatchWidth+8, template.HTMLEscapeString(key.Text))
		x += wide
	}
	return y + fileLine + 8
}

package report

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/go-analyze/charts"
)

// A shade is a colour for a purpose, with variants for light and dark pages. Its contrast with the paper is at least
// 4.5 for text and 3 for lines (WCAG AA).
type shade struct {
	name        string
	light, dark charts.Color
}

// The shades of the pictures. The chart library draws the light variants. tint then replaces them by names, which the
// page's style sheet defines.
var (
	paper = shade{"paper", rgb(0xfd, 0xfd, 0xfc), rgb(0x12, 0x15, 0x1a)}
	ink   = shade{"ink", rgb(0x1c, 0x21, 0x28), rgb(0xe4, 0xe8, 0xed)}
	faint = shade{"faint", rgb(0x57, 0x60, 0x6c), rgb(0xa0, 0xab, 0xb8)}
	grid  = shade{"grid", rgb(0xe3, 0xe6, 0xea), rgb(0x2b, 0x32, 0x3b)}
	bad   = shade{"bad", rgb(0xb4, 0x23, 0x18), rgb(0xff, 0x8d, 0x85)}
	warn  = shade{"warn", rgb(0x8a, 0x53, 0x00), rgb(0xe8, 0xb0, 0x55)}
	good  = shade{"good", rgb(0x1a, 0x74, 0x3b), rgb(0x6f, 0xcf, 0x8b)}

	series = []shade{
		{"s0", rgb(0x1d, 0x63, 0xb8), rgb(0x6c, 0xae, 0xf5)},
		{"s1", rgb(0xc2, 0x55, 0x0a), rgb(0xf2, 0x9a, 0x55)},
		{"s2", rgb(0x12, 0x7a, 0x5b), rgb(0x4c, 0xc7, 0x9a)},
		{"s3", rgb(0x78, 0x48, 0xb4), rgb(0xb9, 0x9c, 0xf2)},
		{"s4", rgb(0xb8, 0x2f, 0x5d), rgb(0xf5, 0x86, 0xa8)},
		{"s5", rgb(0x7c, 0x66, 0x12), rgb(0xd1, 0xb7, 0x5c)},
		{"s6", rgb(0x0d, 0x73, 0x8c), rgb(0x5c, 0xc3, 0xdd)},
		{"s7", rgb(0x59, 0x62, 0x6e), rgb(0xa9, 0xb4, 0xc0)},
	}
)

func rgb(r, g, b uint8) charts.Color { return charts.Color{R: r, G: g, B: b, A: 255} }

func shades() []shade { return append([]shade{paper, ink, faint, grid, bad, warn, good}, series...) }

// variables returns CSS that defines the shades.
func variables() string {
	var light, dark strings.Builder
	for _, s := range shades() {
		fmt.Fprintf(&light, "--%s:%s;", s.name, s.light)
		fmt.Fprintf(&dark, "--%s:%s;", s.name, s.dark)
	}
	return fmt.Sprintf(":root{color-scheme:light dark;%s}@media (prefers-color-scheme:dark){:root{%s}}"+
		"@media print{:root{color-scheme:light;%s}}", &light, &dark, &light)
}

// theme returns a chart theme with the shades, and with the shades in lines for the series.
func theme(lines []shade) charts.ColorPalette {
	var colors []charts.Color
	for _, s := range lines {
		colors = append(colors, s.light)
	}
	return charts.GetTheme(charts.ThemeLight).
		WithBackgroundColor(paper.light).WithTextColor(faint.light).WithAxisSplitLineColor(grid.light).
		WithXAxisColor(faint.light).WithXAxisTextColor(faint.light).
		WithYAxisColor(faint.light).WithYAxisTextColor(faint.light).
		WithSeriesColors(colors)
}

// ending marks text that must end at its position. It is almost faint, and tint makes it faint. The library supports
// only text that starts at its position, and measures it in a font that the page does not have.
var ending = rgb(0x57, 0x60, 0x6d)

// tag matches an SVG tag. The library escapes each < in the text between tags.
var tag = regexp.MustCompile(`<[^>]*>`)

// tint replaces the light shades of a drawing by their names, and its fonts by the page's.
func tint(svg string) string {
	pairs := []string{"\n", " ", `;font-family:'Roboto Medium',sans-serif`, "", `style="stroke:none;`, `style="`,
		":" + ending.String(), ":var(--" + faint.name + ");text-anchor:end"}
	for _, s := range shades() {
		pairs = append(pairs, ":"+s.light.String(), ":var(--"+s.name+")")
	}
	replace := strings.NewReplacer(pairs...)
	return tag.ReplaceAllStringFunc(svg, replace.Replace)
}
